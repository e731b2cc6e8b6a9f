"""The analytical tool ZigZag beside exact figures: ResNet-18's layers C2 to C12, the same machine (extra `bench`).

    pip install 'vtac[bench]'
    python benchmarks/against_zigzag.py C2 C8
    python benchmarks/against_zigzag.py --by EDP

Each layer goes to ZigZag by itself, as one convolution of 8-bit inputs and weights with 32-bit sums and 8-bit
results, on the default configuration: 16 input by 16 output channels side by side in the multipliers (its spatial
mapping), INP 32 KiB, WGT 256 KiB and ACC 128 KiB, each of one operand, and DRAM behind a bus of 64 bits that reads,
and one that writes. It searches the temporal mapping, by latency unless --by says otherwise.

ZigZag knows no ALU, so that the exact figures are twofold. *Convolution* is a program of the convolution alone, whose
sums are cut to bytes as they are stored: what both compute. *Layer* is what a network runs, with >> 8, max and min
behind it; ZigZag's figure for it has four cycles added for each tile of the result, the three of the ALU and its
reset. Neither knows what else is in the exact figures: latency of the memory, starts of instructions, micro-ops,
tokens; that products with padding are left out; and that compute begins when the first tiles are there, where ZigZag
loads a level that is filled once before it begins. Vtac's programs are those of the default schedule, proven safe,
their cycles equal to the RTL's. So the columns say how well an estimate predicts what a good program takes; they do
not say whose mapping is better. Bytes are those of inputs, weights and results; of exact programs also micro-ops.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Protocol, cast

from resnet_layers import CASES

import vtac
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.defaults import default_schedule
from vtac.targets.vta.tuning.trials import counted
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.linalg_text import elementwise

BUS_BYTES = 8
TILE_CYCLES = 4
"""What the compute unit takes for a tile beside its products: >> 8, max, min, and the reset."""
CRITERIA = ("latency", "EDP", "energy")
COSTS = {"inp": (40.0, 20.0), "wgt": (1600.0, 50.0), "acc": (300.0, 300.0), "dram": (1300.0, 1300.0)}
"""Picojoules of a read and a write at the width of each memory's ports, by the table of docs/exploring.md."""


@dataclass(frozen=True)
class Estimate:
    """Cycles, bytes of DRAM and the seconds that it took to find them."""

    cycles: float
    nbytes: float
    seconds: float


class _Direction(Protocol):
    name: str


class _Moves(Protocol):
    data: Mapping[_Direction, float]


class _Evaluation(Protocol):
    latency_total2: float
    memory_word_access: Mapping[object, Sequence[_Moves]]


def _memory(nbytes: int, operand: str, read_bits: int) -> dict[str, object]:
    """A memory of one operand, filled over the bus."""
    ports: list[dict[str, object]] = [_port("r_port_1", "read", read_bits, [f"{operand}, tl"])]
    ports.append(_port("w_port_1", "write", 8 * BUS_BYTES, [f"{operand}, fh"]))
    return _described(nbytes, [operand], ports)


def _port(name: str, kind: str, bits: int, allocation: Sequence[str]) -> dict[str, object]:
    return {"name": name, "type": kind, "bandwidth_min": bits, "bandwidth_max": bits, "allocation": list(allocation)}


def _described(nbytes: int, operands: Sequence[str], ports: Sequence[dict[str, object]]) -> dict[str, object]:
    costs = {"area": 0.0, "latency": 1}
    served = ["D1", "D2"]
    return {"size": 8 * nbytes, **costs, "operands": list(operands), "ports": list(ports), "served_dimensions": served}


def machine() -> dict[str, object]:
    """The default configuration, in ZigZag's terms."""
    sums = [
        _port("r_port_1", "read", 512, ["O, tl"]),
        _port("r_port_2", "read", 512, ["O, th"]),
        _port("w_port_1", "write", 512, ["O, fl"]),
        _port("w_port_2", "write", 512, ["O, fh"]),
    ]
    bus = [
        _port("r_port_1", "read", 8 * BUS_BYTES, ["I1, tl", "I2, tl", "O, tl", "O, th"]),
        _port("w_port_1", "write", 8 * BUS_BYTES, ["I1, fh", "I2, fh", "O, fh", "O, fl"]),
    ]
    memories = {
        "inp": _memory(1 << 15, "I1", 128),
        "wgt": _memory(1 << 18, "I2", 2048),
        "acc": _described(1 << 17, ["O"], sums),
        "dram": _described(1 << 30, ["I1", "I2", "O"], bus),
    }
    for name, (read, write) in COSTS.items():
        memories[name] |= {"r_cost": read, "w_cost": write}
    array = {"unit_energy": 0.3, "unit_area": 1.0, "dimensions": ["D1", "D2"], "sizes": [16, 16]}
    return {"name": "vta", "memories": memories, "operational_array": array}


MAPPING = [
    {
        "name": "default",
        "spatial_mapping": {"D1": ["K, 16"], "D2": ["C, 16"]},
        "memory_operand_links": {"O": "O", "W": "I2", "I": "I1"},
    }
]


