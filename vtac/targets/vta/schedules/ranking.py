"""Tilings that fit, by what they are thought to take.

The score weighs cycles above the roof three times as much as DRAM traffic above the compulsory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import log

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.candidates import cuts, refinements, smallest
from vtac.targets.vta.schedules.cost import Estimate, estimates
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import Roof, roof
from vtac.targets.vta.schedules.room import fits, products_of
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import Column, Tilings

CYCLE_WEIGHT = 3.0
"""How much more a percent of cycles above the roof counts than a percent of bytes."""
SPARE_CYCLE_WEIGHT = 0.001
"""The same below the roof."""
_REFINED = 24


@dataclass(frozen=True)
class Candidate:
    """A tiling that fits, and what it is thought to take."""

    tiling: Tiling
    estimate: Estimate


@lru_cache(maxsize=16)
def candidates(layer: Layer, config: VTAConfig) -> tuple[Candidate, ...]:
    """Tilings that fit, best estimate first; the last is the smallest possible."""
    limit = roof(layer, config)
    coarse = cuts(layer, config)
    coarse = coarse.rows(fits(layer, coarse, config))
    first = _ranked(estimates(layer, coarse, config).listed(), limit)[:_REFINED]
    refined, cut_of = _refined(layer, coarse.rows(np.array(first, np.int64)), config)
    guesses, cut = estimates(layer, refined, config).listed(), cut_of.tolist()
    best: dict[int, int] = {}
    for row in _ranked(guesses, limit):
        best.setdefault(cut[row], row)
    rows = list(best.values())
    ranked = refined.rows(np.array(rows, np.int64)).listed()
    found = [Candidate(tiling, guesses[row]) for tiling, row in zip(ranked, rows, strict=True)]
    return *found, *_smallest(layer, config)


def score(found: Estimate, limit: Roof) -> float:
    """Lower is better; 0 at both limits."""
    slow = log(max(1, found.cycles) / limit.cycles)
    return (CYCLE_WEIGHT if slow > 0 else SPARE_CYCLE_WEIGHT) * slow + log(max(1, found.nbytes) / limit.nbytes)


def _ranked(found: Sequence[Estimate], limit: Roof) -> list[int]:
    """The numbers of estimates, best first."""
    scores = [score(one, limit) for one in found]
    return sorted(range(len(scores)), key=scores.__getitem__)


def _refined(layer: Layer, coarse: Tilings, config: VTAConfig) -> tuple[Tilings, Column]:
    """Cuts refined as far as they fit, with two copies of int8 operands where there is room; the cut of each."""
    found, cut_of = refinements(layer, coarse, config)
    fit = fits(layer, found, config)
    if products_of(layer):
        two = replace(found, operands=np.full(len(found), 2, np.int64))
        double = fits(layer, two, config)
        found, fit = replace(found, operands=np.where(double, 2, 1)), fit | double
    return found.rows(fit), cut_of[fit]


def _smallest(layer: Layer, config: VTAConfig) -> list[Candidate]:
    found = smallest(layer)
    found = found.rows(fits(layer, found, config))
    return [Candidate(*one) for one in zip(found.listed(), estimates(layer, found, config).listed(), strict=True)]
