"""What quantisation costs the three networks for handwritten digits, by option, and beside arbitrary scales.

python benchmarks/quantisation.py            # accuracy and SQNR of every option, in one run
python benchmarks/quantisation.py mobilenet --cycles
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "mnist"))

import images
from run import NAMES, read

from vtac.models.graph import Graph
from vtac.models.layer import Array
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.products import Linear
from vtac.models.quantiser.histogram import Histogram
from vtac.models.quantiser.moments import moments_of
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.models.quantiser.rounding import nearest, rounded
from vtac.models.quantiser.scales import share_groups
from vtac.models.quantiser.steps import Plan, plan_of

OPTIONS: tuple[Mapping[str, Any], ...] = (
    {},
    {"mantissas": "one"},
    {"mantissas": "free"},
    {"zero_points": "unpadded"},
    {"zero_points": "none"},
    {"weights": "nearest"},
    {"weights": "nearest", "correct_bias": False},
    {"exponents": "extremes"},
    {"exponents": "percentile"},
    {"exponents": "mixed"},
    {"equalise": False},
    {"per_feature": False},
    {"rounding": "half-even"},
    {"rounding": "down"},
)
_FINE = 8
"""Scales that are tried between a power of two and the next."""


def measured(scores: Array, own: Array, labels: images.Labels) -> dict[str, float]:
    """Accuracy, and SQNR of scores in dB."""
    noise = float(((scores - own) ** 2).sum())
    return {
        "accuracy": float((own.argmax(1) == labels).mean()),
        "sqnr_db": float(10 * np.log10((scores**2).sum() / noise)) if noise else float("inf"),
    }


def arbitrary(quantised: QuantisedModel, calibration: Array, data: Array) -> Array:
    """Scores by the same scheme where every scale may be any number: values and weights rounded, computed in floats."""
    graph = quantised.graph
    plan = plan_of(graph)
    sizes = _sizes(graph, plan, quantised)
    products = _products(graph, plan, calibration)
    parts: list[Array] = []
    for batch in quantised.chunks(data):
        values: dict[str, Array] = {given.name: array for given, array in zip(graph.inputs, batch, strict=True)}
        values = {name: _on_grid(array, *sizes[name]) for name, array in values.items()}
        for step in plan.steps:
            layer = products.get(step.layer.name, step.layer)
            value = layer.compute(*(values[name] for name in layer.inputs))
            if step.addition is not None:
                value = value + values[step.other]
            if step.activation is not None:
                value = step.activation.compute(value)
            values[step.target] = value if plan.is_sum(step) else _on_grid(value, *sizes[step.target])
        parts.append(values[graph.outputs[0]])
    return np.concatenate(parts)


def _on_grid(value: Array, size: float, zero: int) -> Array:
    steps = np.clip(np.floor(value / size + 0.5), -128 - zero, 127 - zero)
    return (steps * size).astype(np.float32)


def _sizes(graph: Graph, plan: Plan, quantised: QuantisedModel) -> dict[str, tuple[float, int]]:
    """The best scale of each group of values, with the zero point that they have."""
    groups = share_groups(graph, plan)
    found: dict[str, tuple[float, int]] = {}
    for leader in dict.fromkeys(groups.values()):
        members: list[Histogram] = [quantised.seen[name] for name, own in groups.items() if own == leader]
        zero = quantised.scales[leader].zero if leader in quantised.scales else 0
        highest = max(member.extent() for member in members) / (127 - zero)
        tried = [highest * 2.0 ** (-step / _FINE) for step in range(3 * _FINE)]
        best = min(tried, key=lambda size: sum(member.error(size, zero) for member in members))
        found |= {name: (best, zero) for name, own in groups.items() if own == leader}
    return found


def _products(graph: Graph, plan: Plan, calibration: Array) -> dict[str, Convolution | Linear]:
    """Products with weights on grids of their own, feature by feature."""
    layers = [step.layer for step in plan.steps]
    moments = moments_of(tuple(layers), dict(graph.shapes), means_only=False)
    for batch in graph.batches(calibration):
        for name, value in graph.values(*batch):
            for one in moments.values():
                if one.layer.inputs[0] == name:
                    one.add(value)
    found: dict[str, Convolution | Linear] = {}
    for layer in layers:
        if not isinstance(layer, Convolution | Linear):
            continue
        rows = layer.weights.reshape(layer.weights.shape[0], -1).astype(np.float64)
        reach = np.maximum(np.abs(rows).max(1, keepdims=True), 1e-30) / 127
        tried = [reach * 2.0 ** (-step / _FINE) for step in range(2 * _FINE)]
        errors = np.stack([((rows - nearest(rows / size) * size) ** 2).sum(1) for size in tried])
        size = np.stack(tried)[errors.argmin(0), np.arange(len(rows))]
        own = moments[layer.name]
        weights = rounded(rows / size, own) * size
        grouped = (rows - weights).reshape(own.groups, -1, rows.shape[1])
        shift = (grouped @ own.mean[:, :, None]).reshape(-1)
        bias = shift if layer.bias is None else layer.bias + shift
        weights32 = weights.reshape(layer.weights.shape).astype(np.float32)
        found[layer.name] = replace(layer, weights=weights32, bias=bias.astype(np.float32))
    return found


def measure(name: str, digits: images.Digits, *, cycles: bool) -> list[dict[str, Any]]:
    """A record for each option, and one for arbitrary scales."""
    model = read(name)
    data, labels = digits.held_out
    scores = np.asarray(model(data))
    records: list[dict[str, Any]] = []
    for options in OPTIONS:
        quantised = model.quantize(digits.calibration, **options)
        (own,) = quantised.floats(np.asarray(quantised.simulate(data)))
        record: dict[str, Any] = {"network": name, "options": dict(options), **measured(scores, own, labels)}
        if cycles:
            record["cycles"] = quantised.compile().cycles
        records.append(record)
        print(_line(record), file=sys.stderr, flush=True)
    own = arbitrary(model.quantize(digits.calibration), digits.calibration, data)
    records.append({"network": name, "options": {"scales": "arbitrary"}, **measured(scores, own, labels)})
    print(_line(records[-1]), file=sys.stderr, flush=True)
    return records


def _line(record: Mapping[str, Any]) -> str:
    named = ", ".join(f"{key}={value}" for key, value in record["options"].items()) or "defaults"
    cycles = f"{record['cycles']:>10,}" if "cycles" in record else ""
    return f"{record['network']:<10} {named:<40}{record['accuracy']:>7.1%}{record['sqnr_db']:>6.1f} dB{cycles}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)}; default all")
    parser.add_argument("--cycles", action="store_true", help="compile each, too")
    parser.add_argument("--json", action="store_true", help="print one JSON array and nothing else on stdout")
    given = parser.parse_args()
    digits = images.read()
    records = [record for name in given.names for record in measure(name, digits, cycles=given.cycles)]
    print(json.dumps(records, indent=2) if given.json else "\n".join(map(_line, records)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
