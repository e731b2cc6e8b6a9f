"""`vtac stats`: what a program of any target consists of and costs, without running it."""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from vtac.targets.registry import target_names
from vtac.targets.target import Target, TargetProgram
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.tools.commands.compile_program import add_cache_argument, add_function_argument
from vtac.tools.commands.programs import compile_for
from vtac.tools.commands.target_options import hardware_of, saved_target, target_of
from vtac.tools.entry import ToolParser
from vtac.tools.output import report

if TYPE_CHECKING:
    from vtac.targets.cuda.program import CudaProgram

_EXAMPLE = """example:
  vtac stats examples/vta_conv2d.mlir
  vtac stats build/conv2d --json
"""
_CALLS = re.compile(r"\b(__syncthreads|__pipeline_\w+|load_matrix_sync|mma_sync|store_matrix_sync|fill_fragment)\(")


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    target: str | None = None
    config: str | None = None
    arch: str | None = None
    schedule: str | None = None
    function: str | None = None
    no_cache: bool = False
    as_json: bool = False


def main(arguments: Sequence[str]) -> int:
    """Prints a table, or one object. Raises `VtacError` for what cannot be loaded or compiled."""
    parser = ToolParser("vtac stats", "Says what a program consists of and costs, without running it.", _EXAMPLE)
    parser.add_argument("source", metavar="FILE|DIR", help="MLIR text, or a saved program of any target")
    parser.add_argument("--target", choices=target_names(), help="machine to compile for (default vta)")
    parser.add_argument("--arch", metavar="sm_NN", help="GPU architecture to check a CUDA program against")
    parser.add_argument("--config", metavar="FILE", help="vta_config.json; default: the module's, else the default")
    parser.add_argument("--schedule", metavar="FILE", help="schedule script in a file of its own")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print one object instead")
    add_function_argument(parser)
    add_cache_argument(parser)
    options = Options()
    parser.parse(arguments, options)
    target = target_of(options)
    program = _program(options, target)
    found = _statistics(program, target)
    report(json.dumps(found) + "\n" if options.as_json else _table(str(program), found))
    return 0


def _program(options: Options, target: Target) -> TargetProgram:
    if saved_target(options.source) is not None:
        return target.load(Path(options.source))
    hardware, kept = hardware_of(options, target), not options.no_cache
    return compile_for(target, options.source, hardware, options.schedule, options.function, cache=kept)


def _statistics(program: TargetProgram, target: Target) -> dict[str, object]:
    if target.name == "vta":
        return _of_streams(cast(VtaProgram, program))
    if target.name == "cuda":
        from vtac.targets.cuda.program import CudaProgram

        if isinstance(program, CudaProgram):
            return _of_kernel(program)
    sizes = {one.name: list(one.shape) for one in (*program.arguments, *program.results)}
    return {"arguments and results": sizes}


def _of_streams(program: VtaProgram) -> dict[str, object]:
    from vtac.targets.vta.isa import decode
    from vtac.targets.vta.programs.layer_report import layer_reports, simulate_streams

    simulated = simulate_streams(program)
    reports = layer_reports(program, simulated) if simulated else []
    kinds = Counter(
        type(one).__name__.lower()
        for stream in program.devices.values()
        for one in decode(stream.instructions, stream.config)
    )
    counters: Counter[str] = Counter()
    for layer in reports:
        counters.update(layer.counters)
    return {
        "streams": len(program.devices),
        "cycles": sum(layer.cycles for layer in reports),
        "instructions": kinds.total(),
        **{f"{kind} instructions": count for kind, count in sorted(kinds.items())},
        "micro-ops": sum(len(stream.micro_ops) // 4 for stream in program.devices.values()),
        **counters,
        "layers": {layer.title: layer.cycles for layer in reports},
    }


def _of_kernel(program: CudaProgram) -> dict[str, object]:
    launch = program.launch
    return {
        "blocks": launch.blocks,
        "threads per block": launch.threads,
        "dynamic shared bytes": launch.shared_bytes,
        "lines of text": len(program.text.splitlines()),
        **{f"{call} in the text": count for call, count in sorted(Counter(_CALLS.findall(program.text)).items())},
        "parameters": {one.name: one.nbytes for one in launch.parameters},
    }


def _table(title: str, found: Mapping[str, object]) -> str:
    lines = [title]
    for name, value in found.items():
        if isinstance(value, int):
            lines.append(f"  {name:<32} {value:>14,}")
            continue
        unit = {"layers": " (cycles)", "parameters": " (bytes)"}.get(name, "")
        lines.append(f"  {name}{unit}")
        if isinstance(value, dict):
            lines += [f"    {key!s:<30} {_number(one):>14}" for key, one in value.items()]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return "\n".join(lines) + "\n"


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
