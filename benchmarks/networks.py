"""Whole networks as one program: time to compile, streams, the host's part, cycles and their bound, traffic.

Each network is compiled from linalg in a process of its own, run twice (the first run also plans
the interpreter's steps), and its results compared with numpy. `bound` is the share of the cycles
that the instruction set cannot go below; `compulsory` the share of the bytes that must move:
inputs, weights and results of every layer once. `host ops` are operations that the VTA cannot do.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from resource import RUSAGE_SELF, getrusage

import numpy as np

import vtac
from vtac.dialects.packing import HostOp
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.layer_report import LayerReport, layer_reports, total_bound
from vtac.workloads.networks.catalogue import NETWORKS, SMALL

COLUMNS = (
    "network",
    "compile s",
    "first run s",
    "run s",
    "host",
    "host ops",
    "streams",
    "cycles",
    "bound",
    "DRAM bytes",
    "compulsory",
    "peak MB",
    "exact",
)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, epilog="example: python benchmarks/networks.py unet dcgan")
    options.add_argument("networks", nargs="*", help=f"which ones; all of {', '.join(NETWORKS)} by default")
    options.add_argument("--small", action="store_true", help="the same networks at sizes of seconds")
    options.add_argument("--json", action="store_true", help="one JSON line per network instead of a table")
    options.add_argument("--here", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.here:
        print(json.dumps(measure(given.here, small=given.small)))
        return 0
    unknown = [name for name in given.networks if name not in NETWORKS]
    if unknown:
        options.error(f"no network {', '.join(unknown)}; the networks are {', '.join(NETWORKS)}")
    rows = list(_rows(given.networks or NETWORKS, small=given.small))
    if given.json:
        print("\n".join(json.dumps(row) for row in rows))
    else:
        _print_table(rows)
    return 0 if all(row["exact"] == "yes" for row in rows) else 1


def _rows(names: Iterable[str], *, small: bool) -> Iterable[dict[str, str]]:
    for name in names:
        if small and name not in SMALL:
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        command = [sys.executable, __file__, "--here", name, *(["--small"] if small else [])]
        yield json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _print_table(rows: list[dict[str, str]]) -> None:
    lines = [COLUMNS, *(tuple(row[column] for column in COLUMNS) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)))


def measure(name: str, *, small: bool) -> dict[str, str]:
    """One row of the table; times in CPU seconds of this process."""
    network = (SMALL if small else NETWORKS)[name]()
    random = np.random.default_rng(1)
    inputs = [random.integers(-128, 128, tensor.shape).astype(np.int8) for tensor in network.inputs]
    module = network.module()
    start = time.process_time()
    program = vtac.compile(module)
    compiled = time.process_time()
    program(*inputs)
    first = time.process_time()
    found = program(*inputs)
    last = time.process_time()
    assert isinstance(program, HostProgram)
    results = found if isinstance(found, tuple) else (found,)
    exact = all(np.array_equal(a, b) for a, b in zip(results, network.expected(*inputs), strict=True))
    reports = layer_reports(program)
    return {
        "network": name,
        "compile s": f"{compiled - start:.2f}",
        "first run s": f"{first - compiled:.2f}",
        "run s": f"{last - first:.3f}",
        "host": f"{min(1.0, program.host_seconds / (last - first)):.1%}",
        "host ops": str(sum(isinstance(op, HostOp) for op in program.host_function.walk())),
        "streams": str(len(program.devices)),
        **_shares(reports),
        "peak MB": f"{getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024) / 1e6:,.0f}",
        "exact": "yes" if exact and not vtac.check(program) else "NO",
    }


def _shares(reports: list[LayerReport]) -> dict[str, str]:
    cycles, moved = sum(report.cycles for report in reports), sum(report.dram_bytes for report in reports)
    bound = total_bound(reports)
    least = sum(report.work.loaded + report.work.stored for report in reports if report.work is not None)
    return {
        "cycles": f"{cycles:,}",
        "bound": "-" if bound is None else f"{bound / cycles:.1%}",
        "DRAM bytes": f"{moved:,}",
        "compulsory": "-" if bound is None else f"{least / moved:.1%}",
    }


if __name__ == "__main__":
    sys.exit(main())
