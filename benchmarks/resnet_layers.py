"""Default schedules on ResNet-18's convolutions: traffic and cycles against what cannot be beaten.

Each layer is followed by >> 8, max 0, min 127 and the int8 store. Compulsory bytes are the
inputs touched, the weights and the outputs, once each. The roof is the largest of compute
(GEMM, reset and ALU tile-cycles, one each, multiplications by padding included), load beats
and stores. The reference's figures are its best of some 40 tilings per layer on the same
cycle model; its fastest and its leanest tiling are not the same.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import NDArray

import vtac
from vtac.targets.vta.schedules import default_schedule
from vtac.targets.vta.schedules.roof import Roof, roof
from vtac.targets.vta.schedules.search import layers_of
from vtac.workloads import reference
from vtac.workloads.conv2d import Conv2D


@dataclass(frozen=True)
class Case:
    """A layer and the reference's best cycles and bytes."""

    layer: Conv2D
    cycles: int
    nbytes: int


CASES: dict[str, Case] = {
    "C2": Case(Conv2D(1, 56, 56, 64, 64), 521_680, 702_796),
    "C3": Case(Conv2D(1, 56, 56, 64, 64, 1, 0), 119_504, 430_540),
    "C4": Case(Conv2D(1, 56, 56, 64, 128, 3, 1, 2), 285_947, 603_772),
    "C5": Case(Conv2D(1, 56, 56, 64, 128, 1, 0, 2), 89_517, 316_228),
    "C6": Case(Conv2D(1, 28, 28, 128, 128), 488_871, 610_876),
    "C7": Case(Conv2D(1, 28, 28, 128, 256, 3, 1, 2), 246_316, 546_364),
    "C8": Case(Conv2D(1, 28, 28, 128, 256, 1, 0, 2), 58_363, 205_636),
    "C9": Case(Conv2D(1, 14, 14, 256, 256), 471_055, 740_924),
    "C10": Case(Conv2D(1, 14, 14, 256, 512, 3, 1, 2), 239_825, 1_255_204),
    "C11": Case(Conv2D(1, 14, 14, 256, 512, 1, 0, 2), 38_069, 199_492),
    "C12": Case(Conv2D(1, 7, 7, 512, 512), 465_645, 2_409_764),
}


@dataclass(frozen=True)
class Result:
    """What one layer's default schedule does; `seconds` is the search."""

    cycles: int
    nbytes: int
    limit: Roof
    correct: bool
    clean: bool
    seconds: float


def measure(layer: Conv2D, seed: int = 0) -> Result:
    """Search, compile, check, run on random data and compare with numpy."""
    module = vtac.parse(layer.text())
    start = time.perf_counter()
    schedule = default_schedule(module, layer.config)
    seconds = time.perf_counter() - start
    program = vtac.compile(module, schedule=schedule)
    random = np.random.default_rng(seed)
    data = random.integers(-128, 128, (layer.batch, layer.in_channels, layer.height, layer.width), dtype=np.int8)
    shape = (layer.out_channels, layer.in_channels, layer.kernel, layer.kernel)
    kernel = random.integers(-128, 128, shape, dtype=np.int8)
    rows, lanes = layer.config.batch, layer.config.block_out
    found = program(_packed(data, rows, lanes), _packed(kernel, lanes, lanes))
    wanted = _packed(reference.conv2d(layer, data, kernel), rows, lanes)
    stats = program.stats
    nbytes = sum(stats[name] for name in stats if name.endswith("_nbytes"))
    limit = roof(layers_of(vtac.Schedule(module, config=layer.config))[0], layer.config)
    correct = bool(np.array_equal(np.asarray(found), wanted))
    return Result(stats["cycles"], nbytes, limit, correct, vtac.check(program) == [], seconds)


def _packed(array: NDArray[np.int8], rows: int, columns: int) -> NDArray[np.int8]:
    return np.ascontiguousarray(reference.pack_images(array, rows, columns)).astype(np.int8)


def row(name: str, case: Case, result: Result) -> str:
    """One line of the table."""
    layer = case.layer
    shape = f"{layer.height}x{layer.width} {layer.in_channels}->{layer.out_channels} {layer.kernel}x{layer.kernel}"
    shape += f" /{layer.stride}" if layer.stride > 1 else ""
    return (
        f"| {name} | {shape} | {result.nbytes:,} | {result.nbytes / result.limit.nbytes:.3f} | {case.nbytes:,} "
        f"| {result.cycles:,} | {result.cycles / result.limit.cycles:.3f} | {case.cycles:,} |"
    )


def main() -> int:
    """Prints the table; returns 1 when a layer is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*", choices=[[], *CASES], help="layers to measure; all by default")
    names: list[str] = parser.parse_args().layers or list(CASES)
    print("| layer | shape | bytes | of compulsory | reference | cycles | of the roof | reference |")
    print("|---|---|---|---|---|---|---|---|")
    traffic: list[float] = []
    wrong: list[str] = []
    slowest = 0.0
    for name in names:
        result = measure(CASES[name].layer)
        print(row(name, CASES[name], result), flush=True)
        traffic.append(log(result.nbytes / result.limit.nbytes))
        slowest = max(slowest, result.seconds)
        if not (result.correct and result.clean):
            wrong.append(name)
    print(f"\nbytes of compulsory, geometric mean: {exp(sum(traffic) / len(traffic)):.3f}")
    print(f"slowest search: {slowest:.2f} s")
    print(f"wrong or not proven clean: {', '.join(wrong)}" if wrong else "all equal numpy and are proven clean")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
