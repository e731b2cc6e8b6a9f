"""The scale of each value: a power of two, by what calibration saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, log2

from vtac.models.given import Given
from vtac.models.graph import Graph
from vtac.models.layer import Layer
from vtac.models.layers.activations import Clamp, LeakyRelu, ParametricRelu, Relu, Relu6
from vtac.models.layers.convolutions import Convolution, Spread
from vtac.models.layers.elementwise import Add
from vtac.models.layers.pooling import GlobalAveragePool, MaxPool, Upsample
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Concat, Flatten, Pad, Reshape, Slice, Transpose
from vtac.models.quantiser.histogram import Histogram
from vtac.models.quantiser.options import Exponents, Options
from vtac.models.quantiser.steps import Plan, Step

_TRIED = 6
"""Exponents that are tried, down from the one that clips nothing."""
_APART = 6
"""How many bits the operands of a sum may be apart: factors of i8 operands end at 127."""
_MANTISSAS = 8
"""How many are tried between a power of two and the next."""
_RARE = 1e-4
"""The share of elements that a percentile leaves out."""
SHARING = (
    MaxPool, Upsample, Spread, Flatten, Reshape, Transpose, Slice, Concat, Pad,
    Relu, Relu6, Clamp, LeakyRelu, ParametricRelu,
)  # fmt: skip
"""Layers whose value has the scale of what they read."""


@dataclass(frozen=True)
class Scale:
    """An integer q stands for (q - zero) * mantissa * 2**exponent.

    Zero is -128 where nothing is negative. Values that are added to each other have the same mantissa.
    """

    exponent: int
    mantissa: float = 1.0
    zero: int = 0

    @property
    def size(self) -> float:
        return self.mantissa * 2.0**self.exponent


def choose_scales(
    graph: Graph,
    plan: Plan,
    seen: Mapping[str, Histogram],
    options: Options,
    given: Mapping[str, Given] | None = None,
    coarser: Mapping[str, int] | None = None,
) -> Mapping[str, Scale]:
    """One scale for each group of values that share one. Operands of sums are at most six bits apart.

    `coarser` says by how many bits some groups, by their first value, differ from what is found.

    `given` are scales that the model says; they count, the largest of each group, but for means.
    """
    groups = share_groups(graph, plan)
    steps = [step for step in plan.steps if not step.hosted]
    zeros = dict.fromkeys(_with_zero_points(steps, groups, seen, options), -128)
    mantissas = _mantissas(graph, steps, groups)
    exponents: dict[str, int] = {}
    for leader, one in _given(groups, given or {}).items():
        if leader not in mantissas:
            exponents[leader], zeros[leader] = floor(log2(one.size)), one.zero
            mantissas[leader] = one.size / 2.0 ** exponents[leader]
    mantissas |= _mantissas(graph, steps, groups, mantissas)
    _known_means(steps, groups, given or {}, mantissas, exponents, zeros)
    means = {groups[step.target] for step in steps if isinstance(step.layer, GlobalAveragePool)}
    for together in _added_together(steps, groups) if options.mantissas == "free" else ():
        free = [leader for leader in together if leader not in exponents and leader not in means]
        members = {leader: [seen[name] for name, own in groups.items() if own == leader] for leader in free}
        mantissas |= dict.fromkeys(free, _mantissa(members, zeros, options.exponents))
    mantissas |= _mantissas(graph, steps, groups, mantissas)
    for leader in dict.fromkeys(groups.values()):
        if leader not in exponents:
            members = [seen[name] for name, own in groups.items() if own == leader]
            mantissa, zero = mantissas.get(leader, 1.0), zeros.get(leader, 0)
            exponents[leader] = _exponent(members, mantissa, zero, options.exponents)
    for leader, bits in (coarser or {}).items():
        exponents[leader] += bits
    least = {step.target: finest_sums(step, options) for step in steps}
    while any(_bring_together(step, groups, exponents, mantissas, least[step.target]) for step in steps):
        pass
    return {
        name: Scale(exponents[leader], mantissas.get(leader, 1.0), zeros.get(leader, 0))
        for name, leader in groups.items()
    }


def share_groups(graph: Graph, plan: Plan) -> Mapping[str, str]:
    """For each value that is stored the first value of its group."""
    leaders: dict[str, str] = {given.name: given.name for given in graph.inputs}
    leaders |= {step.target: step.target for step in plan.steps if step.hosted}
    for step in plan.steps:
        if step.hosted:
            continue
        leaders[step.target] = step.target
        if isinstance(step.layer, SHARING):
            first = leaders[step.layer.inputs[0]]
            joined = {step.target, *(leaders[name] for name in step.inputs)}
            for name, leader in leaders.items():
                if leader in joined:
                    leaders[name] = first
    return leaders


def _known_means(
    steps: Sequence[Step],
    groups: Mapping[str, str],
    given: Mapping[str, Given],
    mantissas: Mapping[str, float],
    exponents: dict[str, int],
    zeros: dict[str, int],
) -> None:
    """Scales of means of values whose scales are known: next to what the model says, else as fine as what they read."""
    for step in steps:
        own, source = groups[step.target], groups[step.layer.inputs[0]]
        if isinstance(step.layer, GlobalAveragePool) and source in exponents:
            one = given.get(step.target)
            exponents[own] = exponents[source] if one is None else ceil(log2(one.size / mantissas[own]))
            zeros[own] = zeros.get(source, 0) if one is None else one.zero


def _given(groups: Mapping[str, str], given: Mapping[str, Given]) -> Mapping[str, Given]:
    """The largest scale that the model says for the values of a group, in a form that their readers have."""
    found: dict[str, Given] = {}
    for name, one in given.items():
        leader = groups.get(name)
        if leader is not None and (leader not in found or found[leader].size < one.size):
            found[leader] = one
    return found


def _mantissas(
    graph: Graph, steps: Sequence[Step], groups: Mapping[str, str], known: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Of the groups of means: a sum over other than 2**k positions, shifted, lacks a factor."""
    found: dict[str, float] = dict(known or {})
    for step in steps:
        if isinstance(step.layer, GlobalAveragePool):
            shape = graph.shapes[step.layer.inputs[0]]
            positions = shape[2] * shape[3]
            before = found.get(groups[step.layer.inputs[0]], 1.0)
            found[groups[step.target]] = before * 2 ** round(log2(positions)) / positions
    return found


