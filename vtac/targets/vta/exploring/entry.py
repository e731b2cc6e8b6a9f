"""`vtac.explore`: which machine for these networks, each point compiled, proven and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from functools import cached_property
from io import StringIO
from itertools import islice
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.printer import Printer

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.preparation import drop_scripts, prepare, refuse_several_functions
from vtac.progress import Progress
from vtac.store.records import Outcome, Trial, canonical, digest
from vtac.store.store import Store
from vtac.targets.vta.compiler_identity import model_identity
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.energy import HOROWITZ_45NM, CostTable, read_table
from vtac.targets.vta.exploring.machines import NAMES, Machine, machines
from vtac.targets.vta.exploring.points import PointJob, PointResult, compute_points
from vtac.targets.vta.exploring.sweep import Figures, Point, Sweep, figures_of
from vtac.targets.vta.exploring.where import parse_where
from vtac.targets.vta.target import VTA
from vtac.targets.vta.tuning.entry import keeping, working
from vtac.targets.vta.tuning.identity import machine_text
from vtac.workers.crew import Crash, Crew

MOST_POINTS = 2000
_UNKNOWN_WORKERS = 64
POINT_SECONDS = 1800.0

Source = ModuleOp | str | Path
_Key = tuple[str, tuple[int, int, int]]
"""A network by its name, and the tiles of machines that may share its tilings."""


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
    progress: Progress | None = None,
) -> Sweep:
    """Compile networks for many machines and count what they take on each; `str()` of the sweep is a table.

    `configs` are the machines, or they are enumerated: all legal values of the dimensions that `where` names
    (`"BLOCK in (16, 32) and sram_kib <= 512"`) or that `vary` lists, the others as in `base`; of those the ones for
    which `where` holds. The names are those of `vtac.targets.vta.exploring.machines.DIMENSIONS`, `sram_kib` and
    `multipliers`. `executor` and `store` are as for `vtac.tune`. `energy` is a table, or the JSON file of one.
    Machines that differ in timing alone share a program. With `share`, layers get the tiling that was found for the
    largest machine with the same tiles where that fits; without it each machine is searched for by itself, as
    `vtac.compile` does.

    Raises `VtacError` for no machine or more than `most`, a condition that cannot be read (`kind` "where"), and what
    `vtac.tune` does. A network that a machine cannot hold is the `error` of a point.
    """
    table = energy if isinstance(energy, CostTable) else HOROWITZ_45NM if energy is None else read_table(energy)
    chosen = _machines(configs, where, vary, base, most)
    networks = [_network(name, source) for name, source in _named(modules).items()]
    with keeping(store) as kept, working(executor, limit=POINT_SECONDS) as workers:
        sweep = _Exploration(networks, chosen, workers, kept, share, progress)
        sweep.run()
    points = [Point(machine, tuple(sweep.figures(one, machine) for one in networks), table) for machine in chosen]
    return Sweep(tuple(one.name for one in networks), tuple(points), table, sweep.compiled, sweep.counted)


@dataclass(frozen=True)
class Sample:
    """Some jobs of a sweep, evenly chosen, and how many points it has in all; `share` as `explore` has it."""

    points: int
    jobs: tuple[PointJob, ...]
    share: bool


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
    """A few jobs of a sweep, of each network in turn. Raises as `explore` does."""
    chosen = _machines(None, where, vary, base, most)
    networks = [_network(name, source) for name, source in _named(modules).items()]
    total = len(chosen) * len(networks)
    places = [(number * len(chosen) // count, networks[number % len(networks)]) for number in range(min(count, total))]
    jobs = [_job(one, one.text, chosen[place].program_config, [chosen[place]], {}) for place, one in places]
    return Sample(total, tuple(jobs), share)


def _machines(
    configs: Iterable[VTAConfig | Machine] | None,
    where: str | None,
    vary: Sequence[str],
    base: VTAConfig | None,
    most: int,
) -> list[Machine]:
    condition = None if where is None else parse_where(where, NAMES)
    if configs is None:
        found = list(islice(machines(condition, vary, Machine(base or VTAConfig(), Timing.de10())), most + 1))
    else:
        given = [one if isinstance(one, Machine) else Machine(one, Timing.de10()) for one in configs]
        found = [one for one in dict.fromkeys(given) if condition is None or condition.holds(one.values)]
    if not found:
        raise VtacError(
            f"no configuration is legal{f' where {where}' if where else ''}: instructions and micro-ops must encode, "
            "every memory hold an element, and a tile not cross a burst; allow more values"
        )
    if len(found) > most:
        raise VtacError(f"there are more than {most:,} configurations: narrow --where, or raise --most")
    return found


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
            raise VtacError(f"two networks are called {name}: give them as a dictionary by name, or from other files")
        found[name] = one
    if not found:
        raise VtacError("there is no network to explore: give at least one")
    return found


def _network(name: str, source: Source) -> _Network:
    text, function = _text(source)
    return _Network(name, text, function, digest(text))


def _text(source: Source) -> tuple[str, str]:
    """A module's text without configuration and scripts, and the name of its function."""
    module = prepare(source, VTA, None, None)
    refuse_several_functions(module)
    drop_scripts(module)
    module.attributes.pop("vta.config", None)
    text = StringIO()
    Printer(text).print_op(module)
    function = next(op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks)
    return text.getvalue(), function.sym_name.data


