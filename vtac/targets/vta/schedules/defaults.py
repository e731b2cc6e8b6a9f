"""Default schedules of the functions of packed operations, and what they make of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count

from xdsl.dialects.builtin import ModuleOp

from vtac.analysis.ir.target import config_of
from vtac.dialects.hardware import VTAConfig
from vtac.schedule import Schedule, TrialSchedule
from vtac.targets.vta.schedules.known_tilings import KnownTilings
from vtac.targets.vta.schedules.layer_directives import schedule_layer
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.lowering import Lowering
from vtac.targets.vta.schedules.search import best_estimate, best_tiling, layers_of, lower_tilings
from vtac.targets.vta.schedules.tiling import Tiling


def default_schedule(module: ModuleOp, config: VTAConfig | None = None, kept: KnownTilings | None = None) -> Schedule:
    """A schedule for the one function of a module of packed operations.

    Each layer gets the tiling that the search finds best, or that `kept` knows; every buffer fits its memory.
    `config` as for `vtac.compile`. Raises `ScheduleError` for a block that fits no layer.
    """
    schedule = Schedule(module, config=config)
    fresh = (Schedule(module, config=config) for _ in count())
    tilings, _ = _tilings(fresh, config_of(schedule.module), layers_of(schedule), kept)
    for layer, tiling in tilings:
        schedule_layer(schedule, layer, tiling)
    return schedule


def default_lowering(module: ModuleOp, config: VTAConfig | None = None, kept: KnownTilings | None = None) -> Lowering:
    """The module at the vta level under its default schedule, and that schedule; raises as `default_schedule` does.

    `kept` are tilings that are known from earlier searches.
    """
    schedule = TrialSchedule(module, config=config)
    return lowering_of(schedule, layers_of(schedule), module, kept)


def lowering_of(
    schedule: Schedule, layers: list[Layer], module: ModuleOp, kept: KnownTilings | None = None
) -> Lowering:
    """The same for a schedule of a module's function without directives, which is used up, and its layers."""
    config = config_of(schedule.module)
    fresh = chain([schedule], (TrialSchedule(module, config=config) for _ in count()))
    tilings, lowering = _tilings(fresh, config, layers, kept)
    return lowering or lower_tilings(next(fresh), tilings)


def _tilings(
    fresh: Iterator[Schedule], config: VTAConfig, layers: list[Layer], kept: KnownTilings | None = None
) -> tuple[list[tuple[Layer, Tiling]], Lowering | None]:
    """The tiling of each layer, and what they make of the module if that was just built."""
    if len(layers) != 1:
        return [(layer, best_estimate(layer, config).tiling) for layer in layers], None
    found = best_tiling(fresh, config, layers[0], kept)
    return [(layers[0], found.tiling)], found.lowering
