"""The machine's memories: DRAM as given, SRAM as arrays of tiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.errors import ExecutionError

SRAM_NAMES: tuple[MemoryName, ...] = ("uop", "wgt", "inp", "acc")


@dataclass(frozen=True, eq=False)
class Machine:
    """Memories of one run.

    `dram` uint8 (bytes,), index = physical byte address; `uop` uint32 (entries,); `inp` int8
    (tiles, BATCH, BLOCK_IN); `wgt` int8 (tiles, BLOCK_OUT, BLOCK_IN); `acc` int32 (tiles, BATCH,
    BLOCK_OUT). SRAM starts at zero.
    """

    config: VTAConfig
    dram: NDArray[np.uint8]
    uop: NDArray[np.uint32]
    inp: NDArray[np.int8]
    wgt: NDArray[np.int8]
    acc: NDArray[np.int32]

    @staticmethod
    def of(config: VTAConfig, dram: NDArray[np.uint8]) -> Machine:
        """A machine around a memory image, which runs change in place."""
        batch, block_in, block_out = config.batch, config.block_in, config.block_out
        return Machine(
            config,
            dram,
            uop=np.zeros(config.capacity("uop"), np.uint32),
            inp=np.zeros((config.capacity("inp"), batch, block_in), np.int8),
            wgt=np.zeros((config.capacity("wgt"), block_out, block_in), np.int8),
            acc=np.zeros((config.capacity("acc"), batch, block_out), np.int32),
        )


@dataclass(frozen=True, eq=False)
class Written:
    """Which SRAM elements hold something: a bool per element of each memory.

    `out` marks accumulator tiles that the hardware's separate OUT buffer holds too: those that a
    GEMM without reset or an ALU instruction wrote last.
    """

    config: VTAConfig
    by_memory: dict[MemoryName, NDArray[np.bool_]] = field(init=False)

    def __post_init__(self) -> None:
        names: tuple[MemoryName, ...] = (*SRAM_NAMES, "out")
        flags = {name: np.zeros(self.config.capacity(name), np.bool_) for name in names}
        object.__setattr__(self, "by_memory", flags)

    def __getitem__(self, name: MemoryName) -> NDArray[np.bool_]:
        return self.by_memory[name]


def check_image(dram: object) -> NDArray[np.uint8]:
    """`dram` itself, if it can be a memory image: a writeable, contiguous, one-dimensional uint8 array.

    Raises `ExecutionError` if it cannot.
    """
    required = "a memory image is a writeable, contiguous, one-dimensional numpy array of uint8"
    if not isinstance(dram, np.ndarray):
        raise ExecutionError(f"cannot execute on a {type(dram).__name__}; {required}", None, "image")
    array = cast("NDArray[np.uint8]", dram)
    if array.dtype != np.uint8 or array.ndim != 1:
        found = f"{array.dtype} array of shape {array.shape}"
        raise ExecutionError(f"cannot execute on a {found}; {required}", None, "image")
    if not array.flags.c_contiguous or not array.flags.writeable:
        fault = "is read-only" if array.flags.c_contiguous else "is not contiguous"
        raise ExecutionError(f"cannot execute on an array that {fault}; {required}", None, "image")
    return array
