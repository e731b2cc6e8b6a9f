"""What bounds kernels on a chip of each architecture: the roofs that schedules are ranked by, and their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import gcd
from types import MappingProxyType

from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.errors import ConfigError

SHARED_BYTES = 128
"""Bytes that shared memory moves in a cycle, of one multiprocessor: 32 banks of 4 (CUDA programming guide)."""


@dataclass(frozen=True, slots=True)
class KernelCosts:
    """What the parts of a kernel take, in cycles and instructions; `source` says where the numbers are from.

    `latency` until a copy from the cache has arrived, `remote` until another block knows of an arrival, `barrier` from
    a barrier to the first product after it, `phase` the same of an mbarrier whose phase is complete, which warps do not
    meet at; `ask_instructions` of the one warp that asks for a step's boxes, `cluster_instructions` of every warp of a
    cluster, to tell the other blocks that it has used a slot; `epilogue` of a block's start and end.
    `copy_instructions` of an asynchronous copy: its address, its guard, itself; `element_instructions` of a single
    element, whose indices are worked out for it alone; `step_instructions` of a warp's step besides copies, loads and
    products. `result_bytes` are those that a multiprocessor stores in a cycle. `friction` is the share of what a step
    waits that no other block hides; `hiding_warps` of a multiprocessor hide from each other what each waits for its
    fragments, and a warp without another beside it waits for `unhidden` of a step.
    """

    latency: int = 600
    remote: int = 180
    barrier: int = 100
    phase: int = 30
    epilogue: int = 1500
    copy_instructions: int = 4
    element_instructions: int = 12
    step_instructions: int = 40
    ask_instructions: int = 60
    cluster_instructions: int = 18
    result_bytes: int = 16
    friction: float = 0.25
    hiding_warps: int = 8
    unhidden: float = 0.25
    source: str = (
        "instructions as in the machine code of NVRTC 13.5 for sm_80 and sm_90; `remote` is assumed, after what "
        "Luo et al. report of an H100 (arXiv 2402.13499, for loads, not arrivals); other latencies and shares are "
        "estimates that no measurement has confirmed"
    )

    def __post_init__(self) -> None:
        numbers = [getattr(self, field.name) for field in fields(self) if field.name != "source"]
        if min(numbers) <= 0:
            raise ConfigError("costs of kernels: every number must be positive")


@dataclass(frozen=True, slots=True)
class GpuRoof:
    """One chip: its multiprocessors, and what one of them has in a cycle.

    `tensor_operations` are multiplications and additions of f16 with sums in f32, as `mma_sync` reaches them;
    `l2_bytes` what the cache gives one multiprocessor while all read. `source` says where the numbers are from.
    `costs` are those of a kernel's parts. `group_operations` are what `wgmma` reaches, 0 where there is none.
    `processing_clusters` are the GPCs: a cluster's blocks run in one of them.
    """

    chip: str
    multiprocessors: int
    tensor_operations: int
    l2_bytes: float
    source: str
    costs: KernelCosts = KernelCosts()
    group_operations: int = 0
    processing_clusters: int = 8

    def __post_init__(self) -> None:
        if min(self.multiprocessors, self.tensor_operations, self.l2_bytes) <= 0:
            raise ConfigError(f"roof of {self.chip}: every number must be positive")

    def blocks_at_once(self, resident: int, cluster: int) -> int:
        """Blocks that run at a time, `resident` on a multiprocessor, in clusters of so many.

        Each of these has a multiprocessor of its own. Those of a GPC come in pairs, but how many pairs each has is not
        published: counted is what clusters leave idle at worst.
        """
        idle = cluster - gcd(2, cluster)
        return resident * max(cluster, self.multiprocessors - self.processing_clusters * idle)


_AMPERE = "NVIDIA A100 whitepaper: 1,024 FMA a cycle, 5,120 bytes of L2 a cycle"
_CONSUMER = "NVIDIA whitepaper: 256 FMA a cycle with sums in f32; L2 an estimate"
_HOPPER = "NVIDIA H100 whitepaper: 2,048 FMA a cycle, of which mma.sync reaches 63 %; L2 of 5.5 TB/s at 1.755 GHz"
_GROUPS = "wgmma as the vendor's library reaches it on such a chip: 788 of 989 TFLOP/s"
_ROOFS: Mapping[str, GpuRoof] = MappingProxyType(
    {
        "sm_75": GpuRoof("T4", 40, 1024, 32, "NVIDIA Turing whitepaper: 512 FMA a cycle; L2 of 1,280 bytes a cycle"),
        "sm_80": GpuRoof("A100", 108, 1946, 41, _AMPERE),
        "sm_86": GpuRoof("RTX 3090", 82, 512, 25, _CONSUMER),
        "sm_87": GpuRoof("Orin", 16, 1024, 25, "Jetson AGX Orin brief: 512 FMA a cycle; L2 an estimate"),
        "sm_89": GpuRoof("RTX 4090", 128, 512, 20, _CONSUMER),
        "sm_90": GpuRoof("H200", 132, 2580, 24, _HOPPER),
        "sm_90a": GpuRoof("H200", 132, 2580, 24, f"{_HOPPER}; {_GROUPS}", group_operations=3264),
        "sm_100": GpuRoof("B200", 148, 2580, 24, "taken as sm_90: nothing is known of mma.sync there"),
        "sm_100a": GpuRoof("B200", 148, 2580, 24, "taken as sm_90: nothing is known of mma.sync there"),
        "sm_103": GpuRoof("B300", 148, 2580, 24, "taken as sm_90: nothing is known of mma.sync there"),
        "sm_110": GpuRoof("Thor", 20, 2580, 24, "taken as sm_90: nothing is known of mma.sync there"),
        "sm_120": GpuRoof("RTX 5090", 170, 512, 20, _CONSUMER),
        "sm_120a": GpuRoof("RTX 5090", 170, 512, 20, _CONSUMER),
        "sm_121": GpuRoof("GB10", 48, 512, 20, _CONSUMER),
    }
)
_COMMON = "sm_80"
"""Whose roofs are taken where no architecture is named."""


def gpu_roof(architecture: GpuArchitecture | None) -> GpuRoof:
    """The roofs of an architecture's chip."""
    return _ROOFS[_COMMON if architecture is None else architecture.name]
