"""`vtac quantize`: a trained model and calibration data to integer linalg, with a report on what that cost."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ModelError
from vtac.models.model import Model
from vtac.models.quantiser.options import Exponents, Mantissas, Rounding, WeightRounding, ZeroPoints
from vtac.models.quantiser.options import Options as Quantisation
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.progress import Bar
from vtac.tools.commands.arrays import ArchiveError, read_all
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import report, write_file
from vtac.tools.output_paths import require_outputs

_DEFAULTS = Quantisation()
_USAGE = "vtac quantize MODEL.onnx|MODEL.pt2 --calibration X.npz -o OUT.mlir [options]"
_EXAMPLE = """example:
  vtac quantize net.onnx --calibration images.npz --report net.html -o net.mlir
  vtac run net.mlir
  vtac quantize net.onnx --calibration images.npy --exponents mixed --allow-host --keep-float head.softmax -o net.mlir
  vtac quantize detector.onnx --shape image=1x3x320x320 --calibration images.npz -o detector.mlir

The archive holds an array for each input, by its name or alone; its first dimension counts samples. A single array, as
numpy.save writes it, is that of the only input. A model that is quantised already keeps its scales; the data are for
the report. With --labels the report says how often the model is right on the samples. The defaults are what measured
best: docs/models.md.
"""


class Options(argparse.Namespace):
    """The options, typed."""

    model: str
    calibration: str | None = None
    labels: str | None = None
    report: list[str]
    output: str | None = None
    config: str | None = None
    allow_host: bool = _DEFAULTS.allow_host
    keep_float: list[str]
    zero_points: ZeroPoints = _DEFAULTS.zero_points
    exponents: Exponents = _DEFAULTS.exponents
    rounding: Rounding = _DEFAULTS.rounding
    weights: WeightRounding = _DEFAULTS.weights
    mantissas: Mantissas = _DEFAULTS.mantissas
    correct_bias: bool = _DEFAULTS.correct_bias
    per_feature: bool = _DEFAULTS.per_feature
    equalise: bool = _DEFAULTS.equalise
    batch: int | None = None
    shape: list[str]
    json: bool = False
    no_cache: bool = False


def main(arguments: Sequence[str]) -> int:
    """Quantises, writes what was asked for, and prints the report.

    Raises `UsageError` for options that are missing or wrong, other `VtacError`s for what cannot be read or quantised.
    """
    options = _parse(arguments)
    calibration, output = options.calibration, options.output
    if calibration is None or output is None:
        missing = "--calibration X.npz" if calibration is None else "-o OUT.mlir"
        raise UsageError(f"{missing} is missing: {_USAGE}; run 'vtac quantize --help' for the options")
    _check_files(options)
    model = read_model(options.model, options.batch, _shapes(options.shape))
    samples = _samples(calibration, model)
    labels = None if options.labels is None else _labels(options.labels)
    config = None if options.config is None else VTAConfig.from_json(options.config)
    bar = Bar()
    try:
        quantised = _quantised(model, samples, options, bar)
    finally:
        bar.close()
    quantised.compile(config, cache=not options.no_cache)
    found = quantised.report(samples, labels)
    for path in options.report:
        is_page = Path(path).suffix.lower() == ".html"
        write_file((found.to_html() if is_page else f"{json.dumps(found.to_json(), indent=2)}\n").encode(), path)
    write_file(program_text(quantised).encode(), output)
    report(f"{json.dumps(found.to_json(), indent=2)}\n" if options.json else str(found))
    print(f"{output}: run it with 'vtac run {output}'", file=sys.stderr)
    return 0


def _quantised(model: Model, samples: tuple[NDArray[np.generic], ...], options: Options, bar: Bar) -> QuantisedModel:
    return model.quantize(
        [samples],
        zero_points=options.zero_points,
        exponents=options.exponents,
        rounding=options.rounding,
        weights=options.weights,
        correct_bias=options.correct_bias,
        per_feature=options.per_feature,
        mantissas=options.mantissas,
        equalise=options.equalise,
        allow_host=options.allow_host,
        keep_float=options.keep_float,
        progress=bar,
    )


def _shapes(given: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Shapes of inputs by name, from texts like `image=1x3x224x224`. Raises `UsageError`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for text in given:
        name, _, extents = text.rpartition("=")
        numbers = extents.split("x")
        if not name or not all(number.isascii() and number.isdigit() and int(number) > 0 for number in numbers):
            raise UsageError(f"--shape {text} names no shape; NAME=1x3x224x224 is required, every extent at least 1")
        shapes[name] = tuple(map(int, numbers))
    return shapes


def read_model(path: str, batch: int | None = None, shapes: Mapping[str, Sequence[int]] | None = None) -> Model:
    """A model, by the ending of its file's name; ONNX models may leave extents open. Raises `VtacError`."""
    suffix = Path(path).suffix.lower()
    if suffix == ".onnx":
        from vtac.models.onnx_reader.reader import from_onnx

        return from_onnx(path, batch=batch or 1, shapes=shapes)
    if suffix == ".pt2":
        if batch is not None or shapes:
            raise UsageError(
                f"'{path}' states its shapes, those of its export: --batch and --shape are for ONNX models"
            )
        from vtac.models.torch_reader.reader import from_exported_file

        return from_exported_file(path)
    raise UsageError(f"'{path}' is no model that can be read: its name has to end in .onnx or .pt2")


