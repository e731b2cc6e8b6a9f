"""Which layers the host computes, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from types import MappingProxyType

from vtac.errors import ModelError
from vtac.models.graph import Graph
from vtac.models.layer import Layer, shape_text
from vtac.models.layers.activations import (
    Activation,
    Clamp,
    Gelu,
    HardSwish,
    LeakyRelu,
    ParametricRelu,
    Relu,
    Relu6,
    Tanh,
)
from vtac.models.layers.convolutions import Convolution, Spread
from vtac.models.layers.elementwise import Add, Affine
from vtac.models.layers.normalisation import BatchNorm
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool, MaxPool, Upsample
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Concat, Flatten, Pad, Reshape, Slice, Transpose
from vtac.models.quantiser.options import Options
from vtac.models.quantiser.steps import Step

_KINDS = (
    Convolution, Linear, Add, MaxPool, GlobalAveragePool, Upsample, Spread,
    Flatten, Reshape, Transpose, Slice, Concat, Pad, Relu, Relu6, Clamp, LeakyRelu, ParametricRelu,
)  # fmt: skip
_VIEWS = (Upsample, Flatten, Reshape, Transpose, Slice, Concat, Pad)
_FUNCTIONS = (Activation, Affine, Add, BatchNorm)
_INSTEAD = MappingProxyType({HardSwish.kind: Relu6.kind, Gelu.kind: Relu.kind, Tanh.kind: Clamp.kind})
"""Functions with integer forms that take the place of others in networks that are trained for integers."""
_BETWEEN = "it stands between layers of the host"
_KEPT = "it is kept in float"


def hosted_layers(graph: Graph, options: Options, kept: Mapping[str, str]) -> Mapping[str, str]:
    """Layers that are kept in float, as `kept` says, or have no integer form, by name with the reason.

    Raises ModelError, for all of them at once, where the latter is not allowed.
    """
    found = {layer.name: why for layer in graph.layers if layer.name not in kept and (why := _why_not(layer, graph))}
    if found and not options.allow_host:
        layers = [layer for layer in graph.layers if layer.name in found]
        counts = Counter(layer.kind for layer in layers)
        counted = ", ".join(f"{kind} {count} times" for kind, count in sorted(counts.items()) if count > 1)
        named = ", ".join(f"'{layer.name}' ({layer.kind}{_reason(found[layer.name])})" for layer in layers)
        raise ModelError(
            f"model '{graph.name}' has layers without an integer form: {named}{f' ({counted})' if counted else ''}; "
            f"allow_host=True (vtac quantize --allow-host) lets the host compute them in float32{_instead(counts)}"
        )
    return {**found, **kept}


def kept_layers(graph: Graph, options: Options) -> Mapping[str, str]:
    """Layers that the caller keeps in float, with the reason. Raises ModelError for names of none."""
    unknown = [name for name in options.keep_float if name not in {layer.name for layer in graph.layers}]
    if unknown:
        raise ModelError(f"model '{graph.name}' has no layer '{unknown[0]}' that could be kept in float")
    return dict.fromkeys(options.keep_float, _KEPT)


def host_neighbours(graph: Graph, hosted: Mapping[str, str], options: Options) -> Mapping[str, str]:
    """Layers that the host computes too: all that read them are there; they only move elements, or what they read is.

    The latter only where the host is allowed to compute.
    """
    kinds = (*_VIEWS, *_FUNCTIONS) if options.allow_host else _VIEWS
    readers: dict[str, list[str]] = {}
    for layer in graph.layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer.name)
    there = set(hosted)

    def joins(layer: Layer) -> bool:
        if layer.name in there or layer.name in graph.outputs or not isinstance(layer, kinds):
            return False
        needed = [*readers.get(layer.name, ()), *(layer.inputs if isinstance(layer, _FUNCTIONS) else ())]
        return bool(needed) and all(name in there for name in needed)

    while more := {layer.name for layer in graph.layers if joins(layer)}:
        there |= more
    return dict.fromkeys(sorted(there - set(hosted)), _BETWEEN)


def _instead(kinds: Iterable[str]) -> str:
    """What a model may be trained with in place of kinds of layers, if there is something of their shape."""
    named = [f"{_INSTEAD[kind]} in place of {kind}" for kind in sorted(kinds) if kind in _INSTEAD]
    return f"; a model trained with {' and '.join(named)} has integers there" if named else ""


def _reason(why: str) -> str:
    return "" if why == _NONE else f": {why}"


_NONE = "it has no integer form"
_UNEVEN = (
    "windows at the border have fewer elements, as padding does not count, and every window needs one divisor: "
    "count_include_pad=1, no padding, or a size that windows fill gives it one"
)


def _why_not(layer: Layer, graph: Graph) -> str:
    """Why a layer has no integer form; empty for one that has."""
    shapes = [graph.shapes[name] for name in layer.inputs]
    if isinstance(layer, AveragePool):
        return _UNEVEN
    if not isinstance(layer, _KINDS):
        return _NONE
    if isinstance(layer, Add) and shapes[0] != shapes[1]:
        return f"it adds {shape_text(shapes[0])} and {shape_text(shapes[1])}"
    return ""


def hosted_lines(graph: Graph, steps: Sequence[Step]) -> tuple[str, ...]:
    """What the host computes, why, and its share of all multiply-accumulates and of all elements that layers make."""
    hosted = [step for step in steps if step.hosted]
    if not hosted:
        return ()
    macs, sizes = graph.macs(), {layer.name: prod(graph.shapes[layer.name]) for layer in graph.layers}
    named = [
        f"'{step.layer.name}' ({step.layer.kind}): the host computes it in float32, as {step.hosted}" for step in hosted
    ]
    shares = (
        sum(numbers[step.layer.name] for step in hosted) / max(1, sum(numbers.values())) for numbers in (macs, sizes)
    )
    of_macs, of_sizes = shares
    count = f"{len(hosted)} layer{'s' if len(hosted) > 1 else ''}"
    return (
        *named,
        f"the host computes {count} in float32: {of_macs:.1%} of the multiply-accumulates, "
        f"{of_sizes:.1%} of the elements",
    )
