"""What tuning says of a program: its layers, measured and estimated, and its schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from xdsl.dialects.builtin import ModuleOp

from vtac.analysis.ir.target import config_of
from vtac.errors import CompileError
from vtac.targets.vta.choosing import compile_with
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.schedules.defaults import default_schedule
from vtac.targets.vta.schedules.known_tilings import TunedTilings
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.lowering import WrittenScript
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.tuning.budget import Budget
from vtac.targets.vta.tuning.campaign import Problem
from vtac.targets.vta.tuning.gaps import FrontGap
from vtac.targets.vta.tuning.measuring import Measured, Readings, measured_whole
from vtac.targets.vta.tuning.result import PLANNED_FOR, LayerResult, TuneResult, sum_of_fronts
from vtac.targets.vta.tuning.search import Found, Objective
from vtac.targets.vta.tuning.trials import counted


@dataclass(frozen=True)
class TunedFunction:
    """A function for the VTA: in a module of its own, with its layers, or why it has none that can be tuned."""

    name: str
    called: str
    calls: int
    module: ModuleOp
    layer: Layer | None
    reason: str = ""


@dataclass
class TunedKind:
    """Functions that are the same layer, their problem, and the tiling of the default schedule."""

    problem: Problem
    default: Tiling
    functions: list[TunedFunction] = field(default_factory=list["TunedFunction"])


def result_of(
    work: ModuleOp,
    default: VtaProgram,
    kinds: Sequence[TunedKind],
    functions: Sequence[TunedFunction],
    objective: Objective,
    budget: Budget,
    readings: Readings | None,
) -> TuneResult:
    """The best of what was tried of each layer, and all of them together as one program; `readings` go first.

    `work` is the prepared module and `default` its program by the default schedule, which stays where the tilings
    together take more: cycles, bytes, or seconds where these were measured. Raises `CompileError` for a layer no tiling
    of which could be built, with the first reason.
    """
    layers = [_layer_result(kind, readings and readings.layers[kind.problem.layer]) for kind in kinds]
    tilings = {kind.problem.layer: layer.tiling for kind, layer in zip(kinds, layers, strict=True)}

    tuned = TunedTilings(lambda layer, _: tilings.get(layer))
    program = compile_with(work.clone(), tuned)
    before, after = _measures(default), _measures(program)
    at = 1 if objective == "bytes" else 0
    notes: list[str] = []
    whole = None if readings is None else measured_whole(readings, default, program)
    if (after[at], after[1 - at]) > (before[at], before[1 - at]) if whole is None else whole.tuned > whole.default:
        notes.append("with these tilings the program takes no less than with the default schedule, which stays")
        program, after, tuned_or_none = default, before, None
        whole = whole and replace(whole, tuned=whole.default)
    else:
        tuned_or_none = tuned
    return TuneResult(
        objective,
        str(budget),
        _schedule_text(work, program, tuned_or_none),
        *after,
        *before,
        _gap([(one.nbytes if at else one.cycles, one.least, one.calls) for one in layers]),
        sum(one.evaluated for one in layers),
        sum(one.refused for one in layers),
        sum_of_fronts([(one.front, one.calls) for one in layers]),
        tuple(layers),
        tuple(one.reason for one in functions if one.layer is None),
        (*notes, *_notes(kinds, layers, readings)),
        whole,
        None if objective != "pareto" else _front_gap(kinds, layers),
    )


def _gap(measures: Sequence[tuple[int, int, int]]) -> float:
    """How much more layers take than at least, times their calls, as a share of that."""
    found, least = (sum(one[at] * one[2] for one in measures) for at in (0, 1))
    return found / least - 1 if least else 0.0


def _front_gap(kinds: Sequence[TunedKind], layers: Sequence[LayerResult]) -> FrontGap:
    """What is proven of the fronts of layers, and of their ends in cycles and in bytes."""
    searches = [kind.problem.search for kind in kinds]
    cycles, nbytes = (
        _gap(
            [
                (min(point[at] for point in layer.front), search.least()[at], layer.calls)
                for layer, search in zip(layers, searches, strict=True)
            ]
        )
        for at in (0, 1)
    )
    return FrontGap(max((one.front_gap() for one in searches), default=0.0), cycles, nbytes)


def _notes(kinds: Sequence[TunedKind], layers: Sequence[LayerResult], readings: Readings | None) -> list[str]:
    """What is said of layers without tilings, of trials that ended badly, and of measurements."""
    return [
        *(f"no tiling of {one.name} is in the space: its default schedule stays" for one in layers if not one.members),
        *(_said_of(kind.problem) for kind in kinds if kind.problem.search.mishaps()),
        *(readings.notes() if readings is not None else ()),
    ]


def _layer_result(kind: TunedKind, measured: Measured | None) -> LayerResult:
    problem, search = kind.problem, kind.problem.search
    best = measured.found if measured is not None else search.best.found
    if best is None:
        raise CompileError(
            f"no tiling of {problem.name} could be built: {search.refused} were tried; the first: "
            f"{next((one.message for one in problem.known.values()), 'none fits on chip')}"
        )
    default = search.outcome_of(kind.default) or Found(best.tiling, best.cycles, best.nbytes)
    return LayerResult(
        problem.name,
        tuple(one.name for one in kind.functions),
        sum(one.calls for one in kind.functions),
        best.tiling,
        best.cycles,
        best.nbytes,
        default.cycles,
        default.nbytes,
        search.least()[1 if search.objective == "bytes" else 0],
        search.tried,
        search.refused,
        len(search.space),
        tuple(one.point for one in search.best.front),
        measured and measured.values,
    )


def _said_of(problem: Problem) -> str:
    """Which tilings came to nothing, and how they get another chance."""
    mishaps = problem.search.mishaps()
    count = "a tiling" if len(mishaps) == 1 else f"{len(mishaps):,} tilings"
    return (
        f"{count} of {problem.name} crashed, took too long or failed, the first as {mishaps[0][1].message}; "
        "with a store, --retry-crashed tries again"
    )


def _measures(program: VtaProgram) -> tuple[int, int]:
    """Cycles and bytes of all calls of streams."""
    timing = Timing.de10()
    outcomes = {name: counted(device, timing) for name, device in program.devices.items()}
    names = [call.device for call in program.calls] if isinstance(program, HostProgram) else list(outcomes)
    return sum(outcomes[name].cycles for name in names), sum(outcomes[name].nbytes for name in names)


def _schedule_text(work: ModuleOp, program: VtaProgram, tuned: TunedTilings | None) -> str:
    """The scripts below a line that says for which configuration they are; nothing where there is none."""
    if isinstance(program, HostProgram):
        text = "".join(str(WrittenScript(script)) for script in program.scripts)
    else:
        text = str(default_schedule(work, kept=tuned))
    return f"{PLANNED_FOR}{config_of(work)}\n{text}" if text else ""
