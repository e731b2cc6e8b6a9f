"""What tilings are thought to take, by the formula and the rehearsal, beside what their programs take.

    python benchmarks/estimates.py                               # two networks and C2 to C12 on three machines
    python benchmarks/estimates.py C8 resnet50 --config quarter
    python benchmarks/estimates.py layers --random 6 --threads 0
    python benchmarks/estimates.py squeezenet --config mine.json

Of each layer of networks, and of C2 to C12 (`layers`), the tilings that are ranked first, some taken at random from
the space of `vtac tune`, which nobody would rank, and some with virtual threads, are built, and their cycles counted
by the cycle model. Errors are those of cycles and bytes against the exact ones. Programs of more than 4,000
instructions are left out, as default schedules time none of them, and tilings that the compiler refuses. The command
fails where a rehearsal is further off than --within says.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from resnet_layers import CASES

import vtac
from vtac.analysis.ir.device_functions import device_functions
from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.preparation import prepare
from vtac.schedule import Schedule
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.linking.plain import split_plain
from vtac.targets.vta.schedules.cost import Estimate, estimates
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.ranking import candidates
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import tilings_of
from vtac.targets.vta.target import VTA
from vtac.targets.vta.tuning.space import LONGEST, Space, space_of
from vtac.targets.vta.tuning.trials import Job, built, counted
from vtac.workloads.networks.catalogue import NETWORKS

MACHINES: dict[str, VTAConfig] = {
    "default": VTAConfig(),
    "quarter": VTAConfig(log_inp_buff_size=13, log_wgt_buff_size=16, log_acc_buff_size=15),
    "block32": VTAConfig(log_block=5),
}
"""The default configuration; with a quarter of INP, WGT and ACC; with tiles of 32 channels. Files of the command line
are added."""
USUAL = ("layers", "resnet18", "mobilenet-v2")
"""What is compared when nothing is named."""
KINDS = ("ranked", "random", "threads")


@dataclass(frozen=True)
class Subject:
    """A layer with the text of the one function that has it."""

    name: str
    machine: str
    text: str
    layer: Layer

    @property
    def config(self) -> VTAConfig:
        return MACHINES[self.machine]


@dataclass(frozen=True)
class Trial:
    """A tiling: what the formula, the rehearsal and the cycle model say of it."""

    subject: Subject
    kind: str
    tiling: Tiling
    formula: Estimate
    rehearsed: Estimate
    exact: Estimate

    @property
    def error(self) -> float:
        """Of the rehearsal's cycles."""
        return self.rehearsed.cycles / self.exact.cycles - 1


def subjects(names: Sequence[str], machine: str) -> Iterator[Subject]:
    """The layers of networks, or of C2 to C12, each kind once."""
    config, seen = MACHINES[machine], set[Layer]()
    for name in (part for one in names for part in (CASES if one == "layers" else (one,))):
        for called, schedule in _functions(name, config):
            try:
                layers = layers_of(schedule)
            except VtacError:
                continue
            if len(layers) == 1 and layers[0] not in seen:
                seen.add(layers[0])
                yield Subject(called, machine, str(schedule.module), layers[0])


def _functions(name: str, config: VTAConfig) -> Iterator[tuple[str, Schedule]]:
    if name in CASES:
        yield name, Schedule(vtac.parse(replace(CASES[name].layer, config=config).text()), config=config)
        return
    module = prepare(NETWORKS[name]().module(), VTA, config, None)
    split_plain(module, phase="owned")
    for device in device_functions(module):
        yield f"{name} {device.sym_name.data}", Schedule(isolated(device, module))


def tilings(subject: Subject, counts: dict[str, int], chance: random.Random) -> Iterator[tuple[str, Tiling]]:
    """Those to try of a layer, and why each was chosen."""
    ranked = candidates(subject.layer, subject.config)[: counts["ranked"]]
    yield from (("ranked", one.tiling) for one in ranked)
    if not counts["random"] and not counts["threads"]:
        return
    space = space_of(subject.layer, subject.config)
    for kind, is_wanted in (("random", space.tilings.threads == 1), ("threads", space.tilings.threads > 1)):
        places = np.flatnonzero(is_wanted).tolist()
        yield from ((kind, _member(space, place)) for place in chance.sample(places, min(counts[kind], len(places))))


def _member(space: Space, place: int) -> Tiling:
    return space.member(place).tiling


def tried(subject: Subject, kind: str, tiling: Tiling) -> Trial | None:
    """A tiling's program, counted; None where it is too long or refused."""
    layer, config = subject.layer, subject.config
    (formula,) = estimates(layer, tilings_of([tiling], len(layer.extents)), config).listed()
    if formula.instructions > LONGEST:
        return None
    try:
        exact = counted(built(Job(subject.text, tiling, Timing.de10())), Timing.de10())
    except VtacError:
        return None
    outline = outline_of(layer, tiling, config)
    rehearsed = Estimate(outline.nbytes(config), rehearse(outline, config))
    return Trial(subject, kind, tiling, formula, rehearsed, Estimate(exact.nbytes, exact.cycles))