def workload(layer: Conv2D) -> list[dict[str, object]]:
    """A convolution, in ZigZag's terms."""
    height, width = layer.output_shape[2:4]
    stride, pad = layer.stride, layer.padding
    return [
        {
            "id": 0,
            "name": "conv",
            "operator_type": "Conv",
            "equation": "O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]",
            "dimension_relations": [f"ix={stride}*ox+1*fx", f"iy={stride}*oy+1*fy"],
            "loop_dims": ["B", "K", "C", "OY", "OX", "FY", "FX"],
            "loop_sizes": [
                layer.batch, layer.out_channels, layer.in_channels, height, width, layer.kernel, layer.kernel,
            ],
            "operand_precision": {"W": 8, "I": 8, "O": 32, "O_final": 8},
            "operand_source": {"I": 0, "W": 0},
            "pr_loop_dims": ["IY", "IX"],
            "pr_loop_sizes": [layer.height, layer.width],
            "padding": [[pad, pad], [pad, pad]],
        }
    ]  # fmt: skip


def alone(layer: Conv2D) -> str:
    """The convolution of a layer, its sums cut to bytes."""
    text = layer.text()
    behind, end = text.index("  %res_shr_empty"), text.index("  func.return")
    cut = elementwise("res", "%res_conv", layer.output_shape, "%y = arith.trunci %x : i32 to i8", "i8")
    return f"{text[:behind].rstrip()}{cut}\n{text[end:]}"


def zigzag(layer: Conv2D, criterion: str) -> Estimate:
    """What ZigZag finds and estimates."""
    search = import_module("zigzag.api").get_hardware_performance_zigzag
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        paths = [f"{folder}/{name}.yaml" for name in ("workload", "machine", "mapping")]
        for path, value in zip(paths, (workload(layer), machine(), MAPPING), strict=True):
            Path(path).write_text(json.dumps(value), encoding="utf-8")  # JSON is YAML
        start = time.process_time()
        _, cycles, found = search(
            *paths, opt=criterion, dump_folder=folder, pickle_filename=f"{folder}/p", loma_show_progress_bar=False
        )
        seconds = time.process_time() - start
    evaluation = cast("_Evaluation", found[0][1][0][0])
    moves = {str(operand): levels for operand, levels in evaluation.memory_word_access.items()}
    words = sum(_words(moves[operand][0], "WR_IN_BY_HIGH") for operand in "IW")
    words += _words(moves["O"][-1], "WR_IN_BY_LOW")
    return Estimate(float(cycles), BUS_BYTES * words, seconds)


def _words(level: _Moves, direction: str) -> float:
    """Words of the bus that come into a memory from above, or from below."""
    return next(value for one, value in level.data.items() if one.name == direction)


def exact(layer: Conv2D, text: str) -> Estimate:
    """What the default schedule takes: searched, compiled, proven and counted."""
    module = vtac.parse(text)
    start = time.process_time()
    program = vtac.compile(module, schedule=default_schedule(module, layer.config), cache=False)
    if vtac.check(program.stream):
        raise SystemExit("the program is not proven safe")
    found = counted(program.stream, Timing.de10())
    return Estimate(found.cycles, found.nbytes, time.process_time() - start)


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Spearman's: 1.0 where both put the layers in the same order."""
    ranks = [sorted(range(len(side)), key=side.__getitem__) for side in (left, right)]
    places = [{layer: rank for rank, layer in enumerate(order)} for order in ranks]
    gaps = sum((places[0][layer] - places[1][layer]) ** 2 for layer in range(len(left)))
    return 1 - 6 * gaps / max(1, len(left) * (len(left) ** 2 - 1))


@dataclass(frozen=True)
class Pair:
    """Exact figures and estimates of what is compared."""

    exact: Sequence[float]
    estimates: Sequence[float]

    @property
    def errors(self) -> list[float]:
        return [b / a - 1 for a, b in zip(self.exact, self.estimates, strict=True)]

    def summary(self, what: str) -> str:
        off = [abs(error) for error in self.errors]
        rank = rank_correlation(self.exact, self.estimates)
        return f"{what}: mean error {sum(off) / len(off):.1%}, worst {max(off):.1%}, rank correlation {rank:.3f}"


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*", choices=[[], *CASES], help="layers to compare; all by default")
    parser.add_argument("--by", choices=CRITERIA, default="latency", help="what ZigZag searches for (default latency)")
    options = parser.parse_args()
    names: list[str] = options.layers or list(CASES)
    if find_spec("zigzag") is None:
        print("this benchmark needs the package 'zigzag-dse': pip install 'vtac[bench]'", file=sys.stderr)
        return 1
    print("| | convolution | ZigZag | error | layer | ZigZag + 4 | error | bytes | ZigZag | error | CPU s | ZigZag |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    found = [_compared(name, str(options.by)) for name in names]
    for place, what in enumerate(("convolution", "layer", "bytes")):
        exact_ones, estimates = ([row[place][side] for row in found] for side in (0, 1))
        print(Pair(exact_ones, estimates).summary(what))
    return 0


def _compared(name: str, criterion: str) -> list[tuple[float, float]]:
    """The row of a layer; its cycles alone, as a layer, and its bytes, exact and estimated."""
    layer = CASES[name].layer
    convolution, whole, estimate = exact(layer, alone(layer)), exact(layer, layer.text()), zigzag(layer, criterion)
    height, width = layer.output_shape[2:4]
    tiles = height * width * layer.out_channels // layer.config.block_out
    pairs = [
        (convolution.cycles, estimate.cycles),
        (whole.cycles, estimate.cycles + TILE_CYCLES * tiles),
        (convolution.nbytes, estimate.nbytes),
    ]
    cells = [f"{a:,.0f} | {b:,.0f} | {b / a - 1:+.1%}" for a, b in pairs]
    print(f"| {name} | {' | '.join(cells)} | {convolution.seconds:.1f} | {estimate.seconds:.1f} |", flush=True)
    return pairs


if __name__ == "__main__":
    raise SystemExit(main())
