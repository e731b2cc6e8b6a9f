"""`vtac run` of a VTA program: what came out, what it cost, and whether it is what the input program computes."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vtac.progress import Bar
from vtac.targets.vta.cycles import summary_table
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.tools.commands.arrays import random_arrays, read_arrays, write_arrays
from vtac.tools.commands.compile_program import compile_vta, refuse_jobs, refuse_schedules
from vtac.tools.commands.programs import load_program
from vtac.tools.entry import UsageError
from vtac.tools.output import report, write_file

if TYPE_CHECKING:
    from vtac.tools.commands.run import Options


@dataclass(frozen=True)
class _Outcome:
    """Results by name and counters; of a run on a device its URL, and the seconds that the run took there."""

    outputs: dict[str, Array]
    stats: dict[str, int]
    device: str | None = None
    seconds: float = 0.0


def run_vta(options: Options) -> int:
    """Runs the program once; results go to stdout and to the files that were asked for."""
    program = _program(options)
    if options.inputs is not None:
        inputs = read_arrays(options.inputs, program.arguments)
    else:
        inputs = random_arrays(program.arguments, options.seed, options.low, options.high)
    url = _traced_url(options, program)
    outcome = _execute_on(url, program, inputs) if url else _execute(program, inputs, shows_progress=options.progress)
    _write_files(options, program, inputs, outcome)
    if options.json:
        report(json.dumps(_fields(program, outcome)) + "\n")
    else:
        _report_tables(options, program, outcome)
    if options.check:
        from vtac.tools.commands.comparing import compared  # it needs the evaluator, which a saved program runs without

        line = compared(options.source, options.function, inputs, outcome.outputs)
        print(line, end="", file=sys.stderr if options.json else sys.stdout)
    return 0


def _program(options: Options) -> VtaProgram:
    if not Path(options.source).is_dir():
        return compile_vta(options, shows_progress=options.progress or sys.stderr.isatty())
    refuse_schedules(options.schedules, "a saved program")
    refuse_jobs(options.jobs, "a saved program")
    if options.config is not None or options.schedule is not None or options.acc_8bit or options.check:
        raise UsageError(
            f"'{options.source}' is a saved program: --config, --schedule, --acc-8bit and --check are for program files"
            "; vtac check proves its streams"
        )
    return load_program(options.source)


def _execute(program: VtaProgram, inputs: Sequence[Array], *, shows_progress: bool) -> _Outcome:
    """Runs the program here."""
    bar = Bar(always=True) if shows_progress else None
    returned = program(*inputs, progress=None if bar is None else partial(bar, "instructions"))
    if bar is not None:
        bar.close()
    return _Outcome(_named(program, returned), program.stats)


def _traced_url(options: Options, program: VtaProgram) -> str | None:
    """The device, with the waveform that it is to write. Raises `UsageError` for one that writes none."""
    url = options.device or os.environ.get("VTAC_DEVICE")
    if options.vcd is None:
        return url
    if url is None or not url.startswith(("rtl:", "pipe:rtl:")):
        raise UsageError(f"--vcd {options.vcd}: waveforms are of a design's Verilog; name it with --device rtl:DIR")
    if len(program.devices) != 1:
        raise UsageError(f"--vcd {options.vcd}: the program has {len(program.devices)} streams; it is for one of one")
    from vtac.devices.rtl.surroundings import Window

    window = Window(Path(options.vcd), options.first or 0, options.last)
    return f"{url}{'&' if '?' in url else '?'}{window.query()}"


def _execute_on(url: str, program: VtaProgram, inputs: Sequence[Array]) -> _Outcome:
    """Runs the program on a device."""
    from vtac.devices import open as open_device

    with open_device(url, fitting=program) as device:
        loaded = program.to(device)
        returned = loaded(*inputs)
        return _Outcome(_named(program, returned), loaded.counters, url, loaded.seconds)


def _named(program: VtaProgram, returned: Array | tuple[Array, ...]) -> dict[str, Array]:
    """The results by name."""
    arrays = returned if isinstance(returned, tuple) else (returned,)
    return {result.name: array for result, array in zip(program.results, arrays, strict=True)}


def _write_files(options: Options, program: VtaProgram, inputs: Sequence[Array], outcome: _Outcome) -> None:
    """Writes every file that was asked for, before anything is printed: a closed pipe loses none."""
    if options.outputs is not None:
        write_arrays(options.outputs, outcome.outputs)
    if options.stats not in (None, "-"):
        write_file(_stats_text(outcome).encode(), options.stats)
    if options.dump is not None:
        program.save(Path(options.dump), inputs)
    if options.trace is not None:
        from vtac.report.trace import write_program_trace

        write_program_trace(program, options.trace)
    if options.timeline is not None:
        from vtac.report.timeline import write_program_timeline

        write_program_timeline(program, options.timeline, (options.first, options.last))


def _stats_text(outcome: _Outcome) -> str:
    return f"{json.dumps(outcome.stats, indent=2)}\n"


def _report_tables(options: Options, program: VtaProgram, outcome: _Outcome) -> None:
    details = _cycle_tables(program) if outcome.device is None else f"\non {outcome.device}: {outcome.seconds:.6f} s\n"
    summary = f"{_table(outcome.stats, outcome.outputs)}\n{details}"
    if options.stats == "-":
        report(_stats_text(outcome))
        print(summary, end="", file=sys.stderr)
    else:
        report(summary)


def _fields(program: VtaProgram, outcome: _Outcome) -> dict[str, object]:
    """What the tables say, for programs."""
    from vtac.targets.vta.programs.layer_report import layer_reports

    return {
        "summary": program.summary,
        "choices": list(program.choices),
        "stats": outcome.stats,
        **({} if outcome.device is None else {"device": outcome.device, "seconds": outcome.seconds}),
        "layers": [
            {
                "name": layer.name,
                "layers": list(layer.layers),
                "cycles": layer.cycles,
                "bound": layer.bound,
                "dram_bytes": layer.dram_bytes,
                "instructions": layer.instructions,
                **layer.counters,
            }
            for layer in layer_reports(program)
        ],
        "results": [
            {"name": name, "dtype": str(array.dtype), "shape": list(array.shape), "sha256": _digest(array)}
            for name, array in outcome.outputs.items()
        ],
    }


def _cycle_tables(program: VtaProgram) -> str:
    """Where the cycles went, layer by layer and stream by stream."""
    from vtac.targets.vta.programs.layer_report import layer_reports, layer_table, simulate_streams

    simulated = simulate_streams(program)
    tables: list[str] = []
    if any(device.kernels for device in program.devices.values()):
        tables.append(layer_table(layer_reports(program, simulated)))
    for name, run in simulated.items():
        title = f"{name}:\n" if len(simulated) > 1 else ""
        tables.append(f"{title}{summary_table(run)}")
    return "".join(f"\n{table}" for table in tables)


def _table(stats: Mapping[str, int], outputs: Mapping[str, Array]) -> str:
    """The counters, then for each output its dtype, shape and the first half of its SHA-256."""
    width = max(len(name) for name in [*stats, *outputs])
    lines = [f"{name:<{width}}  {value:>12,}" for name, value in stats.items()]
    for name, array in outputs.items():
        shape = "x".join(str(extent) for extent in array.shape) or "scalar"
        lines.append(f"{name:<{width}}  {array.dtype} {shape}  sha256 {_digest(array)[:32]}")
    return "\n".join(lines)


def _digest(array: Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
