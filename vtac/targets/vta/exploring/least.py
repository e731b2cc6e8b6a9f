"""What a network takes at least on a machine, whatever its tilings: known as soon as it is split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from xdsl.dialects.builtin import ModuleOp

from vtac.analysis.ir.device_functions import calls_of, device_functions
from vtac.analysis.ir.target import config_of
from vtac.collection import seldom_collected
from vtac.dialects.hardware import VTAConfig
from vtac.errors import NoDefaultScheduleError, VtacError
from vtac.partition.layouts import needs_packing
from vtac.passes.vta.isolate_device_functions import function_in, isolated
from vtac.pipelines import Runner
from vtac.schedule import Schedule
from vtac.targets.vta.compilation import CompilationContext
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.jobs import HeldNetwork, PointJob, held_network
from vtac.targets.vta.exploring.needed_loads import LoadTotal, NeededLoads, needed_loads
from vtac.targets.vta.exploring.origins import Origins
from vtac.targets.vta.programs.work import Work
from vtac.targets.vta.schedules.kernel_forms import form_of
from vtac.targets.vta.schedules.kernel_lowering import work_in
from vtac.targets.vta.schedules.search import layers_of
from vtac.text.context import dialect_factories
from vtac.workers.crew import Crash, Crew

_UNKNOWN_WORKERS = 64
_NO_WORK = Work(0, 0, 0, 0, 0)
_UNDERWAY = 2
"""Beats between the bus and a memory: a tensor load is written two cycles behind the bus."""


@dataclass(frozen=True)
class CallWork:
    """What one call of a device function takes: bytes of `inputs` and `weights`, which may lie on chip before."""

    work: Work
    inputs: int
    weights: int

    def cycles(self, config: VTAConfig, timing: Timing) -> int:
        """From the first instruction of its compute unit to that of the next call, at least.

        That unit does calls one after the other. Of what a call reads no more is on chip when it begins than INP and
        WGT hold, and what is between the bus and them; the others are loaded until it ends.
        """
        underway = _UNDERWAY * timing.bus_bytes
        spared = min(self.inputs, 1 << config.log_inp_buff_size) + min(self.weights, 1 << config.log_wgt_buff_size)
        return max(self.work.compute(timing), (self.work.loaded - spared - underway) // timing.bus_bytes)


@dataclass(frozen=True)
class NetworkWork:
    """The work of a network on a machine: all of it, and call by call."""

    whole: Work
    calls: tuple[CallWork, ...] = ()

    def cycles(self, config: VTAConfig, timing: Timing) -> int:
        """At least: what its busiest unit takes, or its calls one after the other."""
        return max(self.whole.cycles(config, timing), sum(one.cycles(config, timing) for one in self.calls))


@dataclass(frozen=True)
class Least:
    """The work of a network on a machine; nothing where it cannot be split. `needs_text` as `PointResult` has it."""

    work: NetworkWork
    needs_text: bool = False


def works_on(
    networks: Sequence[tuple[str, str]], configs: Sequence[VTAConfig], executor: Executor
) -> dict[tuple[str, VTAConfig], NetworkWork]:
    """The work of each network, which stands by its digest with its text, under each configuration."""
    jobs = [PointJob(name, text, config, (), {}) for name, text in networks for config in configs]
    crew: Crew[PointJob, Least] = Crew(executor, split_points)
    workers = int(getattr(executor, "count", _UNKNOWN_WORKERS))
    found: dict[tuple[str, VTAConfig], NetworkWork] = {}
    for number, job in enumerate(jobs):
        crew.submit(number, [job if number < workers else replace(job, text="")])
    while len(crew):
        for done in crew.collect(timeout=1.0):
            job, least = jobs[done.number], done.results[0]
            if isinstance(least, Least) and least.needs_text:
                crew.submit(done.number, [job])
            else:
                found[job.network, job.config] = _NOTHING if isinstance(least, Crash) else least.work
    return found


_NOTHING = NetworkWork(_NO_WORK)


def split_points(jobs: Sequence[PointJob]) -> list[Least]:
    """What a worker does: the work of each job's network."""
    with seldom_collected():
        return [_least_of(job) for job in jobs]


def _least_of(job: PointJob) -> Least:
    network = held_network(job)
    if network is None:
        return Least(_NOTHING, needs_text=True)
    try:
        return Least(_work(network, job.config))
    except VtacError:
        return Least(_NOTHING)


def _work(network: HeldNetwork, config: VTAConfig) -> NetworkWork:
    module = network.prepared(config)
    if not needs_packing(module):
        known = _known_of(module)
        return (
            _NOTHING if known is None else NetworkWork(Work.from_fields({**known.work, "loaded": known.loads.nbytes}))
        )
    network.fronts.split(Runner(CompilationContext.of(dialect_factories()), verify_phases=False), module)
    return work_of_network(module)


def work_of_network(module: ModuleOp) -> NetworkWork:
    """The work of all calls of device functions in a module that was split; none of a function that is no layer.

    What is loaded of inputs and weights counts once for all calls that may have it in common.
    """
    total: Counter[str] = Counter(_NO_WORK.fields())
    loaded, origins = LoadTotal(), Origins(module)
    known: dict[str, _Known | None] = {}
    calls: list[CallWork] = []
    for device in device_functions(module):
        form = form_of(device)
        name = device.sym_name.data if form is None else form.text
        if name not in known:
            known[name] = _known_of(isolated(device, module))
        found = known[name]
        if found is None:
            continue
        for call in calls_of(module, {device.sym_name.data}):
            total.update(found.work)
            sources = [origins.of(operand) for operand in call.operands]
            loaded.add(found.loads, sources)
            calls.append(found.call(sources))
    return NetworkWork(Work.from_fields({**total, "loaded": loaded.nbytes}), tuple(calls))


@dataclass(frozen=True)
class _Known:
    """What one run of a function takes; of what its work loads, `loads` knows what may be spared."""

    work: Mapping[str, int]
    loads: NeededLoads

    def call(self, origins: Sequence[Hashable]) -> CallWork:
        """A call with arguments of those origins."""
        own = LoadTotal()
        own.add(self.loads, origins)
        work = Work.from_fields({**self.work, "loaded": own.nbytes})
        return CallWork(work, own.of("inp"), own.of("wgt"))


def _known_of(module: ModuleOp) -> _Known | None:
    """What the function of a module takes; None where it is no layers."""
    config, given, schedule = config_of(module), len(function_in(module).body.block.args), Schedule(module)
    try:
        layers = layers_of(schedule)
    except NoDefaultScheduleError:
        return None
    if not layers:
        return None
    return _Known(work_in(layers, config), needed_loads(function_in(schedule.module), given, layers, config))


def least_cycles(works: Sequence[NetworkWork], config: VTAConfig, timing: Timing) -> int:
    """Cycles that networks take one after the other, at least."""
    return sum(work.cycles(config, timing) for work in works)
