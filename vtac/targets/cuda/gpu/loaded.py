"""A plan on a GPU: its kernels, constants and scratch memory there, and its launches on a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.gpu.compile import CompiledKernel
from vtac.targets.cuda.gpu.device import Device
from vtac.targets.cuda.gpu.encoded_maps import encode
from vtac.targets.cuda.plan import LaunchPlan

UNWRITTEN = 0xFF
"""What memory is filled with that no kernel has written: no number of a floating-point type."""


@dataclass(frozen=True)
class LoadedPlan:
    """Handles of a plan's kernels, in its order, and addresses of what the program itself has on the device."""

    device: Device
    plan: LaunchPlan
    what: str
    functions: tuple[int, ...]
    scratch: int
    constants: Mapping[str, int]

    def enqueue(self, stream: int, addresses: Mapping[int, int]) -> None:
        """Enqueue every launch on a stream; `addresses` are those of arguments and results by number of buffer."""
        places = [self._place(at, addresses) for at in range(len(self.plan.buffers))]
        for step in self.plan.steps:
            record = self.plan.kernels[step.kernel]
            given, what = [places[at] for at in step.buffers], f"kernel `{record.kernel}` on {self.device.name}"
            maps = [
                encode(self.device.driver, one, given[record.map_position(one)], what) for one in record.tensor_maps
            ]
            self.device.driver.launch(
                self.functions[step.kernel],
                record.grid,
                record.block,
                record.shared_bytes,
                stream,
                given,
                what,
                maps,
            )

    def _place(self, at: int, addresses: Mapping[int, int]) -> int:
        buffer = self.plan.buffers[at]
        if at in addresses:
            return addresses[at]
        if buffer.role == "constant":
            return self.constants[buffer.name]
        return self.scratch + (buffer.offset or 0)


def load_plan(
    device: Device,
    plan: LaunchPlan,
    compiled: Sequence[CompiledKernel],
    constants: Mapping[str, Array],
    held: ExitStack,
) -> LoadedPlan:
    """Put a plan on a device, whose context is current; `held` gives back what it has there.

    Raises `LaunchError` for a kernel that the device cannot start, and for what the driver refuses.
    """
    what = f"program `{plan.name}` on {device.name}"
    functions: list[int] = []
    for one, record in zip(compiled, plan.kernels, strict=True):
        one.check_launch(record)
        module = device.load(one.cubin, what, held)
        functions.append(device.function(module, record.kernel, record.shared_bytes, what))
    scratch = device.allocate(plan.scratch_bytes, what, held) if plan.scratch_bytes else 0
    places = {buffer.name: device.allocate(buffer.nbytes, what, held) for buffer in plan.of_role("constant")}
    for name, address in places.items():
        device.upload(np.ascontiguousarray(constants[name]), address, what)
    if scratch:
        device.driver.call("cuMemsetD8_v2", scratch, UNWRITTEN, plan.scratch_bytes, what=what)
    device.synchronize(what)  # all this goes through the default stream, for which other streams do not wait
    return LoadedPlan(device, plan, what, tuple(functions), scratch, places)
