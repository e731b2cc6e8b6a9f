"""Tilings that fit, by what they are thought to take: all by a formula, and the best few by a rehearsal.

The score weighs cycles above the roof three times as much as DRAM traffic above the compulsory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf, log

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.candidates import cuts, refinements, smallest
from vtac.targets.vta.schedules.cost import Estimate, Estimates, estimates
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.schedules.roof import Roof, roof
from vtac.targets.vta.schedules.room import buffers_fit, fits, products_of
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import Column, Tilings

CYCLE_WEIGHT = 3.0
"""How much more a percent of cycles above the roof counts than a percent of bytes."""
SPARE_CYCLE_WEIGHT = 0.001
"""The same below the roof."""
_REFINED = 24
_REHEARSED = 10
_FAR = 0.12
"""How much worse than the best that was rehearsed the formula may find a tiling that is rehearsed, too."""
_DATA_MEMORIES = ("LOG_INP_BUFF_SIZE", "LOG_WGT_BUFF_SIZE", "LOG_ACC_BUFF_SIZE")


@dataclass(frozen=True)
class Candidate:
    """A tiling that fits, and what it is thought to take."""

    tiling: Tiling
    estimate: Estimate


@lru_cache(maxsize=16)
def candidates(layer: Layer, config: VTAConfig) -> tuple[Candidate, ...]:
    """Tilings that fit, best estimate first; the last is the smallest possible.

    Of each cut there is one choice of copies and pieces. The first few are rehearsed.
    """
    limit = roof(layer, config)
    coarse = cuts(layer, config).joined(smallest(layer))
    fit = fits(layer, coarse, config)
    has_smallest = bool(fit[-1])
    coarse = coarse.rows(fit)
    guesses = estimates(layer, coarse, config)
    most = len(coarse) - has_smallest
    first = _ranked(guesses.rows(slice(most)), limit)[:_REFINED]
    last = _listed(coarse.rows(slice(most, None)), guesses.rows(slice(most, None)))
    return *_rehearsed(layer, _best_refined(layer, coarse.rows(first), config, limit), config, limit), *last


def _best_refined(layer: Layer, coarse: Tilings, config: VTAConfig, limit: Roof) -> list[Candidate]:
    """Of each cut the choice of copies and pieces with the best estimate, best first."""
    refined, cut_of = _refined(layer, coarse, config)
    guesses = estimates(layer, refined, config)
    ranked = _ranked(guesses, limit)
    _, firsts = np.unique(cut_of[ranked], return_index=True)
    rows = ranked[np.sort(firsts)]
    return _listed(refined.rows(rows), guesses.rows(rows))


def _rehearsed(layer: Layer, ranked: Sequence[Candidate], config: VTAConfig, limit: Roof) -> list[Candidate]:
    """The first few with the bytes and cycles of a rehearsal, best first, then the others as they are."""
    found: list[Candidate] = []
    known = _rehearsals(layer, _machine(config))
    least = inf
    for one in ranked[:_REHEARSED]:
        if score(one.estimate, limit) > least + _FAR:
            break
        if one.tiling not in known:
            outline = outline_of(layer, one.tiling, config)
            known[one.tiling] = outline.nbytes(config), rehearse(outline, config)
        found.append(Candidate(one.tiling, Estimate(*known[one.tiling], one.estimate.instructions)))
        least = min(least, score(found[-1].estimate, limit))
    return [*sorted(found, key=lambda one: score(one.estimate, limit)), *ranked[len(found) :]]


@lru_cache(maxsize=256)
def _rehearsals(_layer: Layer, _machine: tuple[tuple[str, int | str], ...]) -> dict[Tiling, tuple[int, int]]:
    """A place for bytes and cycles of tilings of a layer that were rehearsed."""
    return {}


def _machine(config: VTAConfig) -> tuple[tuple[str, int | str], ...]:
    """What a rehearsal depends on: sizes of INP, WGT and ACC decide which tilings fit, and nothing of their steps."""
    return tuple((name, value) for name, value in config.to_fields().items() if name not in _DATA_MEMORIES)


def score(found: Estimate, limit: Roof) -> float:
    """Lower is better; 0 at both limits."""
    slow = log(max(1, found.cycles) / limit.cycles)
    return (CYCLE_WEIGHT if slow > 0 else SPARE_CYCLE_WEIGHT) * slow + log(max(1, found.nbytes) / limit.nbytes)


def _ranked(found: Estimates, limit: Roof) -> Column:
    """The numbers of estimates, those of the best `score` first."""
    slow = np.log(np.maximum(1, found.cycles) / limit.cycles)
    traffic = np.log(np.maximum(1, found.nbytes) / limit.nbytes)
    weights = np.where(slow > 0, CYCLE_WEIGHT, SPARE_CYCLE_WEIGHT)
    return np.argsort(weights * slow + traffic, kind="stable")


def _listed(tilings: Tilings, found: Estimates) -> list[Candidate]:
    return [Candidate(*one) for one in zip(tilings.listed(), found.listed(), strict=True)]


def _refined(layer: Layer, coarse: Tilings, config: VTAConfig) -> tuple[Tilings, Column]:
    """Cuts refined as far as they fit, with two copies of int8 operands where there is room; the cut of each."""
    found, cut_of = refinements(layer, coarse, config)
    fit = buffers_fit(layer, found, config)
    if products_of(layer):
        two = replace(found, operands=np.full(len(found), 2, np.int64))
        double = buffers_fit(layer, two, config)
        found, fit = replace(found, operands=np.where(double, 2, 1)), fit | double
    return found.rows(fit), cut_of[fit]