def shown(tiling: Tiling) -> str:
    """A tiling without what is as usual."""
    usual = vars(Tiling(tiling.tile))
    others = [f"{name}={value}" for name, value in vars(tiling).items() if name == "tile" or value != usual[name]]
    return ", ".join(others)


def table(trials: Sequence[Trial]) -> Iterator[str]:
    """Rows of errors: what was tried by why, and by what thought of it."""
    yield "| | tilings | mean error | 90 % | 99 % | worst | bytes, 99 % |"
    yield "|---|---|---|---|---|---|---|"
    thoughts: dict[str, Callable[[Trial], Estimate]] = {
        "the formula": lambda one: one.formula,
        "rehearsed": lambda one: one.rehearsed,
    }
    for kind in KINDS:
        some = [one for one in trials if one.kind == kind]
        for name, thought in thoughts.items() if some else ():
            cycles = np.array([abs(thought(one).cycles / one.exact.cycles - 1) for one in some])
            nbytes = np.array([abs(thought(one).nbytes / one.exact.nbytes - 1) for one in some])
            most, nearly = np.percentile(cycles, [90, 99]).tolist()
            yield (
                f"| {kind}, {name} | {len(some)} | {cycles.mean():.1%} | {most:.1%} | {nearly:.1%} "
                f"| {cycles.max():.1%} | {np.percentile(nbytes, 99):.1%} |"
            )


def options() -> argparse.Namespace:
    """What the command line says. Ends the process where it says what is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks, layers C2 to C12, or `layers`")
    machines = f"for which machine: {', '.join(MACHINES)}, or a vta_config.json; the first three by default"
    parser.add_argument("--config", action="append", default=[], help=machines)
    parser.add_argument("--ranked", type=int, default=6, help="tilings that are ranked first (default 6)")
    parser.add_argument("--random", type=int, default=2, help="tilings at random (default 2)")
    parser.add_argument("--threads", type=int, default=1, help="tilings with virtual threads (default 1)")
    parser.add_argument("--seed", type=int, default=3, help="of what is random (default 3)")
    parser.add_argument("--worst", type=int, default=6, help="how many of the worst are shown (default 6)")
    parser.add_argument("--within", type=float, default=5.0, help="per cent; more of a rehearsal fails (default 5)")
    given = parser.parse_args()
    known = ("layers", *CASES, *NETWORKS)
    for name in given.names:
        if name not in known:
            parser.error(f"no network or layer {name}; there are {', '.join(known)}")
    for name in given.config:
        if name not in MACHINES:
            try:
                MACHINES[name] = VTAConfig.from_json(name)
            except VtacError as error:
                parser.error(f"--config {name}: {error.message}; or {', '.join(MACHINES)}")
    for name in ("ranked", "random", "threads", "worst"):
        if getattr(given, name) < 0:
            parser.error(f"--{name} {getattr(given, name)}: a number from 0 on is required")
    if not given.within >= 0:
        parser.error(f"--within {given.within}: a share of 0 per cent or more is required")
    if not any(getattr(given, kind) for kind in KINDS):
        parser.error("nothing is compared: --ranked, --random and --threads are 0")
    return given


def main() -> int:
    """Prints the table and the worst; returns 1 where a rehearsal is further off than allowed, or nothing compiles."""
    given = options()
    machines, names = given.config or list(MACHINES), given.names or USUAL
    try:
        trials = [one for machine in machines for one in _trials(machine, names, given)]
    except VtacError as error:
        print(f"estimates.py: {error.message}", file=sys.stderr)
        return 1
    print("\n".join(table(trials)))
    worst = sorted(trials, key=lambda one: -abs(one.error))
    for one in worst[: given.worst]:
        print(f"{one.error:+.1%} {one.kind}, {one.subject.machine}, {one.subject.name}: {shown(one.tiling)}")
    return 1 if worst and abs(worst[0].error) > given.within / 100 else 0


def _trials(machine: str, names: Sequence[str], given: argparse.Namespace) -> Iterator[Trial]:
    chance, counts = random.Random(given.seed), {kind: int(getattr(given, kind)) for kind in KINDS}
    start, left = time.process_time(), 0
    for subject in subjects(names, machine):
        for kind, tiling in tilings(subject, counts, chance):
            trial = tried(subject, kind, tiling)
            if trial is not None:
                yield trial
            left += trial is None
    told = f"{time.process_time() - start:.0f} CPU s; {left} tilings too long, or refused"
    print(f"{machine}: {' '.join(names)}, {told}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
