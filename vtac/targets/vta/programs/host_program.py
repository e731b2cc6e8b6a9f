"""Programs whose arguments are plain arrays: numpy packs, the VTA runs, numpy unpacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp

from vtac.analysis.ir.target import config_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing import HostOp
from vtac.dialects.packing.declared import SUMMARY, choices_of, layer_name
from vtac.dialects.schedule.script import ScriptOp
from vtac.errors import ProgramError
from vtac.evaluate.linalg import Callee, evaluate_linalg
from vtac.evaluate.numbers import Array as AnyArray
from vtac.lazily import text_by, written_by
from vtac.partition.host_work import operations_of
from vtac.targets.vta.isa import WORD_BYTES
from vtac.targets.vta.machine import COUNTER_NAMES, Progress
from vtac.targets.vta.programs.arrays import Array, fitted
from vtac.targets.vta.programs.call_work import work_at
from vtac.targets.vta.programs.device_call import DeviceCall
from vtac.targets.vta.programs.host_parts import idle_program, plain_buffers, with_declarations
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.saving import HOST_FILE, host_files, save
from vtac.targets.vta.programs.summary import Summary, work_line
from vtac.targets.vta.stream.layout import Buffer
from vtac.text.printing import op_text
from vtac.text.short import counted, signature

if TYPE_CHECKING:
    from vtac.devices.device import Device
    from vtac.devices.loading import LoadedHostProgram

_OF_ONE_STREAM = frozenset(
    {"instructions", "micro_ops", "buffers", "constants", "origins", "kernels", "memory_image", "read"}
)


class NotOneStreamError(ProgramError, AttributeError):
    """What only one stream has, asked of a program of several."""


@dataclass
class HostProgram:
    """A host function around device programs.

    `host` is the module with the host function; `devices` are the streams that it calls, by the
    name of the function that they are, in the order of their first calls. What only one stream
    has, such as its instructions, is in `devices`; where there is one, `stream` is that. `host_seconds` is the
    time that the host's own operations took in the last run. `source` is what was compiled and `scripts` how its device
    functions were scheduled, None and empty for a saved program.
    """

    host: ModuleOp
    devices: dict[str, Program]
    source: ModuleOp | None = field(default=None, repr=False, compare=False)
    scripts: Sequence[ScriptOp] = field(default=(), repr=False, compare=False)
    host_seconds: float = field(default=0.0, init=False)
    _runs: list[tuple[str, dict[str, int]]] | None = field(default=None, init=False, repr=False)

    def __str__(self) -> str:
        """What of it the VTA computes, in a line; then what it takes and gives, its streams, and for which hardware."""
        return f"{self.work_line}\n{self._line()}"

    def __repr__(self) -> str:
        return f"<HostProgram {self._line()}>"

    def _line(self) -> str:
        length = sum(len(device.instructions) for device in self.devices.values()) // WORD_BYTES
        streams = f"{counted(len(self.devices), 'stream')} of {counted(length, 'instruction')}"
        work = streams if self.devices else "all on the host"
        name = signature(self.host_function.sym_name.data, self.arguments, self.results)
        return f"{name}: {work}, {self.config.tiles}"

    _repr_html_ = text_by("vtac.report.notebook", "program_html")

    def report(self, path: str | Path | None = None) -> str:
        """Its report, one HTML page, also written to `path` if one is given; see `vtac.report`."""
        return written_by("vtac.report.page.document", "report")(self, path)

    def to(self, device: Device, timeout: float | None = None) -> LoadedHostProgram:
        """The program with its streams in the memory of a device; the host function stays here.

        `timeout` is in seconds, for each run of a stream. Raises `DeviceError` where the device cannot run one.
        """
        load: Callable[[HostProgram, Device, float | None], LoadedHostProgram]
        load = import_module("vtac.devices.loading").load
        return load(self, device, timeout)

    def keep_source(self, module: ModuleOp) -> None:
        """Remember what it was compiled from: a module with hardware and schedule settled."""
        self.source = module

    @cached_property
    def _plain(self) -> tuple[Buffer, ...]:
        return plain_buffers(self.host_function)

    @property
    def config(self) -> VTAConfig:
        """The configuration of all streams."""
        return config_of(self.host)

    @property
    def arguments(self) -> tuple[Buffer, ...]:
        """The plain arrays that a caller passes, in order."""
        return tuple(buffer for buffer in self._plain if buffer.is_argument)

    @property
    def results(self) -> tuple[Buffer, ...]:
        """The plain arrays that a call returns, in order."""
        return tuple(buffer for buffer in self._plain if buffer.is_result)

    @property
    def stream(self) -> Program:
        """The only stream; one that ends at once where the host does everything. Raises `ProgramError` for several."""
        if len(self.devices) > 1:
            raise ProgramError(
                f"the program has {len(self.devices)} streams ({', '.join(self.devices)}); what is asked for belongs "
                "to one: choose it from program.devices"
            )
        return next(iter(self.devices.values()), None) or idle_program(self.config)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """What only one stream has, of the stream of a program that has one."""
            if name not in _OF_ONE_STREAM:
                raise AttributeError(f"'HostProgram' has no attribute '{name}'")
            try:
                return getattr(self.stream, name)
            except ProgramError as error:
                raise NotOneStreamError(str(error)) from None

    @property
    def simulator_only(self) -> bool:
        """Whether a stream holds what the hardware does not decode."""
        return any(device.simulator_only for device in self.devices.values())

    @property
    def host_function(self) -> FuncOp:
        """What the host executes."""
        return next(op for op in self.host.ops if isinstance(op, FuncOp) and op.body.blocks)

    @property
    def calls(self) -> tuple[DeviceCall, ...]:
        """The calls of device programs, in program order."""
        ops = (op for op in self.host_function.walk() if isinstance(op, CallOp))
        return tuple(DeviceCall(op.callee.string_value(), layer_name(op), work_at(op)) for op in ops)

    @property
    def choices(self) -> tuple[str, ...]:
        """What runs on the host and why, and how results are split, in program order."""
        found: list[str] = []
        for op in self.host_function.walk():
            said = choices_of(op)
            found += [f"host: {op.reason.data}"] if isinstance(op, HostOp) and not said else said
        return tuple(dict.fromkeys(found))

    @property
    def summary(self) -> Summary:
        """How many contractions and multiplications the program has and the VTA computes; streams; host operations."""
        counts = SUMMARY.get(self.host_function) or {}
        segments = [op for op in self.host_function.walk() if isinstance(op, HostOp)]
        return {
            "contractions": counts.get("contractions", 0),
            "contractions_on_vta": counts.get("contractions_on_vta", 0),
            "macs": counts.get("macs", 0),
            "macs_on_vta": counts.get("macs_on_vta", 0),
            "streams": len(self.devices),
            "host_operations": [inner.name for op in segments for inner in operations_of(op)],
        }

    @property
    def work_line(self) -> str:
        """The summary in a line: `5 of 5 contractions (100 % of MACs) on the VTA, one stream`."""
        floats = (SUMMARY.get(self.host_function) or {}).get("float_contractions", 0)
        return work_line(self.summary, floats=floats)

    def __call__(self, *arrays: Array, progress: Progress | None = None) -> Array | tuple[Array, ...]:
        """Run the host function; each call of a device function runs its program."""
        runs: list[tuple[str, dict[str, int]]] = []

        def run(name: str, inputs: Sequence[Array]) -> Sequence[Array]:
            device = self.devices[name]
            found = device(*inputs, progress=progress)
            runs.append((name, device.counters))
            return found if isinstance(found, tuple) else (found,)

        outputs = self.run_host(arrays, run)
        self._runs = runs
        return outputs[0] if len(outputs) == 1 else outputs

    def run_host(
        self, arrays: Sequence[Array], run: Callable[[str, Sequence[Array]], Sequence[Array]]
    ) -> tuple[Array, ...]:
        """Execute the host function on plain arrays; `run` stands for the device program of a name.

        Raises `ProgramError` for arrays that do not fit.
        """
        given = fitted(self.arguments, arrays)
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
        outputs = evaluate_linalg(self.host_function, given, callees)
        self.host_seconds = perf_counter() - start - inside
        return cast("tuple[Array, ...]", outputs)

    @property
    def stats(self) -> dict[str, int]:
        """Counters and cycles of the last run, summed over the device programs that ran.

        Raises `ProgramError` before the first run.
        """
        if self._runs is None:
            raise ProgramError("stats are those of a run: call the program first")
        found = {**dict.fromkeys(COUNTER_NAMES, 0), "cycles": 0}
        for name, counters in self._runs:
            for counter, value in {**counters, "cycles": self.devices[name].cycles}.items():
                found[counter] = found.get(counter, 0) + value
        return found

    @property
    def cycles(self) -> int:
        """Cycles of the calls of device programs, one after the other; the host's own time has none."""
        return sum(self.devices[call.device].cycles for call in self.calls)

    def disassemble(self) -> str:
        """The instructions of each device program, under its name when there are several."""
        if len(self.devices) <= 1:
            return self.stream.disassemble()
        return "".join(f"// {name}\n{program.disassemble()}\n" for name, program in self.devices.items())

    def save(self, directory: str | Path, inputs: Sequence[Array] | None = None) -> None:
        """Write the device programs, several in a numbered folder each, and the host function as `host.mlir`.

        The memory images hold what the packed `inputs` are, else those of the last call. All is written, or
        nothing; a program in the directory is replaced, other files in it stay. Raises `ProgramError`.
        """
        if inputs is not None:
            self(*inputs)
        save(directory, self.files())

    def files(self, *, places: bool = False) -> dict[str, bytes]:
        """What `save` writes, by file name; with `places`, the host function says where in the source it came from."""
        host = f"{op_text(with_declarations(self.host), places=places)}\n".encode()
        if len(self.devices) > 1:
            parts = [(name, device.files()) for name, device in self.devices.items()]
            return host_files(host, self.config, parts)
        return self.stream.files(beside={HOST_FILE: host})
