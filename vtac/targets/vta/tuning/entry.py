"""`vtac.tune`: the best schedule of a program that a search finds within a budget, on any executor."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.analysis.ir.device_functions import calls_of, device_functions
from vtac.analysis.ir.target import config_of
from vtac.collection import seldom_collected
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing.declared import layer_name
from vtac.errors import NoDefaultScheduleError, VtacError
from vtac.partition.layouts import needs_packing
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.preparation import drop_scripts, prepare, refuse_several_functions
from vtac.progress import Progress
from vtac.schedule import Schedule
from vtac.store.store import Store, opened
from vtac.targets.vta.choosing import compile_with
from vtac.targets.vta.linking.plain import split_plain
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import roof
from vtac.targets.vta.schedules.search import best_tiling, layers_of
from vtac.targets.vta.target import VTA
from vtac.targets.vta.tuning.budget import Budget, budget_of, shared
from vtac.targets.vta.tuning.campaign import Campaign, Problem
from vtac.targets.vta.tuning.measuring import Bench, Readings, measured_layers
from vtac.targets.vta.tuning.outcomes import TunedFunction, TunedKind, result_of
from vtac.targets.vta.tuning.promise import with_rehearsals
from vtac.targets.vta.tuning.result import TuneResult
from vtac.targets.vta.tuning.search import LayerSearch, Objective
from vtac.targets.vta.tuning.space import member_of, space_of
from vtac.text.printing import op_text
from vtac.workers.places import executor_at

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK_SECONDS = 300.0
"""The longest that six tilings may take a local process, after which they are tried one by one, and then given up."""


def tune(
    module: ModuleOp | str | Path,
    config: VTAConfig | str | Path | None = None,
    *,
    executor: Executor | str | None = None,
    store: Store | str | Path | None = None,
    budget: str | float | None = None,
    objective: Objective = "cycles",
    progress: Progress | None = None,
    measure: str | Sequence[str] | None = None,
    retry_crashed: bool = False,
) -> TuneResult:
    """Search for a better schedule than the default one; `str()` of the result is a table.

    `module` and `config` are as for `vtac.compile`; a script in the module is left aside. `executor` is any
    `concurrent.futures.Executor`, or the name of one: "local", a process for each core, by default; "local:4";
    "dask:ADDRESS". `store` keeps what became of every tiling, so that a search that ended goes on where it was, and
    `vtac.compile(..., schedules=store)` uses it. `budget` is time ("60s", or a float in seconds), a number of tilings
    ("500", or an int), or None for the whole space. A number of tilings gives the same result with any executor and
    after any interruption; with time, it is as much as was tried. `objective` is "cycles", "bytes", or "pareto" for
    the front of both. `measure` are URLs of devices, all of one kind: the tilings that are best by the cycle model run
    there, and the fastest is taken. With `retry_crashed` the store forgets what ended its workers, took too long, or
    was an error of vtac's, so that it is tried again.

    Raises `VtacError`: what `vtac.compile` does, for a budget of nothing, for workers that cannot be had (`kind`
    "workers"), for a store that cannot be used ("store"), and where no device is left to measure on ("device").
    """
    allowed = budget_of(budget)
    if objective not in get_args(Objective):
        raise VtacError(f"'{objective}' is no objective; 'cycles', 'bytes' or 'pareto' is required")
    if measure is not None and objective != "cycles":
        raise VtacError(f"devices tell cycles or seconds, no {objective}: leave out what measures, or give 'cycles'")
    with seldom_collected(), ExitStack() as stack:
        kept = stack.enter_context(keeping(store, retry_crashed=retry_crashed))
        workers = stack.enter_context(working(executor))
        work = prepare(module, VTA, config, None)
        refuse_several_functions(work)
        drop_scripts(work)
        bench = None if measure is None else stack.enter_context(_measuring(measure, work))
        found = _functions(work)
        default = compile_with(work.clone(), None)
        problems = _problems(found, objective, allowed)
        campaign = Campaign([one.problem for one in problems], config_of(work), workers, kept, allowed)
        campaign.run(progress)
        readings = None
        if bench is not None:
            tilings = [(kind.problem, kind.default) for kind in problems]
            readings = Readings(bench, measured_layers(bench, tilings, kept, progress))
        return result_of(work, default, problems, found, objective, allowed, readings)


@contextmanager
def keeping(store: Store | str | Path | None, *, retry_crashed: bool = False) -> Generator[Store | None]:
    """A store by its path, which is closed behind the block; one that was given stays open.

    With `retry_crashed` it has forgotten all mishaps. Raises `VtacError` where there is none to forget them.
    """
    made = opened(store)
    try:
        if retry_crashed:
            if made is None:
                raise VtacError("what crashed is in a store, and none is given: give it, or leave retry_crashed out")
            made.forget_mishaps()
        yield made
    finally:
        if made is not None and made is not store:
            made.close()


@contextmanager
def working(executor: Executor | str | None, *, limit: float = TASK_SECONDS) -> Generator[Executor]:
    """An executor by its name, which ends with the block; one that was given stays as it is. `limit` is in seconds.

    Raises `WorkersError` for a name of no executor and for a scheduler that does not answer, `ToolMissingError` where
    its package is missing.
    """
    if isinstance(executor, Executor):
        yield executor
        return
    made = executor_at(executor or "local", limit=limit)
    try:
        yield made
    except BaseException:
        made.shutdown(wait=False, cancel_futures=True)
        raise
    made.shutdown()


@contextmanager
def _measuring(urls: str | Sequence[str], work: ModuleOp) -> Generator[Bench]:
    """The devices that measure, which are closed behind the block."""
    open_bench: Callable[[str | Sequence[str], VTAConfig], Bench] = import_module("vtac.devices.measuring").open_bench
    bench = open_bench(urls, config_of(work))
    try:
        yield bench
    finally:
        bench.close()


def _functions(work: ModuleOp) -> list[TunedFunction]:
    if not needs_packing(work):
        function = next(op for op in work.ops if isinstance(op, FuncOp) and op.body.blocks)
        name = function.sym_name.data
        return [_function(name, name, 1, work.clone())]
    split = work.clone()
    split_plain(split, phase="owned")
    found: list[TunedFunction] = []
    for device in device_functions(split):
        calls = calls_of(split, {device.sym_name.data})
        called = layer_name(calls[0]) if calls else device.sym_name.data
        found.append(_function(device.sym_name.data, called, len(calls), isolated(device, split)))
    return found


def _function(name: str, called: str, calls: int, module: ModuleOp) -> TunedFunction:
    try:
        layers = layers_of(Schedule(module))
    except NoDefaultScheduleError as refusal:
        return TunedFunction(name, called, calls, module, None, f"{called}: {refusal}")
    if len(layers) != 1:
        return TunedFunction(name, called, calls, module, None, f"{called}: {len(layers)} layers in one function")
    return TunedFunction(name, called, calls, module, layers[0])


def _problems(functions: Sequence[TunedFunction], objective: Objective, budget: Budget) -> list[TunedKind]:
    """One problem for each kind of layer, of which each tries one tiling; more are shared out by their least cycles."""
    by_layer: dict[Layer, list[TunedFunction]] = {}
    for function in functions:
        if function.layer is not None:
            by_layer.setdefault(function.layer, []).append(function)
    weights = {
        layer: sum(one.calls for one in same) * roof(layer, config_of(same[0].module)).cycles
        for layer, same in by_layer.items()
    }
    shares: list[int | None] = [None] * len(weights)
    if budget.tilings is not None:
        rest = max(0, budget.tilings - len(weights))
        shares = [1 + more for more in shared(rest, list(weights.values()))]
    return [
        _kind(layer, same, objective, share, weights[layer])
        for (layer, same), share in zip(by_layer.items(), shares, strict=True)
    ]


def _kind(layer: Layer, same: list[TunedFunction], objective: Objective, share: int | None, weight: int) -> TunedKind:
    module = same[0].module
    config = config_of(module)
    default = best_tiling(_fresh(module), config, layer).tiling
    space = with_rehearsals(layer, space_of(layer, config), config, share)
    search = LayerSearch(space, objective, member_of(layer, default, config), share)
    return TunedKind(Problem(same[0].called, layer, op_text(module), weight, search), default, same)


def _fresh(module: ModuleOp) -> Iterator[Schedule]:
    while True:
        yield Schedule(module)
