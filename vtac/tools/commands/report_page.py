"""`vtac report`: a program as one HTML page."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from vtac.files.reading import RECORD_BYTES, like_missing, read_regular
from vtac.targets.registry import target_names
from vtac.targets.target import Target
from vtac.tools.commands.compile_program import (
    add_cache_argument,
    add_function_argument,
    add_measurements_argument,
)
from vtac.tools.commands.programs import compile_cuda_file, compile_file, compile_for
from vtac.tools.commands.target_options import hardware_of, saved_target, target_of
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import write_text
from vtac.tools.output_paths import require_outputs

_EXAMPLE = """example:
  vtac report examples/vta_conv2d.mlir -o conv2d.html
  vtac report build/conv2d -o conv2d.html
  vtac report lenet.mlir --quantisation lenet.json -o lenet.html

A saved program has neither levels of IR nor steps of its schedule: give the file for those.
"""


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    output: str | None = None
    target: str | None = None
    config: str | None = None
    arch: str | None = None
    measurements: str | None = None
    schedule: str | None = None
    function: str | None = None
    no_cache: bool = False
    quantisation: str | None = None


def main(arguments: Sequence[str]) -> int:
    """Compiles or loads a program, and writes its report.

    Raises `UsageError` for files that cannot be read or written, other `VtacError`s for what does not compile.
    """
    parser = ToolParser("vtac report", "Writes a report on a program: one HTML page that needs no network.", _EXAMPLE)
    parser.add_argument("source", metavar="FILE|DIR", help="MLIR text, or a saved program")
    parser.add_argument("-o", "--output", metavar="FILE.html", help="the page; - is stdout")
    parser.add_argument("--target", choices=target_names(), help="machine to compile for (default vta)")
    parser.add_argument("--arch", metavar="sm_NN", help="GPU architecture to check a CUDA program against")
    add_measurements_argument(parser)
    parser.add_argument("--config", metavar="FILE", help="vta_config.json; default: the module's, else the default")
    parser.add_argument("--schedule", metavar="FILE", help="schedule script in a file of its own")
    parser.add_argument("--quantisation", metavar="R.json", help="the report that vtac quantize --report R.json wrote")
    add_function_argument(parser)
    add_cache_argument(parser)
    options = Options()
    parser.parse(arguments, options)
    if options.output is None:
        raise UsageError("the file for the page is missing: add -o FILE.html")
    from vtac.report.page.document import report, require_extra

    require_extra()
    quantisation = None if options.quantisation is None else _record(options.quantisation)
    require_outputs([("-o", options.output)], [options.source, options.config, options.schedule, options.quantisation])
    page = report(_program(options, target_of(options)), quantisation=quantisation)
    write_text(page, options.output)
    if options.output != "-":
        print(f"{options.output}: {len(page.encode()) // 1000:,} kB; open it in a browser", file=sys.stderr)
    return 0


def _record(path: str) -> dict[str, object]:
    try:
        found: object = json.loads(read_regular(Path(path), RECORD_BYTES))
    except OSError as error:
        raise UsageError(f"cannot read '{path}': {error.strerror or error}{like_missing(path, error)}") from None
    except ValueError as error:
        raise UsageError(f"'{path}' is no JSON: {error}; give what vtac quantize --report R.json wrote") from None
    if not isinstance(found, dict) or not isinstance(cast("dict[str, object]", found).get("layers"), list):
        what = (
            "holds no object" if not isinstance(found, dict) else "is no report of a quantised model: no 'layers' in it"
        )
        raise UsageError(f"'{path}' {what}; give what vtac quantize --report R.json wrote")
    return cast("dict[str, object]", found)


def _program(options: Options, target: Target) -> object:
    if saved_target(options.source) is not None:
        given = {
            "--config": options.config,
            "--schedule": options.schedule,
            "--function": options.function,
            "--measurements": options.measurements,
        }
        names = [name for name, value in given.items() if value is not None]
        if names:
            verb = "is" if len(names) == 1 else "are"
            raise UsageError(f"'{options.source}' is a saved program: {' and '.join(names)} {verb} for program files")
        return target.load(Path(options.source))
    if target.name == "vta":
        return compile_file(
            options.source,
            options.config,
            options.schedule,
            function=options.function,
            cache=not options.no_cache,
            shows_progress=sys.stderr.isatty(),
        )
    if target.name == "cuda":
        return compile_cuda_file(options.source, options.arch, options.schedule, options.function, options.measurements)
    hardware, kept = hardware_of(options, target), not options.no_cache
    return compile_for(target, options.source, hardware, options.schedule, options.function, cache=kept)
