"""Programs whose arguments are plain arrays: numpy packs, the VTA runs, numpy unpacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import SSAValue

from vtac.dialects.packing import HostOp
from vtac.evaluate import evaluate_linalg
from vtac.evaluate.buffers import element_type, shape_of_type
from vtac.evaluate.numbers import Array as AnyArray
from vtac.evaluate.numbers import dtype_of
from vtac.passes.analysis.nest import buffer_name
from vtac.passes.packing.layers import CHOICE
from vtac.runtime.errors import ProgramError
from vtac.runtime.layout import Buffer, DType, Names
from vtac.runtime.program import Array, Image, Program, Progress


@dataclass
class HostProgram(Program):
    """A host function around device programs.

    The fields of `Program` are the first device program's; `devices` holds all of them in the
    order of their calls, by the name of the function that they are. `host` is the module with
    the host function; `plain` are its arguments and results.
    """

    host: ModuleOp = field(default_factory=lambda: ModuleOp([]))
    devices: dict[str, Program] = field(default_factory=dict[str, Program])
    plain: tuple[Buffer, ...] = ()
    _runs: list[dict[str, int]] = field(default_factory=list[dict[str, int]], repr=False)

    @staticmethod
    def around(host: ModuleOp, devices: dict[str, Program]) -> HostProgram:
        """The program of a host module and the device programs that it calls, by function name."""
        first = next(iter(devices.values()))
        return HostProgram(
            first.config,
            first.instructions,
            first.micro_ops,
            first.buffers,
            first.constants,
            first.origins,
            first.kernels,
            any(device.simulator_only for device in devices.values()),
            host=host,
            devices=devices,
            plain=_plain_buffers(_host_function(host)),
        )

    @property
    def arguments(self) -> tuple[Buffer, ...]:
        """The plain arrays that a caller passes, in order."""
        return tuple(buffer for buffer in self.plain if buffer.is_argument)

    @property
    def results(self) -> tuple[Buffer, ...]:
        """The plain arrays that a call returns, in order."""
        return tuple(buffer for buffer in self.plain if buffer.is_result)

    @property
    def choices(self) -> tuple[str, ...]:
        """What runs on the host and why, and how results are split, in program order."""
        found: list[str] = []
        for op in self.host.walk():
            if isinstance(op, HostOp):
                found.append(f"host: {op.reason.data}")
            elif isinstance(op, CallOp) and isinstance(choice := op.attributes.get(CHOICE), StringAttr):
                found.append(f"{op.callee.string_value()}: {choice.data}")
        return tuple(dict.fromkeys(found))

    def __call__(self, *arrays: Array, progress: Progress | None = None) -> Array | tuple[Array, ...]:
        """Run the host function; each call of a device function runs its program."""
        self._check_arrays(arrays)
        runs: list[dict[str, int]] = []

        def callee(program: Program) -> object:
            def run(inputs: Sequence[AnyArray]) -> Sequence[AnyArray]:
                found = program(*cast("Sequence[Array]", inputs), progress=progress)
                runs.append(program.stats)
                return found if isinstance(found, tuple) else (found,)

            return run

        callees = {name: callee(program) for name, program in self.devices.items()}
        outputs = evaluate_linalg(_host_function(self.host), arrays, callees)  # pyright: ignore[reportArgumentType]
        self._runs = runs
        self._last_inputs = tuple(array.copy() for array in arrays)
        typed = cast("tuple[Array, ...]", outputs)
        return typed[0] if len(typed) == 1 else typed

    @property
    def stats(self) -> dict[str, int]:
        """Counters and cycles of the last run, summed over the device programs that ran."""
        if not self._runs:
            raise ProgramError("stats are those of a run: call the program first")
        return {name: sum(run[name] for run in self._runs) for name in self._runs[0]}

    def disassemble(self) -> str:
        """The instructions of each device program, under its name when there are several."""
        if len(self.devices) == 1:
            return super().disassemble()
        return "".join(f"// {name}\n{program.disassemble()}\n" for name, program in self.devices.items())

    def memory_image(self, arrays: Sequence[Array] | None = None) -> Image:
        """The first device program's memory. Raises `ProgramError` for plain arrays: memory holds packed ones."""
        if arrays is not None:
            raise ProgramError("a memory image holds packed arrays: save the program with its inputs, or see .devices")
        return super().memory_image()

    def save(self, directory: str | Path, inputs: Sequence[Array] | None = None) -> None:
        """Save each device program, several in a directory each, and the host function as `host.mlir`.

        The memory images hold what the packed `inputs` are, else those of the last call.
        """
        from vtac.runtime.saved_host_program import save_host_program

        if inputs is not None:
            self(*inputs)
        save_host_program(self, Path(directory))


def _host_function(host: ModuleOp) -> FuncOp:
    return next(op for op in host.ops if isinstance(op, FuncOp) and op.body.blocks)


def _plain_buffers(function: FuncOp) -> tuple[Buffer, ...]:
    """Arguments, then results."""
    names = Names()
    returned = cast(ReturnOp, function.body.block.last_op)
    arguments = [_buffer(value, names, is_argument=True) for value in function.body.block.args]
    return (*arguments, *(_buffer(value, names, is_argument=False) for value in returned.operands))


def _buffer(value: SSAValue, names: Names, *, is_argument: bool) -> Buffer:
    dtype = cast(DType, str(dtype_of(element_type(value.type))))
    role = "input" if is_argument else "output"
    return Buffer(
        names.take(buffer_name(value)), role, dtype, shape_of_type(value.type), 0, is_argument, not is_argument
    )
