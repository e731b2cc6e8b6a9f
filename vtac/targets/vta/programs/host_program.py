"""Programs whose arguments are plain arrays: numpy packs, the VTA runs, numpy unpacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import cast

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import SSAValue

from vtac.analysis.nest import buffer_name
from vtac.analysis.target import config_of
from vtac.dialects.packing import HostOp
from vtac.dialects.packing.declared import choices_of, layer_name
from vtac.errors import ProgramError
from vtac.evaluate import evaluate_linalg
from vtac.evaluate.buffers import element_type, shape_of_type
from vtac.evaluate.linalg import Callee
from vtac.evaluate.numbers import Array as AnyArray
from vtac.evaluate.numbers import dtype_of
from vtac.targets.vta.machine.counters import COUNTER_NAMES
from vtac.targets.vta.programs.program import Array, Image, Program, Progress
from vtac.targets.vta.stream.layout import FIRST_ADDRESS, Buffer, DType, Names
from vtac.targets.vta.stream.stream_builder import StreamBuilder


@dataclass(frozen=True, slots=True)
class DeviceCall:
    """A call of a device program by the host function, and the layer that it computes."""

    device: str
    layer: str


@dataclass
class HostProgram(Program):
    """A host function around device programs.

    The fields of `Program` are the first device program's; `devices` holds all of them in the
    order of their calls, by the name of the function that they are. `host` is the module with
    the host function; `plain` are its arguments and results. `host_seconds` is the time that the
    host's own operations took in the last run.
    """

    host: ModuleOp = field(default_factory=lambda: ModuleOp([]))
    devices: dict[str, Program] = field(default_factory=dict[str, Program])
    plain: tuple[Buffer, ...] = ()
    host_seconds: float = 0.0
    _runs: list[dict[str, int]] = field(default_factory=list[dict[str, int]], repr=False)

    @staticmethod
    def around(host: ModuleOp, devices: dict[str, Program]) -> HostProgram:
        """The program of a host module and the device programs that it calls, by function name.

        Where it calls none, the VTA's part is a stream that ends at once.
        """
        first = next(iter(devices.values()), None) or idle_program(host)
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

    def _idle_stats(self) -> dict[str, int]:
        return {**dict.fromkeys(COUNTER_NAMES, 0), "cycles": self.cycles}

    @property
    def host_function(self) -> FuncOp:
        """What the host executes."""
        return _host_function(self.host)

    @property
    def calls(self) -> tuple[DeviceCall, ...]:
        """The calls of device programs, in program order."""
        ops = (op for op in self.host_function.walk() if isinstance(op, CallOp))
        return tuple(DeviceCall(op.callee.string_value(), layer_name(op)) for op in ops)

    @property
    def choices(self) -> tuple[str, ...]:
        """What runs on the host and why, and how results are split, in program order."""
        found: list[str] = []
        for op in self.host_function.walk():
            if isinstance(op, HostOp):
                found.append(f"host: {op.reason.data}")
            found += choices_of(op)
        return tuple(dict.fromkeys(found))

    def __call__(self, *arrays: Array, progress: Progress | None = None) -> Array | tuple[Array, ...]:
        """Run the host function; each call of a device function runs its program."""
        runs: list[dict[str, int]] = []

        def run(name: str, inputs: Sequence[Array]) -> Sequence[Array]:
            device = self.devices[name]
            found = device(*inputs, progress=progress)
            runs.append(device.stats)
            return found if isinstance(found, tuple) else (found,)

        outputs = self.run_host(arrays, run)
        self._runs = runs or [self._idle_stats()]
        self._last_inputs = tuple(array.copy() for array in arrays)
        return outputs[0] if len(outputs) == 1 else outputs

    def run_host(
        self, arrays: Sequence[Array], run: Callable[[str, Sequence[Array]], Sequence[Array]]
    ) -> tuple[Array, ...]:
        """Execute the host function on plain arrays; `run` stands for the device program of a name.

        Raises `ProgramError` for arrays that do not fit.
        """
        self._check_arrays(arrays)
        start = perf_counter()
        inside = 0.0

        def callee(name: str) -> Callee:
            def call(inputs: Sequence[AnyArray]) -> Sequence[AnyArray]:
                nonlocal inside
                begin = perf_counter()
                outputs = run(name, cast("Sequence[Array]", inputs))
                inside += perf_counter() - begin
                return outputs

            return call

        callees = {name: callee(name) for name in self.devices}
        outputs = evaluate_linalg(self.host_function, arrays, callees)
        self.host_seconds = perf_counter() - start - inside
        return cast("tuple[Array, ...]", outputs)

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
        from vtac.targets.vta.programs.saved_host_program import save_host_program

        if inputs is not None:
            self(*inputs)
        save_host_program(self, Path(directory))


def idle_program(host: ModuleOp) -> Program:
    """What the VTA runs beside a host function that does everything: a stream that ends at once."""
    stream = StreamBuilder(config_of(host), FIRST_ADDRESS, 0)
    stream.finish_dataflow(0)
    micro_ops = Buffer("micro_ops", "uop", "uint32", (0,), FIRST_ADDRESS)
    return Program(stream.config, stream.instructions(), b"", (micro_ops,))


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
