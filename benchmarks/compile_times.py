"""Start-up and compile times: what a user waits for before the first result.

All in CPU time (user and system), medians, so that other work on the machine counts little. Start-up is measured
in fresh processes, against one that only imports numpy; compilation in this process, cold (first compile) and
warm. With names of networks, those are compiled too, each once in a process of its own: benchmarks/networks.py
measures their runs as well.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
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


def process_seconds(arguments: list[str], repeats: int) -> float:
    """CPU time of a fresh Python process."""
    return median(_process_seconds(arguments) for _ in range(repeats))


def _process_seconds(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
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


def network_seconds(name: str) -> float:
    """CPU time in which a network compiles, in a fresh process, imports apart."""
    found = subprocess.run([sys.executable, __file__, "--here", name], check=True, stdout=subprocess.PIPE)
    return float(found.stdout)


def _compile_here(name: str) -> float:
    import vtac
    from vtac.workloads.networks.catalogue import NETWORKS

    module = NETWORKS[name]().module()
    import_module("vtac.targets.vta.compiling")
    start = time.process_time()
    vtac.compile(module)
    return time.process_time() - start


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
    options.add_argument("--here", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.here:
        print(_compile_here(given.here))
        return 0
    _print_tables(given.repeats, given.networks)
    return 0


def _print_tables(repeats: int, networks: list[str]) -> None:
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
    for name in networks:
        print(f"{name:<28}{network_seconds(name):>8.2f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
