"""A compiled program of one stream: instructions, micro-ops, and the buffers they work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ProgramError
from vtac.lazily import text_by, written_by
from vtac.targets.vta.cycles.simulate import count_cycles
from vtac.targets.vta.isa import MICRO_OP_BYTES, WORD_BYTES, disassemble
from vtac.targets.vta.machine import Progress, execute
from vtac.targets.vta.programs.arrays import Array, Image, fitted, items_of
from vtac.targets.vta.programs.device_call import DeviceCall
from vtac.targets.vta.programs.provenance import KernelCall, Origin, placed_faults
from vtac.targets.vta.programs.saving import save, stream_files
from vtac.targets.vta.programs.summary import Summary, work_line
from vtac.targets.vta.stream.layout import Buffer
from vtac.text.short import counted, signature

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.devices.device import Device
    from vtac.devices.loading import LoadedStream


@dataclass
class Program:
    """A VTA program of one stream that can be called, saved and inspected.

    `instructions` are 16 bytes each, `micro_ops` 4. `buffers` are in DRAM order: arguments,
    results, constants and scratch, micro-ops. `origins`, when known, holds one entry per
    instruction. `kernels` are the kernels of a program of several, in the order of their calls;
    scratch buffers that no two of them need together may lie at the same addresses. One that is
    `simulator_only` holds what the hardware does not decode, and runs without the strict rules.
    `choices` says what the compiler chose, and why. `contractions` and `macs` are those of the
    function that the stream computes, all of them, where that is known. `layers` are the named
    values of a plain program that it computes.
    """

    config: VTAConfig
    instructions: bytes
    micro_ops: bytes
    buffers: tuple[Buffer, ...]
    constants: dict[str, bytes] = field(default_factory=dict[str, bytes])
    origins: tuple[Origin, ...] = ()
    kernels: tuple[KernelCall, ...] = ()
    simulator_only: bool = False
    name: str = "program"
    choices: tuple[str, ...] = ()
    contractions: int = 0
    macs: int = 0
    layers: tuple[str, ...] = ()
    last_inputs: tuple[Array, ...] | None = field(default=None, repr=False)
    """The arrays of the last call, or those that were saved in the memory image."""
    source: ModuleOp | None = field(default=None, repr=False, compare=False)
    """What it was compiled from, hardware and schedule settled; None for a saved program."""
    _counters: dict[str, int] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """What it computes, in a line; then what it takes and gives, its length, and for which hardware."""
        return f"{self.work_line}\n{self._line()}"

    def __repr__(self) -> str:
        return f"<Program {self._line()}>"

    def _line(self) -> str:
        instructions = counted(len(self.instructions) // WORD_BYTES, "instruction")
        micro_ops = counted(len(self.micro_ops) // MICRO_OP_BYTES, "micro-op")
        return f"{signature(self.name, self.arguments, self.results)}: {instructions}, {micro_ops}, {self.config.tiles}"

    _repr_html_ = text_by("vtac.report.notebook", "program_html")

    def report(self, path: str | Path | None = None) -> str:
        """Its report, one HTML page, also written to `path` if one is given; see `vtac.report`."""
        return written_by("vtac.report.page.document", "report")(self, path)

    def to(self, device: Device, timeout: float | None = None) -> LoadedStream:
        """The program in the memory of a device that `vtac.devices.open` gave, to be called there.

        `timeout` is in seconds, for each run. Raises `DeviceError` where the device cannot run it.
        """
        load: Callable[[Program, Device, float | None], LoadedStream] = import_module("vtac.devices.loading").load
        return load(self, device, timeout)

    def keep_source(self, module: ModuleOp) -> None:
        """Remember what it was compiled from: a module with hardware and schedule settled."""
        self.source = module

    @property
    def arguments(self) -> tuple[Buffer, ...]:
        """The buffers a caller passes, in order."""
        return tuple(buffer for buffer in self.buffers if buffer.is_argument)

    @property
    def results(self) -> tuple[Buffer, ...]:
        """The buffers a call returns, in order."""
        return tuple(buffer for buffer in self.buffers if buffer.is_result)

    @property
    def summary(self) -> Summary:
        """How many contractions and multiplications the program has, which are all on the VTA; one stream, no host."""
        return {
            "contractions": self.contractions,
            "contractions_on_vta": self.contractions,
            "macs": self.macs,
            "macs_on_vta": self.macs,
            "streams": 1,
            "host_operations": [],
        }

    @property
    def work_line(self) -> str:
        """The summary in a line."""
        return work_line(self.summary)

    @property
    def devices(self) -> dict[str, Program]:
        """The program itself, by its name."""
        return {self.name: self}

    @property
    def calls(self) -> tuple[DeviceCall, ...]:
        """The one call of the program itself."""
        return (DeviceCall(self.name, self.name),)

    @property
    def stream(self) -> Program:
        """The program itself: it has one stream."""
        return self

    def __call__(self, *arrays: Array, progress: Progress | None = None) -> Array | tuple[Array, ...]:
        """Run the program on numpy arrays of the arguments' shapes and dtypes.

        Returns the result's array, or a tuple when there are several; the arrays passed stay
        untouched. Raises `ProgramError` for arrays that do not fit and `ExecutionError` when
        the stream faults.
        """
        given = fitted(self.arguments, arrays)
        image = self.memory_image(given)
        with placed_faults(self.origins):
            outcome = execute(self.instructions, image, self.config, strict=not self.simulator_only, progress=progress)
        self._counters = {name: value for name, value in outcome.items() if isinstance(value, int)}
        self.last_inputs = tuple(array.copy() for array in given)
        outputs = tuple(self.read(image, buffer) for buffer in self.results)
        return outputs[0] if len(outputs) == 1 else outputs

    @property
    def stats(self) -> dict[str, int]:
        """Counters of the last run and `cycles`. Raises `ProgramError` before the first run."""
        return {**self.counters, "cycles": self.cycles}

    @property
    def counters(self) -> dict[str, int]:
        """Counters of the last run: `stats` without the cycles, which take longer to find than a run itself.

        Raises `ProgramError` before the first run.
        """
        if self._counters is None:
            raise ProgramError("stats are those of a run: call the program first")
        return dict(self._counters)

    @property
    def cycles(self) -> int:
        """Cycles of the DE10 timing model; they do not depend on data."""
        return self._cycles

    @cached_property
    def _cycles(self) -> int:
        with placed_faults(self.origins):
            return count_cycles(self.instructions, self.config)

    def disassemble(self) -> str:
        """The instructions as text, one line each."""
        return disassemble(self.instructions, self.config)

    def save(self, directory: str | Path, inputs: Sequence[Array] | None = None) -> None:
        """Write `insn.bin`, `uop.bin`, `dram.bin` and `program.json`: all of them, or none.

        The memory image holds `inputs`, else those of the last call, else zeros. A program in the directory is
        replaced; other files in it stay. Raises `ProgramError`.
        """
        save(directory, self.files(inputs))

    def files(self, inputs: Sequence[Array] | None = None, beside: dict[str, bytes] | None = None) -> dict[str, bytes]:
        """What `save` writes, by file name; `beside` are files that go with them."""
        given = tuple(inputs) if inputs is not None else self.last_inputs
        image = self.memory_image(given).tobytes()
        return stream_files(self, image, inputs_placed=given is not None, beside=beside)

    def memory_image(self, arrays: Sequence[Array] | None = None) -> Image:
        """DRAM before a run: index = physical byte address; arguments, micro-ops and constants placed.

        Raises `ProgramError` for arrays that do not fit.
        """
        last = self.buffers[-1]
        image = np.zeros(last.address + last.nbytes, dtype=np.uint8)
        if arrays is not None:
            for buffer, array in zip(self.arguments, fitted(self.arguments, arrays), strict=True):
                items_of(image, buffer)[...] = array
        for buffer in self.buffers:
            if buffer.name in self.constants:
                _write(image, buffer, self.constants[buffer.name])
            elif buffer.role == "uop":
                _write(image, buffer, self.micro_ops)
        return image

    def read(self, image: Image, buffer: Buffer) -> Array:
        """What a memory image holds in a buffer, as a new array of its shape and dtype."""
        return items_of(image, buffer).copy()


def _write(image: Image, buffer: Buffer, data: bytes) -> None:
    image[buffer.address : buffer.address + len(data)] = np.frombuffer(data, dtype=np.uint8)
