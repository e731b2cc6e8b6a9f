"""A compiled program: instructions, micro-ops, and the buffers they work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ProgramError
from vtac.targets.vta.machine import execute
from vtac.targets.vta.stream.layout import Buffer

Array = NDArray[np.int8] | NDArray[np.int16] | NDArray[np.int32] | NDArray[np.int64]
Image = NDArray[np.uint8]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an instruction comes from: the IR op, its source location and the kernel; empty when unknown.

    In a program of several kernels, `kernel` names the call that the instruction belongs to.
    """

    op: str
    location: str
    kernel: str = ""


@dataclass(frozen=True, slots=True)
class KernelCall:
    """One of the kernels that a program consists of: the buffers it loads from and stores to, by name."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass
class Program:
    """A VTA program that can be called, saved and inspected.

    `instructions` are 16 bytes each, `micro_ops` 4. `buffers` are in DRAM order: arguments,
    results, constants and scratch, micro-ops. `origins`, when known, holds one entry per
    instruction. `kernels` are the kernels of a program of several, in the order of their calls;
    scratch buffers that no two of them need together may lie at the same addresses. One that is
    `simulator_only` holds what the hardware does not decode, and runs without the strict rules.
    """

    config: VTAConfig
    instructions: bytes
    micro_ops: bytes
    buffers: tuple[Buffer, ...]
    constants: dict[str, bytes] = field(default_factory=dict[str, bytes])
    origins: tuple[Origin, ...] = ()
    kernels: tuple[KernelCall, ...] = ()
    simulator_only: bool = False
    _counters: dict[str, int] | None = field(default=None, repr=False)
    _last_inputs: tuple[Array, ...] | None = field(default=None, repr=False)

    @property
    def arguments(self) -> tuple[Buffer, ...]:
        """The buffers a caller passes, in order."""
        return tuple(buffer for buffer in self.buffers if buffer.is_argument)

    @property
    def results(self) -> tuple[Buffer, ...]:
        """The buffers a call returns, in order."""
        return tuple(buffer for buffer in self.buffers if buffer.is_result)

    def __call__(self, *arrays: Array, progress: Progress | None = None) -> Array | tuple[Array, ...]:
        """Run the program on numpy arrays of the arguments' shapes and dtypes.

        Returns the result's array, or a tuple when there are several; the arrays passed stay
        untouched. Raises `ProgramError` for arrays that do not fit and `ExecutionError` when
        the stream faults.
        """
        self._check_arrays(arrays)
        image = self.memory_image(arrays)
        outcome = execute(self.instructions, image, self.config, strict=not self.simulator_only, progress=progress)
        self._counters = {name: value for name, value in outcome.items() if isinstance(value, int)}
        self._last_inputs = tuple(array.copy() for array in arrays)
        outputs = tuple(self.read(image, buffer) for buffer in self.results)
        return outputs[0] if len(outputs) == 1 else outputs

    @property
    def stats(self) -> dict[str, int]:
        """Counters of the last run and `cycles`. Raises `ProgramError` before the first run."""
        if self._counters is None:
            raise ProgramError("stats are those of a run: call the program first")
        return {**self._counters, "cycles": self.cycles}

    @cached_property
    def cycles(self) -> int:
        """Cycles of the DE10 timing model; they do not depend on data."""
        from vtac.targets.vta.cycles import simulate_cycles

        return simulate_cycles(self.instructions, self.config).cycles

    def disassemble(self) -> str:
        """The instructions as text, one line each."""
        from vtac.targets.vta.isa import disassemble

        return disassemble(self.instructions, self.config)

    def save(self, directory: str | Path, inputs: Sequence[Array] | None = None) -> None:
        """Write `insn.bin`, `uop.bin`, `dram.bin` and `program.json`.

        The memory image holds `inputs`, else those of the last call, else zeros.
        """
        from vtac.targets.vta.programs.saved_program import save_program

        given = tuple(inputs) if inputs is not None else self._last_inputs
        if given is not None:
            self._check_arrays(given)
        save_program(self, Path(directory), given)

    def memory_image(self, arrays: Sequence[Array] | None = None) -> Image:
        """DRAM before a run: index = physical byte address; micro-ops and constants placed."""
        last = self.buffers[-1]
        image = np.zeros(last.address + last.nbytes, dtype=np.uint8)
        if arrays is not None:
            for buffer, array in zip(self.arguments, arrays, strict=True):
                _write(image, buffer, np.ascontiguousarray(array).tobytes())
        for buffer in self.buffers:
            if buffer.name in self.constants:
                _write(image, buffer, self.constants[buffer.name])
            elif buffer.role == "uop":
                _write(image, buffer, self.micro_ops)
        return image

    def _check_arrays(self, arrays: Sequence[Array]) -> None:
        arguments = self.arguments
        if len(arrays) != len(arguments):
            names = ", ".join(f"{buffer.name}: {_describe(buffer)}" for buffer in arguments)
            raise ProgramError(f"called with {len(arrays)} arrays; the program takes {len(arguments)} ({names})")
        for buffer, array in zip(arguments, arrays, strict=True):
            if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ProgramError(
                    f"argument '{buffer.name}' is a {type(array).__name__}; the program takes a numpy array of "
                    f"{_describe(buffer)}"
                )
            if array.shape != buffer.shape or array.dtype != np.dtype(buffer.dtype):
                shape = "x".join(map(str, array.shape))
                raise ProgramError(
                    f"argument '{buffer.name}' is {shape} {array.dtype}; the program takes {_describe(buffer)}: "
                    "reshape or convert it first"
                )

    def read(self, image: Image, buffer: Buffer) -> Array:
        """What a memory image holds in a buffer, as a new array of its shape and dtype."""
        data = image[buffer.address : buffer.address + buffer.nbytes]
        return data.view(np.dtype(buffer.dtype)).reshape(buffer.shape).copy()  # pyright: ignore[reportReturnType]


def _write(image: Image, buffer: Buffer, data: bytes) -> None:
    image[buffer.address : buffer.address + len(data)] = np.frombuffer(data, dtype=np.uint8)


def _describe(buffer: Buffer) -> str:
    return f"{'x'.join(map(str, buffer.shape))} {buffer.dtype}"
