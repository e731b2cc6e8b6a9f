"""From a float graph and calibration data to a quantised model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vtac.errors import ModelError
from vtac.models.equalisation import equalised
from vtac.models.folding import fold_batch_norms
from vtac.models.forms import as_lines, as_products, with_few_views, with_padding_inside, without_batch_extents
from vtac.models.given import Given
from vtac.models.graph import Graph
from vtac.models.layer import Array
from vtac.models.layers.pooling import GlobalAveragePool
from vtac.models.quantiser.construction import Construction, ProductKey
from vtac.models.quantiser.histogram import Histogram
from vtac.models.quantiser.hosting import host_neighbours, hosted_layers, kept_layers
from vtac.models.quantiser.moments import Moments, moments_of
from vtac.models.quantiser.options import Options
from vtac.models.quantiser.products import IntegerProduct
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.models.quantiser.scales import choose_scales, share_groups
from vtac.models.quantiser.steps import Plan, plan_of
from vtac.models.threads import one_thread
from vtac.progress import Progress

_MOST_MACS = 200_000_000
"""Multiply-accumulates of a sample up to which more than one way is tried."""
_KEPT = 16
"""Samples of the calibration data that are kept for reports."""


def quantise(
    graph: Graph,
    calibration: Iterable[tuple[NDArray[Any], ...]],
    options: Options,
    progress: Progress | None = None,
    given: Mapping[str, Given] | None = None,
) -> QuantisedModel:
    """Integers for a model.

    Raises ModelError for layers that have no integer form (all at once), for calibration data that
    do not fit, that hold NaN, or of which there is none, and for sums that could leave 32 bits.
    """
    formed, plan = _planned(graph, options if not given else replace(options, equalise=False))
    with one_thread():
        seen = _observe(formed, plan, calibration, options, progress)
        known = _carried(plan, given or {})
        if not seen.kept:
            _require_given(formed, plan, known)
        found = [_built(formed, plan, seen, one, known, progress) for one in _variants(formed, seen, options)]
        place = max(range(len(found)), key=lambda one: _quality(found[one])) if len(found) > 1 else 0
        if options.exponents != "mixed" or not seen.kept:
            return found[place]
        return _mixed(found[place], plan, seen, _variants(formed, seen, options)[place], known, progress)


def _planned(graph: Graph, options: Options) -> tuple[Graph, Plan]:
    """A graph of layers that have an integer form, or that the host computes, and the steps that it takes."""
    kept = kept_layers(graph, options)
    folded = without_batch_extents(fold_batch_norms(as_lines(graph, kept), kept))
    if options.equalise:
        folded = equalised(folded)
    formed = _formed(folded, kept)
    hosted = hosted_layers(formed, options, kept)
    more = host_neighbours(folded, hosted, options)
    if more:
        kept = {**kept, **more}
        formed = _formed(folded, kept)
        hosted = hosted_layers(formed, options, kept)
    return formed, plan_of(formed, hosted)


def _formed(graph: Graph, kept: Collection[str]) -> Graph:
    return with_padding_inside(with_few_views(as_products(graph, kept), kept), kept)


def _variants(graph: Graph, seen: _Seen, options: Options) -> list[Options]:
    """What is tried: both kinds of mantissas where that is asked for, there is data, and it takes seconds."""
    if options.mantissas != "tried":
        return [options]
    if not seen.kept or sum(graph.macs().values()) > _MOST_MACS * graph.inputs[0].shape[0]:
        return [replace(options, mantissas="one")]
    return [replace(options, mantissas="one"), replace(options, mantissas="free")]


def _quality(quantised: QuantisedModel) -> float:
    """Signal over noise of the results on the calibration data that was kept, the mean of all results in dB."""
    graph = quantised.graph
    signals, noises = np.zeros(len(graph.outputs)), np.zeros(len(graph.outputs))
    for batch in quantised.chunks(*quantised.kept):
        found = quantised.floats(*quantised.network.expected(*quantised.integers(*batch)))
        for number, (own, other) in enumerate(zip(found, graph.run(*batch), strict=True)):
            signals[number] += float((other.astype(np.float64) ** 2).sum())
            noises[number] += float(((other.astype(np.float64) - own) ** 2).sum())
    tiny = np.finfo(np.float64).tiny
    return float((np.log10(np.maximum(signals, tiny)) - np.log10(np.maximum(noises, tiny))).mean())


def _built(
    graph: Graph,
    plan: Plan,
    seen: _Seen,
    options: Options,
    given: Mapping[str, Given],
    progress: Progress | None,
    change: _Change | None = None,
) -> QuantisedModel:
    scales = choose_scales(graph, plan, seen.values, options, given, change.coarser if change else None)
    built = Construction(graph, plan, scales, seen.moments, options, change.known if change else None)
    for number, step in enumerate(plan.steps):
        if progress is not None:
            progress(f"quantise {step.layer.name}", number, len(plan.steps))
        built.emit(step)
    stored = {name: scale for name, scale in scales.items() if built.tensors[name].element == "i8"}
    return QuantisedModel(
        graph, plan.steps, stored, seen.values, built.products, built.tensors, built.network, built.sizes, seen.kept
    )


@dataclass(frozen=True)
class _Change:
    """By how many bits scales of groups differ from what is found; products that are known from other builds."""

    coarser: Mapping[str, int]
    known: dict[ProductKey, IntegerProduct]


def _mixed(
    best: QuantisedModel,
    plan: Plan,
    seen: _Seen,
    options: Options,
    given: Mapping[str, Given],
    progress: Progress | None,
) -> QuantisedModel:
    """One scale after the other twice as large: what makes results better on the data that was kept stays."""
    graph, coarser, quality = best.graph, dict[str, int](), _quality(best)
    known: dict[ProductKey, IntegerProduct] = {}
    leaders = list(dict.fromkeys(share_groups(graph, plan).values()))
    for number, leader in enumerate(leaders):
        if progress is not None:
            progress(f"mix {leader}", number, len(leaders))
        tried = {**coarser, leader: 1}
        other = _built(graph, plan, seen, options, given, None, _Change(tried, known))
        if (found := _quality(other)) > quality:
            best, coarser, quality = other, tried, found
    return best


@dataclass(frozen=True)
class _Seen:
    """What calibration saw: of the values that are stored, and of what products read."""

    values: Mapping[str, Histogram]
    moments: Mapping[str, Moments]
    kept: tuple[Array, ...]


def _observe(
    graph: Graph,
    plan: Plan,
    calibration: Iterable[tuple[NDArray[Any], ...]],
    options: Options,
    progress: Progress | None,
) -> _Seen:
    stored = {*(given.name for given in graph.inputs), *(step.target for step in plan.steps)}
    seen = {name: Histogram() for name in graph.shapes if name in stored}
    wanted = options.weights == "least-squares" or options.correct_bias
    means_only = options.weights != "least-squares"
    products = tuple(step.layer for step in plan.steps if not step.hosted)
    moments = moments_of(products, dict(graph.shapes), means_only=means_only) if wanted else {}
    readers: dict[str, list[Moments]] = {}
    for moment in moments.values():
        readers.setdefault(moment.layer.inputs[0], []).append(moment)
    batches = 0
    kept: list[tuple[Array, ...]] = []
    for arrays in calibration:
        for batch in graph.batches(*arrays):
            batches += 1
            if sum(map(len, (one[0] for one in kept))) < _KEPT:
                kept.append(batch)
            if progress is not None:
                progress("calibration", batches, 0)
            for name, value in graph.values(*batch):
                if not np.isfinite(value).all():
                    raise ModelError(f"calibration batch {batches} makes NaN or infinity in '{name}'")
                if name in seen:
                    seen[name].add(value)
                for moment in readers.get(name, ()):
                    moment.add(value)
    return _Seen(seen, moments, tuple(np.concatenate(parts) for parts in zip(*kept, strict=True)))


def _carried(plan: Plan, given: Mapping[str, Given]) -> Mapping[str, Given]:
    """What a model says of values that are not stored themselves holds for the activations behind them."""
    found = dict(given)
    for step in plan.steps:
        inner = [layer.name for layer in reversed(step.layers) if layer.name in given]
        if inner:
            found.setdefault(step.target, given[inner[0]])
    return found


def _require_given(graph: Graph, plan: Plan, given: Mapping[str, Given]) -> None:
    """Refuse to do without calibration data where the model does not say all scales itself."""
    if not given:
        raise ModelError(f"model '{graph.name}' was given no calibration data; one batch or more is required")
    groups = share_groups(graph, plan)
    known = {groups[name] for name in given if name in groups}
    free = {step.target for step in plan.steps if isinstance(step.layer, GlobalAveragePool) and not step.hosted}
    free |= {step.target for step in plan.steps if plan.is_sum(step)}
    free |= {name for name in groups if plan.is_float(name)}
    missing = [name for name, leader in groups.items() if leader not in known and name not in free]
    if missing:
        raise ModelError(
            f"model '{graph.name}' does not say what the integers of '{missing[0]}' stand for; calibration data is "
            "required"
        )
