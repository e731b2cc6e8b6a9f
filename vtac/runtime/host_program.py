"""Programs whose arguments are plain arrays: numpy packs, the VTA runs, numpy unpacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import cast

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.printer import Printer

from vtac.dialects.packing import HostOp
from vtac.evaluate import evaluate_linalg
from vtac.evaluate.numbers import Array as AnyArray
from vtac.passes.packing.layers import CHOICE
from vtac.runtime.errors import ProgramError
from vtac.runtime.layout import Buffer
from vtac.runtime.program import Array, Program, Progress


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
    def around(host: ModuleOp, devices: dict[str, Program], plain: Sequence[Buffer]) -> HostProgram:
        """The program of a host module and the device programs that it calls."""
        first = next(iter(devices.values()))
        return HostProgram(
            first.config,
            first.instructions,
            first.micro_ops,
            first.buffers,
            first.constants,
            first.origins,
            host=host,
            devices=devices,
            plain=tuple(plain),
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
        outputs = evaluate_linalg(self._function(), arrays, callees)  # pyright: ignore[reportArgumentType]
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

    def save(self, directory: str | Path, inputs: Sequence[Array] | None = None) -> None:
        """Save each device program, several in a directory each, and the host function as `host.mlir`.

        The memory images hold what the packed `inputs` are, else those of the last call.
        """
        folder = Path(directory)
        if inputs is not None:
            self(*inputs)
        for name, program in self.devices.items():
            program.save(folder if len(self.devices) == 1 else folder / name)
        folder.mkdir(parents=True, exist_ok=True)
        text = StringIO()
        Printer(text).print_op(self.host)
        (folder / "host.mlir").write_text(f"{text.getvalue()}\n", encoding="utf-8")

    def _function(self) -> FuncOp:
        return next(op for op in self.host.ops if isinstance(op, FuncOp) and op.body.blocks)
