"""Whole networks as one program: time to compile, to prove safe and to simulate, cycles, traffic, memory.

Each network is compiled from linalg in a process of its own, run twice (the first run also plans
the interpreter's steps), and its result compared with numpy. The reference stack takes 8.7 s to
quantise and pack ResNet-18, 4.3 s to build it and 0.52 s per simulated inference on a machine of
this class.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from resource import RUSAGE_SELF, getrusage

import numpy as np

import vtac
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.workloads.networks.mlp import mlp
from vtac.workloads.networks.network import Network
from vtac.workloads.networks.resnet import resnet18

NETWORKS: dict[str, Callable[[], Network]] = {
    "resnet18-224": lambda: resnet18(224),
    "resnet18-64": lambda: resnet18(64),
    "mlp-784-512-256-10": mlp,
}

COLUMNS = (
    "network",
    "compile s",
    "check s",
    "first run s",
    "run s",
    "host",
    "cycles",
    "DRAM bytes",
    "peak MB",
    "exact",
)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, epilog="example: python benchmarks/networks.py")
    options.add_argument("--only", choices=NETWORKS, help="measure one network, and print it as JSON")
    only = options.parse_args().only
    if only:
        print(json.dumps(measure(only)))
        return 0
    rows: list[dict[str, object]] = []
    for name in NETWORKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, "--only", name]
        rows.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    lines = [COLUMNS, *(tuple(str(row[column]) for column in COLUMNS) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)))
    return 0 if all(row["exact"] == "yes" for row in rows) else 1


def measure(name: str) -> dict[str, object]:
    """One row of the table."""
    network = NETWORKS[name]()
    module = network.module()
    start = time.perf_counter()
    program = vtac.compile(module)
    compiled = time.perf_counter()
    findings = vtac.check(program)
    checked = time.perf_counter()
    image = np.random.default_rng(1).integers(-128, 128, network.input.shape).astype(np.int8)
    program(image)
    first = time.perf_counter()
    result = program(image)
    last = time.perf_counter()
    assert isinstance(program, HostProgram)
    expected = list(network.reference(image).values())[-1]
    exact = not findings and np.array_equal(np.asarray(result), expected)
    stats = program.stats
    return {
        "network": name,
        "compile s": f"{compiled - start:.2f}",
        "check s": f"{checked - compiled:.2f}",
        "first run s": f"{first - checked:.2f}",
        "run s": f"{last - first:.3f}",
        "host": f"{program.host_seconds / (last - first):.1%}",
        "cycles": f"{stats['cycles']:,}",
        "DRAM bytes": f"{sum(value for key, value in stats.items() if key.endswith('_nbytes')):,}",
        "peak MB": f"{getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024) / 1e6:,.0f}",
        "exact": "yes" if exact else "NO",
    }


if __name__ == "__main__":
    sys.exit(main())
