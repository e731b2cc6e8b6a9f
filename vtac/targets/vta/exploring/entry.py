"""`vtac.explore`: which machine for these networks, each point compiled, proven and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.preparation import drop_scripts, prepare, refuse_several_functions
from vtac.progress import Progress
from vtac.store.records import Outcome, digest
from vtac.store.store import Store
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.energy import HOROWITZ_45NM, CostTable, read_table
from vtac.targets.vta.exploring.enumeration import NoMachine, combinations, said_of_illegal, said_of_values, untried
from vtac.targets.vta.exploring.exploration import Exploration, NetworkText
from vtac.targets.vta.exploring.jobs import PointJob
from vtac.targets.vta.exploring.least import least_cycles, works_on
from vtac.targets.vta.exploring.machines import NAMES, Machine
from vtac.targets.vta.exploring.point import Point, figures_of
from vtac.targets.vta.exploring.pruning import without_dominated
from vtac.targets.vta.exploring.shared_tilings import merged_tilings
from vtac.targets.vta.exploring.sweep import Sweep
from vtac.targets.vta.exploring.where import parse_where
from vtac.targets.vta.target import VTA
from vtac.targets.vta.tuning.entry import keeping, working
from vtac.text.printing import op_text

MOST_POINTS = 2000
POINT_SECONDS = 1800.0
_COUNTED = 20_000
"""Configurations that are counted to say how many there are, of more than may be swept."""

_RULES = "instructions and micro-ops must encode, every memory hold an element, and a tile not cross a burst"

Source = ModuleOp | str | Path


def explore(
    modules: Source | Sequence[Source] | Mapping[str, Source],
    configs: Iterable[VTAConfig | Machine] | None = None,
    *,
    where: str | None = None,
    vary: Sequence[str] = (),
    base: VTAConfig | None = None,
    executor: Executor | str | None = None,
    store: Store | str | Path | None = None,
    energy: CostTable | str | Path | None = None,
    share: bool = True,
    most: int = MOST_POINTS,
    prune: bool = False,
    progress: Progress | None = None,
    retry_crashed: bool = False,
) -> Sweep:
    """Compile networks for many machines and count what they take on each; `str()` of the sweep is a table.

    `configs` are the machines, or they are enumerated: all legal values of the dimensions that `where` names
    (`"BLOCK in (16, 32) and sram_kib <= 512"`) or that `vary` lists, the others as in `base`; of those the ones for
    which `where` holds. The names are those of `vtac.targets.vta.exploring.machines.DIMENSIONS`, `sram_kib` and
    `multipliers`. `executor`, `store` and `retry_crashed` are as for `vtac.tune`. `energy` is a table, or the JSON file
    of one. Machines that differ in timing alone share a program. With `share`, layers get the tiling of the machine
    with the next larger memories and the same tiles where that fits; without it each machine is searched for by itself,
    as `vtac.compile` does. With `prune`, machines are left out that a point is proven to be as good as in cycles and
    SRAM and better in one: their lower bounds are compared with points of other tiles. They are the sweep's `pruned`.

    Raises `VtacError` for no machine or more than `most`, a condition that cannot be read (`kind` "where"), and what
    `vtac.tune` does. A network that a machine cannot hold is the `error` of a point.
    """
    table = energy if isinstance(energy, CostTable) else HOROWITZ_45NM if energy is None else read_table(energy)
    chosen, illegal = _machines(configs, where, vary, base, most)
    networks = _networks(modules)
    with keeping(store, retry_crashed=retry_crashed) as kept, working(executor, limit=POINT_SECONDS) as workers:
        work = _Work(networks, table, workers, kept, share, progress, len(chosen))
        if prune:
            points, pruned = without_dominated(chosen, work.least(chosen), work.count)
            places = {machine: place for place, machine in enumerate(chosen)}
            points.sort(key=lambda point: places[point.machine])
        else:
            points, pruned = work.count(chosen), []
    names = tuple(one.name for one in networks)
    return Sweep(names, tuple(points), table, work.compiled, work.counted, tuple(pruned), illegal)


@dataclass
class _Work:
    """Counts networks on some of the `total` machines of a sweep at a time."""

    networks: Sequence[NetworkText]
    table: CostTable
    executor: Executor
    store: Store | None
    share: bool
    progress: Progress | None
    total: int
    compiled: int = 0
    counted: int = 0
    known: dict[tuple[str, Machine], Outcome] = field(default_factory=dict[tuple[str, Machine], Outcome])

    def count(self, machines: Sequence[Machine]) -> list[Point]:
        """What the networks take on machines, which share tilings with one another only."""
        sweep = Exploration(self.networks, machines, self.executor, self.store, self.share, self._report, self.known)
        sweep.run()
        self.compiled += sweep.compiled
        self.counted += sweep.counted
        names = [one.name for one in self.networks]
        return [
            Point(one, tuple(figures_of(name, self.known[name, one]) for name in names), self.table) for one in machines
        ]

    def least(self, machines: Sequence[Machine]) -> dict[Machine, int]:
        """The cycles that each takes at least."""
        configs = list(dict.fromkeys(machine.program_config for machine in machines))
        works = works_on([(one.placed, one.text) for one in self.networks], configs, self.executor)
        digests = [one.placed for one in self.networks]
        return {
            one: least_cycles([works[name, one.program_config] for name in digests], one.program_config, one.timing)
            for one in machines
        }

    def _report(self, what: str, done: int, _: int) -> None:
        if self.progress is not None:
            self.progress(what, done, len(self.networks) * self.total)


@dataclass(frozen=True)
class Sample:
    """Some jobs of a sweep, and how many points it has in all; `share` as `explore` has it.

    `seconds` are of CPU, of tasks that a store knows; empty where jobs have to be tried.
    """

    points: int
    jobs: tuple[PointJob, ...]
    share: bool
    seconds: tuple[float, ...] = ()


def sample_jobs(
    modules: Source | Sequence[Source] | Mapping[str, Source],
    where: str | None,
    vary: Sequence[str],
    base: VTAConfig | None,
    count: int,
    *,
    share: bool = True,
    most: int = MOST_POINTS,
) -> Sample:
    """A few jobs of a sweep, evenly chosen, of each network in turn. Raises as `explore` does."""
    chosen, _ = _machines(None, where, vary, base, most)
    networks = _networks(modules)
    total = len(chosen) * len(networks)
    places = [(number * len(chosen) // count, networks[number % len(networks)]) for number in range(min(count, total))]
    jobs = [
        PointJob(one.placed, one.text, chosen[place].program_config, (chosen[place].timing,), {})
        for place, one in places
    ]
    return Sample(total, tuple(jobs), share)


def recorded_sample(
    modules: Source | Sequence[Source] | Mapping[str, Source],
    where: str | None,
    vary: Sequence[str],
    base: VTAConfig | None,
    store: Store,
    *,
    share: bool = True,
    most: int = MOST_POINTS,
) -> Sample:
    """What a store knows of the times of a sweep, and a job as large as the largest. Raises as `explore` does.

    Raises `VtacError`, too, for a store that knows no point of it.
    """
    chosen, _ = _machines(None, where, vary, base, most)
    networks = _networks(modules)
    with working("local:1") as unused:
        seconds, tilings = Exploration(networks, chosen, unused, store, share, None).recorded()
    if not seconds:
        raise VtacError(
            f"{store.path} knows no times of this sweep, which the same network, options and vtac make: sweep with "
            "--store first, or leave it out, so that tasks are tried"
        )
    machine = chosen[0]
    job = PointJob(networks[0].placed, "", machine.program_config, (machine.timing,), merged_tilings([tilings]))
    return Sample(len(chosen) * len(networks), (job,), share, tuple(seconds))


def _machines(
    configs: Iterable[VTAConfig | Machine] | None,
    where: str | None,
    vary: Sequence[str],
    base: VTAConfig | None,
    most: int,
) -> tuple[list[Machine], dict[NoMachine, int]]:
    """The machines of a sweep, and how many combinations that were asked for are none, by the reason."""
    condition, counted = None if where is None else parse_where(where, NAMES), max(most, _COUNTED)
    if condition is not None and condition.is_number:
        raise VtacError(f"--where '{where}' is a number, no condition: compare it, as in `BLOCK == 16`")
    found: list[Machine] = []
    illegal: Counter[NoMachine] = Counter()
    if configs is None:
        for one in combinations(condition, vary, Machine(base or VTAConfig(), Timing.de10())):
            if isinstance(one, Machine):
                found.append(one)
            else:
                illegal[one] += 1
            if len(found) > counted:
                break
    else:
        given = [one if isinstance(one, Machine) else Machine(one, Timing.de10()) for one in configs]
        found = [one for one in dict.fromkeys(given) if condition is None or condition.holds(one.values)]
    never = "" if condition is None or configs is not None else untried(condition)
    if not found:
        asked = f" where {where}" if where else ""
        if illegal and not never:
            raise VtacError(
                f"no configuration is legal{asked}: {said_of_illegal(illegal)}; {_RULES}; ask for other values"
            )
        why = never or ("none of those given meets it" if configs is not None else said_of_values(condition, vary))
        raise VtacError(f"no configuration is legal{asked}: {why}; ask for other values")
    if never:
        raise VtacError(f"--where: {never}: leave it out, or give vtac.explore the machines themselves")
    if len(found) > most:
        number = f"more than {counted:,}" if configs is None and len(found) > counted else f"{len(found):,}"
        raise VtacError(
            f"there are {number} configurations, and at most {most:,} may be swept: narrow --where, or raise --most"
        )
    return found, dict(illegal)


def _named(modules: Source | Sequence[Source] | Mapping[str, Source]) -> dict[str, Source]:
    """Networks by name: those given, else of files, else of functions. Raises `VtacError` for none, or equal names."""
    if isinstance(modules, Mapping):
        return dict(modules)
    given = [modules] if isinstance(modules, ModuleOp | str | Path) else list(modules)
    found: dict[str, Source] = {}
    for number, one in enumerate(given, 1):
        name = (
            Path(one).stem
            if isinstance(one, Path) or (isinstance(one, str) and "\n" not in one)
            else f"network {number}"
        )
        if name in found:
            raise VtacError(
                f"two networks are called {name}, as their files are: rename a file, or give vtac.explore a dictionary "
                "of names"
            )
        found[name] = one
    if not found:
        raise VtacError("there is no network to explore: give at least one")
    return found


def _networks(modules: Source | Sequence[Source] | Mapping[str, Source]) -> list[NetworkText]:
    """Networks without configuration and scripts."""
    return [_network(name, source) for name, source in _named(modules).items()]


def _network(name: str, source: Source) -> NetworkText:
    module = prepare(source, VTA, None, None)
    refuse_several_functions(module)
    drop_scripts(module)
    module.attributes.pop("vta.config", None)
    return NetworkText(name, op_text(module, places=True), digest(op_text(module)))