def finest_sums(step: Step, options: Options) -> float:
    """How much finer than what it reads a product's sums are at most, as a power of two, where no weight is clipped."""
    if not isinstance(step.layer, Convolution | Linear):
        return -inf
    largest = float(abs(step.layer.weights).max())
    return ceil(log2(largest / 127)) + (options.rounding == "half-even") if largest else -inf


def _bring_together(
    step: Step, groups: Mapping[str, str], exponents: dict[str, int], mantissas: Mapping[str, float], least: float
) -> bool:
    """Coarser scales where they are needed; whether any was.

    Operands of a sum are at most six bits apart, its result no finer than they are; that of a product no finer than
    its sums.
    """
    before = dict(exponents)
    own, source = groups[step.target], groups[step.layer.inputs[0]]
    if least > -inf:
        unit = log2(mantissas.get(own, 1.0) / mantissas.get(source, 1.0))
        exponents[own] = max(exponents[own], exponents[source] + ceil(least - unit))
    if step.addition is not None:
        other = groups[step.other]
        exponents[other] = max(exponents[other], exponents[own] - _APART, exponents[source] + int(max(least, -999)))
        exponents[own] = max(exponents[own], exponents[other] - _APART)
    elif isinstance(step.layer, Add):
        left, right = (groups[name] for name in step.layer.inputs)
        coarse = max(exponents[left], exponents[right])
        for leader in (left, right):
            exponents[leader] = max(exponents[leader], coarse - _APART)
        exponents[own] = max(exponents[own], min(exponents[left], exponents[right]))
    return exponents != before


