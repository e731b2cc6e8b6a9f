"""Start-up and compile times: what a user waits for before the first result.

All in CPU time (user and system), medians, so that other work on the machine counts little; but for what two processes
compile together, which is measured by the clock. Processes find Python's bytecode, as those of an installed package do:
the first run of each, which writes it, does not count. Start-up is measured
in fresh processes, against one that only imports numpy; compilation in this process, cold (first compile) and
warm. With names of networks, those are compiled too, each time in a process of its own: with nothing in the cache, with
the layers that this has lowered, with what is known of its stream as well (as for other weights), with the program.
`--against` measures another checkout in turn with this one, so that
what else goes on in the machine falls on both. benchmarks/networks.py measures runs of networks as well.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent

PROCESSES = {
    "python -c 'import numpy'": ["-c", "import numpy"],
    "python -c 'import vtac'": ["-c", "import vtac"],
    "vtac --help": ["-m", "vtac.tools.vtac", "--help"],
    "vtac-opt --version": ["-m", "vtac.tools.vtac_opt", "--version"],
    "vtac-opt --help": ["-m", "vtac.tools.vtac_opt", "--help"],
    "examples/vta_conv2d.py": [str(ROOT / "examples" / "vta_conv2d.py"), "--json"],
}


@dataclass(frozen=True)
class CompileTimes:
    """Milliseconds from linalg text and schedule script to instructions."""

    name: str
    cold: float
    warm: float


@cache
def _bytecode() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def _environment(**others: str) -> dict[str, str]:
    """That of a process which finds bytecode, where one before has written it."""
    found = {**os.environ, "PYTHONPYCACHEPREFIX": _bytecode().name, **others}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


def process_seconds(arguments: list[str], repeats: int) -> float:
    """CPU time of a fresh Python process."""
    _process_seconds(arguments)
    return median(_process_seconds(arguments) for _ in range(repeats))


def _process_seconds(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=_environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compile_times(name: str, compile_once: Callable[[], object], repeats: int) -> CompileTimes:
    """The first compile of a program, and the median of `repeats` more."""
    times: list[float] = []
    for _ in range(repeats + 1):
        start = time.process_time()
        compile_once()
        times.append((time.process_time() - start) * 1000)
    return CompileTimes(name, times[0], median(times[1:]))


def network_seconds(name: str, root: Path, cache: str, jobs: int = 1) -> float:
    """CPU time in which a network compiles, in a fresh process of a checkout, imports apart.

    With several processes as `jobs` what the clock says.
    """
    environment = _environment(PYTHONPATH=str(root), VTAC_CACHE_DIR=cache)
    command = [sys.executable, __file__, "--here", name, "--jobs", str(jobs)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)


def cached_seconds(name: str) -> tuple[float, float, float]:
    """The same with the layers in the cache, with what is known of the streams too, and with the program."""
    with tempfile.TemporaryDirectory() as cache:
        network_seconds(name, ROOT, cache)
        shutil.rmtree(Path(cache) / "programs")
        shutil.rmtree(Path(cache) / "streams")
        layers = network_seconds(name, ROOT, cache)
        shutil.rmtree(Path(cache) / "programs")
        return layers, network_seconds(name, ROOT, cache), network_seconds(name, ROOT, cache)


def _compile_here(name: str, jobs: int) -> float:
    import vtac
    from vtac.workloads.networks.catalogue import NETWORKS

    module = NETWORKS[name]().module()
    import_module("vtac.targets.vta.choosing")
    import_module("vtac.targets.vta.linking.plain")
    clock = time.process_time if jobs == 1 else time.perf_counter
    start = clock()
    vtac.compile(module, jobs=jobs)
    return clock() - start


def programs() -> dict[str, Callable[[], object]]:
    """The three programs: schedule recorded once, compiled each time."""
    import vtac
    from vtac.workloads.conv2d import Conv2D
    from vtac.workloads.matmul import Matmul
    from vtac.workloads.vadd import VectorAdd

    made: dict[str, Callable[[], object]] = {}
    for name, layer in (("vadd", VectorAdd()), ("matmul", Matmul()), ("conv2d", Conv2D())):
        module = vtac.parse(f"{layer.text()}\n{layer.schedule()}")
        made[name] = lambda module=module: vtac.compile(module)
    return made


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, epilog="example: python benchmarks/compile_times.py")
    options.add_argument("networks", nargs="*", help="networks to compile as well, such as resnet18")
    options.add_argument("--repeats", type=int, default=5, help="runs to take the median of")
    options.add_argument("--against", type=Path, metavar="CHECKOUT", help="networks: compare with another checkout")
    options.add_argument("--here", help=argparse.SUPPRESS)
    options.add_argument("--jobs", type=int, default=1, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.here:
        print(_compile_here(given.here, given.jobs))
        return 0
    from vtac.workloads.networks.catalogue import NETWORKS

    for name in given.networks:
        if name not in NETWORKS:
            options.error(f"no network {name!r}; the networks are {', '.join(NETWORKS)}")
    _print_tables(given.repeats)
    if given.networks:
        _print_networks(given.networks, given.repeats, given.against)
    return 0


def _print_networks(networks: list[str], repeats: int, other: Path | None) -> None:
    """Seconds of each network, medians; and how much of another checkout's time this one takes."""
    against = "" if other is None else f"{'other s':>10}{'ratio':>8}"
    columns = ("compile s", "layers s", "stream s", "program s", "two, clock")
    print(f"\n{'network':<20}{''.join(f'{column:>12}' for column in columns)}{against}")
    for name in networks:
        for root in (ROOT, *([] if other is None else [other])):
            network_seconds(name, root, "off")
        pairs = [
            (network_seconds(name, ROOT, "off"), network_seconds(name, other, "off") if other else 0.0)
            for _ in range(repeats)
        ]
        two = median(network_seconds(name, ROOT, "off", jobs=2) for _ in range(repeats))
        cached = [median(column) for column in zip(*(cached_seconds(name) for _ in range(repeats)), strict=True)]
        mine, theirs = (median(column) for column in zip(*pairs, strict=True))
        line = f"{name:<20}{''.join(f'{seconds:>12.2f}' for seconds in (mine, *cached, two))}"
        print(line if other is None else f"{line}{theirs:>10.2f}{mine / theirs:>8.2f}", flush=True)


def _print_tables(repeats: int) -> None:
    print(f"{'process':<28}{'ms':>8}{'/ numpy':>10}")
    base = 0.0
    for name, arguments in PROCESSES.items():
        seconds = process_seconds(arguments, repeats)
        base = base or seconds
        print(f"{name:<28}{seconds * 1000:>8.0f}{seconds / base:>9.2f}x", flush=True)
    print(f"\n{'compile':<28}{'cold ms':>8}{'warm ms':>10}")
    for name, compile_once in programs().items():
        times = compile_times(name, compile_once, repeats)
        print(f"{times.name:<28}{times.cold:>8.1f}{times.warm:>10.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
