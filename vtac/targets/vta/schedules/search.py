"""The search: estimate every sensible tiling, rehearse the few best, and lower the best of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.analysis.ir.target import config_of, copy_target
from vtac.dialects.hardware import VTAConfig
from vtac.errors import NoDefaultScheduleError, TilingError
from vtac.pipelines import Runner
from vtac.preparation import attach_schedule
from vtac.schedule import Schedule, used_up
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.schedules.cost import Estimate
from vtac.targets.vta.schedules.known_tilings import KnownTilings
from vtac.targets.vta.schedules.layer_directives import schedule_layer
from vtac.targets.vta.schedules.layers import Layer, find_layers
from vtac.targets.vta.schedules.lowering import Lowering
from vtac.targets.vta.schedules.ranking import Candidate, candidates
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.stream.build import build_program
from vtac.text.context import make_context


@dataclass
class Found:
    """What a search has found: a tiling, and what it makes of the module when it was just built."""

    tiling: Tiling
    lowering: Lowering | None = None


@dataclass
class _Known:
    """A place in the cache, for all layers that are equal but for their names."""

    tiling: Tiling | None = None


@lru_cache(maxsize=256)
def _known(_layer: Layer, _config: VTAConfig) -> _Known:
    return _Known()


def best_tiling(fresh: Iterator[Schedule], config: VTAConfig, layer: Layer, kept: KnownTilings | None = None) -> Found:
    """The best tiling of the one layer of a function; unless it is known, it is lowered, too.

    `fresh` gives schedules of the function without directives; those taken are used up, one for each tiling that is
    tried. `kept` are known tilings.
    """
    known = _known(layer, config)
    on_disk = None if kept is None else kept.find(layer, config)
    if kept is not None and kept.decides and on_disk is not None:
        return Found(on_disk)
    if on_disk is not None and known.tiling is None:
        known.tiling = on_disk
    found = Found(known.tiling) if known.tiling else _lowered(fresh, config, layer, candidates(layer, config))
    known.tiling = found.tiling
    if kept is not None and on_disk is None:
        kept.keep(layer, config, found.tiling)
    return found


@lru_cache(maxsize=256)
def best_estimate(layer: Layer, config: VTAConfig) -> Candidate:
    """The tiling of the best estimate, of several layers in a module.

    Raises `NoDefaultScheduleError` where not even single tiles fit.
    """
    ranked = candidates(layer, config)
    if not ranked:
        raise _nothing_fits(layer, config)
    return ranked[0]


def layers_of(schedule: Schedule) -> list[Layer]:
    """The layers of a schedule's function."""
    function = next(op for op in schedule.module.ops if isinstance(op, FuncOp) and op.body.blocks)
    return find_layers(function, config_of(schedule.module))


def _nothing_fits(layer: Layer, config: VTAConfig) -> NoDefaultScheduleError:
    fields = {key: value for key, value in config.to_fields().items() if key.endswith("BUFF_SIZE")}
    return NoDefaultScheduleError(
        f"default schedule: no tiling of block '{layer.store}' fits on chip with {fields}; not even single tiles do: "
        "use a configuration with larger buffers"
    )


def _lowered(fresh: Iterator[Schedule], config: VTAConfig, layer: Layer, ranked: Sequence[Candidate]) -> Found:
    """The first that can be lowered: what rehearsals rank last is the smallest tiling there is."""
    problem: TilingError | None = None
    for candidate in ranked:
        try:
            return Found(candidate.tiling, lower_tilings(next(fresh), [(layer, candidate.tiling)]))
        except TilingError as error:
            problem = error
    raise _nothing_fits(layer, config) from problem


def lower_tilings(schedule: Schedule, layers: Sequence[tuple[Layer, Tiling]]) -> Lowering:
    """The module of a schedule without directives at the vta level, its layers under these tilings.

    What a schedule has applied while it was written is not applied again. The module is verified
    where it is used: most candidates are dropped.
    """
    for layer, tiling in layers:
        schedule_layer(schedule, layer, tiling)
    Runner(make_context(), verify_phases=False).run_phases(VTA_PIPELINE.beyond("scheduled"), schedule.module)
    return Lowering(*used_up(schedule))


def measure_schedule(module: ModuleOp, schedule: Schedule) -> Estimate:
    """DRAM bytes and cycles of a program under a schedule, exact by the cycle model."""
    work = module.clone()
    copy_target(schedule.module, work)
    attach_schedule(work, schedule)
    Runner(make_context()).run_phases(VTA_PIPELINE.phases, work)
    return _counted(build_program(work))


def _counted(program: Program) -> Estimate:
    from vtac.targets.vta.cycles.simulate import count_cycles
    from vtac.targets.vta.machine.counters import count
    from vtac.targets.vta.machine.stream import decode_stream

    stream = decode_stream(program.instructions, program.config)
    nbytes = sum(value for name, value in count(stream).items() if name.endswith("_nbytes"))
    return Estimate(nbytes, count_cycles(program.instructions, program.config), len(stream))


__all__ = ["best_estimate", "best_tiling", "candidates", "layers_of", "lower_tilings", "measure_schedule"]
