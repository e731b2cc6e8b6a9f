"""`vtac quantize`: a trained model and calibration data to integer linalg, with a report on what that cost."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ModelError
from vtac.models.model import Model
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.progress import Bar
from vtac.tools.commands.arrays import ArchiveError, read_all
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import report, write_file

_EXAMPLE = """example:
  vtac quantize net.onnx --calibration images.npz --report net.html -o net.mlir
  vtac run net.mlir

The archive holds an array for each input, by its name or alone; its first dimension counts samples. With --labels the
report says how often the model is right on them.
"""


class Options(argparse.Namespace):
    """The options, typed."""

    model: str
    calibration: str | None = None
    labels: str | None = None
    report: list[str]
    output: str | None = None
    config: str | None = None
    allow_host: bool = False
    keep_float: list[str]
    json: bool = False


def main(arguments: Sequence[str]) -> int:
    """Quantises, writes what was asked for, and prints the report."""
    options = _parse(arguments)
    calibration, output = options.calibration, options.output
    if calibration is None or output is None:
        missing = "--calibration X.npz" if calibration is None else "-o OUT.mlir"
        raise UsageError(f"{missing} is missing; run 'vtac quantize --help' for the options")
    _check_files(options)
    model = read_model(options.model)
    samples = _samples(calibration, model)
    labels = None if options.labels is None else _labels(options.labels)
    config = None if options.config is None else VTAConfig.from_json(options.config)
    bar = Bar()
    try:
        quantised = model.quantize(
            [samples], allow_host=options.allow_host, keep_float=options.keep_float, progress=bar
        )
    finally:
        bar.close()
    quantised.compile(config)
    found = quantised.report(samples, labels)
    for path in options.report:
        is_page = Path(path).suffix.lower() == ".html"
        write_file((found.to_html() if is_page else f"{json.dumps(found.to_json(), indent=2)}\n").encode(), path)
    write_file(program_text(quantised).encode(), output)
    report(f"{json.dumps(found.to_json(), indent=2)}\n" if options.json else str(found))
    print(f"{output}: run it with 'vtac run {output}'", file=sys.stderr)
    return 0


def read_model(path: str) -> Model:
    """A model, by the ending of its file's name. Raises `VtacError`."""
    suffix = Path(path).suffix.lower()
    if suffix == ".onnx":
        from vtac.models.onnx_reader.reader import from_onnx

        return from_onnx(path)
    if suffix == ".pt2":
        from vtac.models.torch_reader.reader import from_exported_file

        return from_exported_file(path)
    raise UsageError(f"'{path}' is no model that can be read: its name has to end in .onnx or .pt2")


def program_text(quantised: QuantisedModel) -> str:
    """The integer program, behind comments that say what its integers stand for."""
    from xdsl.printer import Printer

    lines = [f"// {quantised.graph.name}, quantised; see 'vtac quantize --help'"]
    for given in quantised.graph.inputs:
        tensor, scale = quantised.tensors[given.name].name, quantised.scales.get(given.name)
        meaning = f"clip(floor({given.name} / {scale.size:g} + 0.5) + {scale.zero}, -128, 127)" if scale else given.name
        lines.append(f"// input %{tensor}: {meaning}")
    for name in quantised.graph.outputs:
        if name in quantised.sums:
            sizes = ", ".join(f"{size:.9g}" for size in quantised.sums[name].tolist())
            lines.append(f"// result {name}: times, by feature, {sizes}")
        elif name not in quantised.scales:
            lines.append(f"// result {name}: floats")
        else:
            one = quantised.scales[name]
            lines.append(f"// result {name}: (value - {one.zero}) * {one.size:g}")
    text = StringIO()
    Printer(text).print_op(quantised.module)
    return "\n".join([*lines, text.getvalue(), ""])


def _parse(arguments: Sequence[str]) -> Options:
    parser = ToolParser("vtac quantize", "Quantises a trained model for the VTA.", _EXAMPLE)
    add = parser.add_argument
    add("model", metavar="MODEL", help="MODEL.onnx, of floats, or MODEL.pt2, from torch.export.save")
    add("--calibration", metavar="X.npz", help="data that the model is used for; scales are chosen on them")
    add("--labels", metavar="L.npy", help="the right choice for each sample: the report says how often it is made")
    add("--report", metavar="FILE", action="append", default=[], help="write the report, as .html or .json")
    add("--allow-host", action="store_true", help="let the host compute layers that the VTA cannot, in float32")
    add("--keep-float", metavar="LAYER", action="append", default=[], help="a layer that the host computes in any case")
    add("--config", metavar="FILE", help="vta_config.json for the cycles in the report; default: the default's")
    add("-o", "--output", metavar="OUT.mlir", help="write the program, for vtac run")
    add("--json", action="store_true", help="print the report as JSON")
    options = Options()
    parser.parse(arguments, options)
    return options


def _check_files(options: Options) -> None:
    """Raises `UsageError` for files that cannot be written, before anything runs."""
    for path in options.report:
        if Path(path).suffix.lower() not in (".html", ".json"):
            raise UsageError(f"--report {path} cannot be written: its name must end in .html or .json")
    for path in (options.output, *options.report):
        if path is not None and not Path(path).parent.is_dir():
            raise UsageError(f"cannot write {path}: there is no directory '{Path(path).parent}'")


def _samples(path: str, model: Model) -> tuple[NDArray[np.generic], ...]:
    """An array for each input of the model: by name, or in order where names differ."""
    arrays = read_all(path)
    names = [given.name for given in model.inputs]
    if all(name in arrays for name in names):
        return tuple(arrays[name] for name in names)
    if len(arrays) != len(names):
        raise ArchiveError(f"'{path}' holds {', '.join(arrays) or 'nothing'}; expected the inputs {', '.join(names)}")
    return tuple(arrays.values())


def _labels(path: str) -> NDArray[np.generic]:
    try:
        found: object = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ArchiveError(f"cannot read '{path}': {error}") from None
    if not isinstance(found, np.ndarray):
        raise ModelError(f"'{path}' is an archive; one array of integers, as numpy.save writes it, is required")
    return cast("NDArray[np.generic]", found)
