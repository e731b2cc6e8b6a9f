"""`vtac export`: the sources of a CUDA program, with a launcher, which need neither Python nor vtac."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from vtac.targets.registry import target_names
from vtac.tools.commands.compile_program import add_function_argument, add_measurements_argument
from vtac.tools.commands.programs import compile_cuda_file, is_cuda_program
from vtac.tools.commands.target_options import saved_target, target_of
from vtac.tools.entry import ToolParser, UsageError

_EXAMPLE = """example:
  vtac export encoder.mlir --arch sm_90 -o encoder --data
  make -C encoder && (cd encoder && ./run)
"""


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    output: str
    target: str | None = None
    arch: str | None = None
    measurements: str | None = None
    config: str | None = None
    schedule: str | None = None
    function: str | None = None
    data: bool = False


def main(arguments: Sequence[str]) -> int:
    """Writes the sources into a directory and lists them.

    Raises `UsageError` for a target without sources, other `VtacError`s for what does not compile.
    """
    parser = ToolParser("vtac export", "Writes a CUDA program as C++ sources, to compile with nvcc.", _EXAMPLE)
    parser.add_argument("source", metavar="FILE", help="MLIR text, or the directory of a saved program")
    parser.add_argument(
        "--target", choices=target_names(), help="machine to compile for (default cuda; others have no sources)"
    )
    parser.add_argument("--arch", metavar="sm_NN", help="GPU architecture to choose tiles for")
    add_measurements_argument(parser)
    parser.add_argument("--schedule", metavar="FILE", help="schedule script in a file of its own")
    parser.add_argument("--data", action="store_true", help="write arguments and what numpy makes of them, to compare")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="directory to write")
    add_function_argument(parser)
    options = Options()
    parser.parse(arguments, options)
    if options.target is None and saved_target(options.source) is None:
        options.target = "cuda"
    target = target_of(options)
    if target.name != "cuda":
        raise UsageError(f"programs for {target.title} have no sources to export; those for CUDA have")
    return _export(options)


def _export(options: Options) -> int:
    from vtac.loading import load_program
    from vtac.targets.cuda.export.exporting import export_program, kept_data

    if is_cuda_program(options.source):
        if any((options.arch, options.schedule, options.measurements)):
            raise UsageError(
                f"'{options.source}' is a saved program: --arch, --schedule and --measurements are for program files"
            )
        program = load_program(options.source, "cuda")
    else:
        program = compile_cuda_file(
            options.source, options.arch, options.schedule, options.function, options.measurements
        )
    files = export_program(program, options.output, data=options.data)
    print(f"{options.output}: {', '.join(files)}")
    kept = kept_data(program, options.output, files)
    if kept:
        print(
            f"{options.output}: run also reads {', '.join(kept)}, not written now and kept, as {options.output}/data "
            "holds files that are not vtac's: move that folder away for random arguments",
            file=sys.stderr,
        )
    return 0