@dataclass(frozen=True)
class _Network:
    name: str
    text: str
    function: str
    digest: str


@dataclass
class _Exploration:
    """Gives jobs to the workers: first the largest machine of each kind of tiles, then the others with its tilings."""

    networks: Sequence[_Network]
    machines: Sequence[Machine]
    executor: Executor
    store: Store | None
    share: bool
    progress: Progress | None
    compiled: int = 0
    counted: int = 0
    _known: dict[tuple[str, Machine], Outcome] = field(default_factory=dict[tuple[str, Machine], Outcome])
    _tilings: dict[_Key, Mapping[str, str]] = field(default_factory=dict[_Key, Mapping[str, str]])

    def figures(self, network: _Network, machine: Machine) -> Figures:
        """What is known of a point."""
        return figures_of(network.name, self._known[network.name, machine])

    def run(self) -> None:
        """Compute what the store does not know."""
        self._read()
        crew: Crew[PointJob, PointResult] = Crew(self.executor, compute_points)
        waiting = self._groups()
        first = {key: groups[0] for key, groups in waiting.items()} if self.share else {}
        self._work(crew, [(key, config, {}) for key, config in first.items()])
        self._work(
            crew,
            [
                (key, config, self._tilings.get(key, {}))
                for key, configs in waiting.items()
                for config in configs
                if first.get(key) != config
            ],
        )

    def _groups(self) -> dict[_Key, list[VTAConfig]]:
        """Configurations with points that are not known, by network and tiles; the largest of all is the first."""
        found: dict[_Key, list[VTAConfig]] = {}
        for network in self.networks:
            sizes: dict[tuple[int, int, int], list[VTAConfig]] = {}
            for machine in self.machines:
                sizes.setdefault(machine.tiles, []).append(machine.program_config)
            for tiles, configs in sizes.items():
                ordered = sorted(dict.fromkeys(configs), key=_size, reverse=True)
                missing = [one for one in ordered if self._missing(network, one)]
                if missing and self.share:
                    missing = list(dict.fromkeys([ordered[0], *missing]))
                if missing:
                    found[network.name, tiles] = missing
        return found

    def _missing(self, network: _Network, config: VTAConfig) -> list[Machine]:
        """The machines that run programs of a configuration on which a network was not counted."""
        return [one for one in self._by_program[config] if (network.name, one) not in self._known]

    @cached_property
    def _by_program(self) -> dict[VTAConfig, list[Machine]]:
        found: dict[VTAConfig, list[Machine]] = {}
        for machine in self.machines:
            found.setdefault(machine.program_config, []).append(machine)
        return found

    def _work(
        self,
        crew: Crew[PointJob, PointResult],
        jobs: Sequence[tuple[_Key, VTAConfig, Mapping[str, str]]],
    ) -> None:
        """Do jobs, a few for each worker at a time. A text is sent with the first ones, and to who lacks it."""
        by_name = {network.name: network for network in self.networks}
        workers = int(getattr(self.executor, "count", _UNKNOWN_WORKERS))
        waiting = list(enumerate(jobs))[::-1]
        while waiting or len(crew):
            while waiting and len(crew) < 2 * workers:
                number, (key, config, tilings) = waiting.pop()
                network = by_name[key[0]]
                text = network.text if number < workers else ""
                crew.submit(number, [_job(network, text, config, self._missing(network, config), tilings)])
            for done in crew.collect(timeout=1.0):
                key, config, tilings = jobs[done.number]
                network, result = by_name[key[0]], done.results[0]
                missing = self._missing(network, config)
                if isinstance(result, PointResult) and result.needs_text:
                    crew.submit(done.number, [_job(network, network.text, config, missing, tilings)])
                else:
                    self._take(network, key, missing, result)
            self._report()

    def _take(
        self,
        network: _Network,
        key: _Key,
        machines: Sequence[Machine],
        result: PointResult | Crash,
    ) -> None:
        self.compiled += 1
        self.counted += len(machines)
        if isinstance(result, Crash):
            status = "timeout" if result.reason.startswith("took more") else "crashed"
            result = PointResult((Outcome(status, message=f"its worker {result.reason}, twice"),) * len(machines), {})
        self._tilings.setdefault(key, result.tilings)
        fresh: list[tuple[Trial, Outcome]] = []
        texts: list[tuple[str, str]] = []
        for machine, outcome in zip(machines, result.outcomes, strict=True):
            self._known[network.name, machine] = outcome
            fresh.append((self._trial(network, machine), outcome))
            text = machine_text(machine.config, machine.timing)
            texts.append((digest(text), text))
        if self.store is not None:
            self.store.record(fresh, texts)

    def _trial(self, network: _Network, machine: Machine) -> Trial:
        """What the store calls a point. A point whose tilings are shared depends on which machines share them."""
        timed = machine_text(machine.config, machine.timing)
        shared = "" if not self.share else digest(self._largest(machine))
        return Trial(network.digest, digest(timed), f"point {shared}", model_identity())

    def _largest(self, machine: Machine) -> str:
        return self._largest_of[machine.tiles]

    @cached_property
    def _largest_of(self) -> dict[tuple[int, int, int], str]:
        found: dict[tuple[int, int, int], VTAConfig] = {}
        for machine in self.machines:
            config = machine.program_config
            best = found.get(machine.tiles)
            if best is None or _size(config) > _size(best):
                found[machine.tiles] = config
        return {tiles: canonical(asdict(config)) for tiles, config in found.items()}

    def _read(self) -> None:
        for network in self.networks if self.store is not None else ():
            for machine in self.machines:
                trial = self._trial(network, machine)
                found = self.store.outcomes(trial.problem, trial.machine, trial.model) if self.store else {}
                if trial.candidate in found:
                    self._known[network.name, machine] = found[trial.candidate]

    def _report(self) -> None:
        if self.progress is not None:
            self.progress("explore", len(self._known), len(self.networks) * len(self.machines))


def _job(
    network: _Network, text: str, config: VTAConfig, machines: Sequence[Machine], tilings: Mapping[str, str]
) -> PointJob:
    return PointJob(network.digest, text, config, tuple(machine.timing for machine in machines), tilings)


def _size(config: VTAConfig) -> tuple[int, ...]:
    """How large the memories of a configuration are; ties by each of them."""
    logs = tuple(int(getattr(config, f"log_{name}_buff_size")) for name in ("wgt", "acc", "inp", "uop"))
    return sum(1 << log for log in logs), *logs
