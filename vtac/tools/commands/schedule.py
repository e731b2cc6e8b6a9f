"""`vtac schedule`: the script that a program without one gets, to read, edit and give back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vtac.dialects.wmma.declared import INSTRUCTION_NAMES, INSTRUCTIONS, Instructions
from vtac.targets.registry import target_names
from vtac.targets.target import Target
from vtac.tools.commands.compile_program import add_function_argument
from vtac.tools.commands.programs import parse_program
from vtac.tools.commands.target_options import hardware_of, target_of
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import write_text
from vtac.tools.output_paths import require_outputs

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

_EXAMPLE = """example:
  vtac schedule layer.mlir -o layer_schedule.mlir
  vtac run layer.mlir --schedule layer_schedule.mlir
  vtac schedule layer.mlir --target cuda --arch sm_90 --instructions mma.sync
"""


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    target: str | None = None
    config: str | None = None
    arch: str | None = None
    output: str | None = None
    function: str | None = None
    instructions: Instructions | None = None


def main(arguments: Sequence[str]) -> int:
    """Prints one script per function that runs on the target.

    Raises `UsageError` for instructions that the architecture lacks, other `VtacError`s for what has no schedule.
    """
    parser = ToolParser("vtac schedule", "Prints the default schedule of a program.", _EXAMPLE)
    parser.add_argument("source", metavar="FILE", help="MLIR text; a script in it is left aside")
    parser.add_argument("--target", choices=target_names(), help="machine to schedule for (default vta)")
    parser.add_argument("--config", metavar="FILE", help="vta_config.json; default: the module's, else the default")
    parser.add_argument("--arch", metavar="sm_NN", help="GPU architecture to choose tiles for")
    parser.add_argument(
        "--instructions",
        choices=INSTRUCTION_NAMES,
        help="what tensor cores multiply with: fragments of WMMA (default), mma.sync on swizzled shared memory (sm_80 "
        "and later), wgmma (sm_90a only), either of these with operands in bulk copies (tma, sm_90 and later), or the "
        "one whose estimated time is least",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="output file; default stdout")
    add_function_argument(parser)
    options = Options()
    parser.parse(arguments, options)
    require_outputs([("-o", options.output)], [options.source, options.config])
    target = target_of(options)
    scripts = _scripts(options, target)
    write_text("".join(scripts), options.output)
    if not scripts:
        print(f"note: nothing of {options.source} runs on the {target.title}: it needs no schedule", file=sys.stderr)
    return 0


def _scripts(options: Options, target: Target) -> list[str]:
    from vtac.preparation import drop_scripts, prepare

    module = prepare(parse_program(options.source, options.function), target, hardware_of(options, target))
    drop_scripts(module)
    if options.instructions is not None:
        _check_instructions(options.instructions, module)
        INSTRUCTIONS.set(module, options.instructions)
    return [str(schedule) for schedule in target.schedules(module)]


def _check_instructions(instructions: Instructions, module: ModuleOp) -> None:
    """Raises `UsageError` for instructions that the module's architecture does not have."""
    from vtac.analysis.ir.gpu_architecture import architecture_of
    from vtac.targets.cuda.schedules.instructions import what_is_missing

    architecture = architecture_of(module)
    missing = what_is_missing(instructions, architecture)
    if missing and architecture is None:
        of = "sm_90a alone has" if instructions == "wgmma" else "sm_90 and later have"
        given = "sm_90a" if instructions == "wgmma" else "sm_90"
        raise UsageError(
            f"--instructions {instructions}: {of} it, and the program is for no architecture: add --arch {given}"
        )
    if missing:
        raise UsageError(f"--instructions {instructions}: {missing}")