def program_text(quantised: QuantisedModel) -> str:
    """The integer program, behind comments that say what its integers stand for."""
    from vtac.text.printing import op_text

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
    return "\n".join([*lines, op_text(quantised.module), ""])


def _parse(arguments: Sequence[str]) -> Options:
    parser = ToolParser("vtac quantize", "Quantises a trained model for the VTA.", _EXAMPLE)
    parser.usage = _USAGE
    add = parser.add_argument
    add("model", metavar="MODEL", help="MODEL.onnx, of floats, or MODEL.pt2, from torch.export.save")
    add("--calibration", metavar="X.npz", help="data that the model is used for, or .npy; scales are chosen on it")
    add("--labels", metavar="L.npy", help="the right choice for each sample: the report says how often it is made")
    add("--report", metavar="FILE", action="append", default=[], help="write the report, as .html or .json")
    add("--allow-host", action="store_true", help="let the host compute layers that the VTA cannot, in float32")
    add("--keep-float", metavar="LAYER", action="append", default=[], help="a layer that the host computes in any case")
    add("--batch", type=int, metavar="N", help="first extent of inputs that leave it open (default 1)")
    add("--shape", metavar="NAME=NxN", action="append", default=[], help="the shape of an input that leaves more open")
    _add_scheme(parser)
    add("--config", metavar="FILE", help="vta_config.json for the cycles in the report; default: the default's")
    add("-o", "--output", metavar="OUT.mlir", help="write the program, for vtac run")
    add("--json", action="store_true", help="print the report as JSON")
    options = Options()
    parser.parse(arguments, options)
    return options


def _add_scheme(parser: ToolParser) -> None:
    """How integers are chosen: the options of `Model.quantize`, with its defaults."""
    add = parser.add_argument_group("how integers are chosen").add_argument
    add("--zero-points", choices=get_args(ZeroPoints), help="which values that are never negative begin at -128")
    add("--exponents", choices=get_args(Exponents), help="how scales of activations are chosen")
    add("--mantissas", choices=get_args(Mantissas), help="whether scales are powers of two alone")
    add("--rounding", choices=get_args(Rounding), help="how results become bytes")
    add("--weights", choices=get_args(WeightRounding), help="how weights are rounded")
    add("--no-correct-bias", dest="correct_bias", action="store_false", help="leave the mean error of weights")
    add("--per-tensor", dest="per_feature", action="store_false", help="one scale for all weights of a layer")
    add("--no-cache", action="store_true", help="compile what was compiled before, too, and keep nothing")
    add("--no-equalise", dest="equalise", action="store_false", help="leave channels at the ranges that they have")


def _check_files(options: Options) -> None:
    """Raises `UsageError` for files that cannot be written, before anything runs."""
    for path in options.report:
        if Path(path).suffix.lower() not in (".html", ".json"):
            raise UsageError(f"--report {path} cannot be written: its name must end in .html or .json")
    inputs = (options.model, options.calibration, options.labels, options.config)
    require_outputs([("-o", options.output), *(("--report", path) for path in options.report)], inputs)


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
