"""Runs of streams in this checkout and in another, in turn: how much of the other's time they take.

CPU time of fresh processes, medians, so that what else goes on in the machine falls on both. `first` is the first run
of a stream, plan included; `warm` the median of the runs after it. The streams are compiled here, once.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from vtac.targets.vta.programs.arrays import Array
    from vtac.targets.vta.programs.program import Program

ROOT = Path(__file__).resolve().parent.parent


def _save_streams(folder: Path, networks: list[str]) -> Iterator[Path]:
    import vtac
    from vtac.workloads.conv2d import Conv2D
    from vtac.workloads.matmul import Matmul
    from vtac.workloads.networks.catalogue import NETWORKS

    for layer in (Matmul(), Conv2D()):
        name = type(layer).__name__.lower()
        yield _saved(folder / name, vtac.compile(f"{layer.text()}\n{layer.schedule()}").stream)
    for name in networks:
        yield _saved(folder / name, vtac.compile(NETWORKS[name]().module()).stream)


def _saved(folder: Path, stream: Program) -> Path:
    random = np.random.default_rng(0)
    drawn = [random.integers(-128, 128, buffer.shape).astype(buffer.dtype) for buffer in stream.arguments]
    folder.mkdir()
    (folder / "insn.bin").write_bytes(stream.instructions)
    stream.memory_image([cast("Array", array) for array in drawn]).tofile(folder / "dram.bin")
    return folder


def _measure_here(folder: Path, runs: int) -> tuple[float, float]:
    """Milliseconds of the first run of a stream, and of those after it."""
    import vtac
    from vtac.targets.vta.isa import Finish, encode

    image = np.fromfile(folder / "dram.bin", np.uint8)
    instructions, config = (folder / "insn.bin").read_bytes(), vtac.VTAConfig()
    vtac.execute(encode([Finish()], config), image[:64].copy(), config)  # imports what runs need
    times: list[float] = []
    for _ in range(runs + 1):
        memory = image.copy()
        start = time.process_time()
        vtac.execute(instructions, memory, config, strict=True)
        times.append((time.process_time() - start) * 1000)
    return times[0], median(times[1:])


def _measure(checkout: Path, folder: Path, runs: int) -> tuple[float, float]:
    command = [sys.executable, __file__, "--here", str(folder), "--runs", str(runs)]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    first, warm = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout.split()
    return float(first), float(warm)


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, epilog="example: python benchmarks/runs_against.py ../other --networks resnet18"
    )
    options.add_argument("checkout", nargs="?", type=Path, help="the other checkout")
    options.add_argument("--networks", nargs="*", default=["resnet18"], help="networks to run as well")
    options.add_argument("--repeats", type=int, default=5, help="processes to take the median of")
    options.add_argument(
        "--runs", type=int, default=0, help="warm runs in each; by the length of the stream without it"
    )
    options.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.here:
        print(*_measure_here(given.here, given.runs))
        return 0
    if given.checkout is None:
        options.error("a checkout to compare with is required")
    columns = ("first ms", "other", "ratio", "warm ms", "other", "ratio")
    print(f"{'stream':<14}" + "".join(f"{column:>10}" for column in columns))
    with tempfile.TemporaryDirectory() as scratch:
        for folder in _save_streams(Path(scratch), given.networks):
            _print_row(folder, given.checkout, given.repeats, given.runs)
    return 0


def _print_row(folder: Path, other: Path, repeats: int, runs: int) -> None:
    count = runs or max(5, min(100, 500_000 // (folder / "insn.bin").stat().st_size))
    pairs = [(_measure(ROOT, folder, count), _measure(other, folder, count)) for _ in range(repeats)]
    cells = ""
    for part in range(2):
        mine, theirs = (median(pair[side][part] for pair in pairs) for side in range(2))
        cells += f"{mine:>10.2f}{theirs:>10.2f}{mine / theirs:>10.2f}"
    print(f"{folder.name:<14}{cells}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