def _with_zero_points(
    steps: Sequence[Step],
    groups: Mapping[str, str],
    seen: Mapping[str, Histogram],
    options: Options,
) -> set[str]:
    """Groups whose zero may lie at -128: nothing in them is negative, and what reads them has a form for it."""
    if options.zero_points == "none":
        return set()
    made = {step.target for step in steps}
    able: dict[str, bool] = {}
    for name in groups:
        if name not in made:
            able[groups[name]] = able.get(groups[name], True) and seen[name].is_never_negative
    for step in steps:
        own = groups[step.target]
        sources = [groups[name] for name in step.inputs]
        able[own] = _is_never_negative(step, [able[source] for source in sources]) and able.get(own, True)
    for step in steps:
        if not _takes_zero_point(step.layer, options):
            able[groups[step.layer.inputs[0]]] = False
    for step in steps:
        if isinstance(step.layer, GlobalAveragePool) and not able[groups[step.layer.inputs[0]]]:
            able[groups[step.target]] = False
    return {leader for leader, is_able in able.items() if is_able}


def _is_never_negative(step: Step, sources: list[bool]) -> bool:
    if isinstance(step.layer, (*SHARING, GlobalAveragePool)):
        return all(sources) and not (isinstance(step.layer, Pad) and step.layer.value < 0)
    after = step.activation
    return isinstance(after, Relu | Relu6) or (isinstance(after, Clamp) and after.low >= 0)


def _takes_zero_point(layer: Layer, options: Options) -> bool:
    """Padding that holds a zero point lies in memory, and is loaded."""
    if not isinstance(layer, Convolution) or not any(layer.pads):
        return not isinstance(layer, Spread)
    return options.zero_points == "all"


def _added_together(steps: Sequence[Step], groups: Mapping[str, str]) -> list[list[str]]:
    """Groups, those together that sums connect: with one mantissa their factors are powers of two."""
    home = {leader: leader for leader in groups.values()}
    for step in steps:
        if step.addition is not None or isinstance(step.layer, Add):
            others = [step.other] if step.addition is not None else list(step.layer.inputs)
            joined = {home[groups[name]] for name in (step.target, *others)}
            first = home[groups[step.target]]
            home = {leader: first if own in joined else own for leader, own in home.items()}
    found: dict[str, list[str]] = {}
    for leader, own in home.items():
        found.setdefault(own, []).append(leader)
    return list(found.values())


def _mantissa(members: Mapping[str, list[Histogram]], zeros: Mapping[str, int], rule: Exponents) -> float:
    """The mantissa by which groups lose least of their energy, the smaller one of two that are equal."""

    def loss(mantissa: float) -> float:
        total = 0.0
        for leader, histograms in members.items():
            zero = zeros.get(leader, 0)
            size = mantissa * 2.0 ** _exponent(histograms, mantissa, zero, rule)
            energy = sum(one.energy for one in histograms)
            total += sum(one.error(size, zero) for one in histograms) / energy if energy else 0.0
        return total

    return min((2.0 ** (step / _MANTISSAS) for step in range(_MANTISSAS)), key=lambda one: (loss(one), one))


def _exponent(members: Iterable[Histogram], mantissa: float, zero: int, rule: Exponents) -> int:
    """The exponent that the rule finds for all members, the larger one of two that are equal."""
    histograms = list(members)
    share = _RARE if rule == "percentile" else 0.0
    reach = max((member.extent(share) for member in histograms), default=0.0)
    if not reach:
        return -7
    highest = ceil(log2(reach / ((127 - zero) * mantissa)))
    if rule in ("extremes", "percentile"):
        return highest
    tried = range(highest, highest - _TRIED, -1)
    return min(tried, key=lambda e: (sum(member.error(mantissa * 2.0**e, zero) for member in histograms), -e))
