"""From a float graph and calibration data to a quantised model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vtac.errors import ModelError
from vtac.models.folding import as_convolutions, fold_batch_norms, rows_flattened
from vtac.models.given import Given
from vtac.models.graph import Graph
from vtac.models.layer import Array
from vtac.models.layers.pooling import GlobalAveragePool
from vtac.models.quantiser.construction import KINDS, Construction
from vtac.models.quantiser.histogram import Histogram
from vtac.models.quantiser.moments import Moments, moments_of
from vtac.models.quantiser.options import Options
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.models.quantiser.scales import choose_scales, share_groups
from vtac.models.quantiser.steps import Step, steps_of
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
    """Integers for a model of one input.

    Raises ModelError for layers that have no integer form (all at once), for calibration data that
    do not fit, that hold NaN, or of which there is none, and for sums that could leave 32 bits.
    """
    folded = as_convolutions(rows_flattened(fold_batch_norms(graph)))
    _require_known(folded)
    steps = steps_of(folded)
    with one_thread():
        seen = _observe(folded, steps, calibration, options, progress)
        known = given or {}
        if not seen.kept:
            _require_given(folded, steps, known)
        found = [_built(folded, steps, seen, one, known, progress) for one in _variants(folded, seen, options)]
        return found[0] if len(found) == 1 else max(found, key=_quality)


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
    return float(np.log10(np.maximum(signals, tiny) / np.maximum(noises, tiny)).mean())


def _built(
    graph: Graph,
    steps: tuple[Step, ...],
    seen: _Seen,
    options: Options,
    given: Mapping[str, Given],
    progress: Progress | None,
) -> QuantisedModel:
    scales = choose_scales(graph, steps, seen.values, options, given)
    built = Construction(graph, steps, scales, seen.moments, options)
    for number, step in enumerate(steps):
        if progress is not None:
            progress(f"quantise {step.layer.name}", number, len(steps))
        built.emit(step)
    return QuantisedModel(
        graph, steps, scales, seen.values, built.products, built.tensors, built.network, built.sizes, seen.kept
    )


@dataclass(frozen=True)
class _Seen:
    """What calibration saw: of the values that are stored, and of what products read."""

    values: Mapping[str, Histogram]
    moments: Mapping[str, Moments]
    kept: tuple[Array, ...]


def _observe(
    graph: Graph,
    steps: Sequence[Step],
    calibration: Iterable[tuple[NDArray[Any], ...]],
    options: Options,
    progress: Progress | None,
) -> _Seen:
    stored = {*(given.name for given in graph.inputs), *(step.target for step in steps)}
    seen = {name: Histogram() for name in graph.shapes if name in stored}
    wanted = options.weights == "least-squares" or options.correct_bias
    means_only = options.weights != "least-squares"
    moments = moments_of(graph.layers, dict(graph.shapes), means_only=means_only) if wanted else {}
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


def _require_given(graph: Graph, steps: Sequence[Step], given: Mapping[str, Given]) -> None:
    """Refuse to do without calibration data where the model does not say all scales itself."""
    if not given:
        raise ModelError(f"model '{graph.name}' was given no calibration data; one batch or more is required")
    groups = share_groups(graph, steps)
    known = {groups[name] for name in given if name in groups}
    free = {step.target for step in steps if isinstance(step.layer, GlobalAveragePool)}
    sums = {step.target for step in steps if step.is_sum(graph)}
    missing = [name for name, leader in groups.items() if leader not in known and name not in free | sums]
    if missing:
        raise ModelError(
            f"model '{graph.name}' does not say what the integers of '{missing[0]}' stand for; calibration data is "
            "required"
        )


def _require_known(graph: Graph) -> None:
    unknown = [f"'{layer.name}' ({layer.kind})" for layer in graph.layers if not isinstance(layer, KINDS)]
    if unknown:
        raise ModelError(f"model '{graph.name}' has layers without an integer form: {', '.join(unknown)}")
    if len(graph.inputs) != 1:
        raise ModelError(f"model '{graph.name}' has {len(graph.inputs)} inputs; quantisation takes models of one")
