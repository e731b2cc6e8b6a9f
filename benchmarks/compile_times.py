"""Start-up and compile times: what a user waits for before the first result.

Start-up is measured in fresh processes, against one that only imports numpy; compilation in
this process, cold (first compile) and warm (best of the rest).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PROCESSES = {
    "python -c 'import numpy'": ["-c", "import numpy"],
    "python -c 'import vtac'": ["-c", "import vtac"],
    "vtac --help": ["-m", "vtac.tools.vtac", "--help"],
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
    """Best wall time of a fresh Python process."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        best = min(best, time.perf_counter() - start)
    return best


def compile_times(name: str, compile_once: Callable[[], object], repeats: int) -> CompileTimes:
    """The first compile of a program, and the best of `repeats` more."""
    times: list[float] = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        compile_once()
        times.append((time.perf_counter() - start) * 1000)
    return CompileTimes(name, times[0], min(times[1:]))


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
    options.add_argument("--repeats", type=int, default=5, help="runs to take the best of")
    repeats = options.parse_args().repeats
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
