"""The analytical tool ZigZag beside exact figures: ResNet-18's layers C2 to C12, the same machine (extra `bench`).

    pip install 'vtac[bench]'
    python benchmarks/against_zigzag.py C2 C8

Both get the convolution, the default configuration's memories (INP 32 KiB, WGT 256 KiB, ACC 128 KiB), 16 x 16
multipliers and a bus of 64 bits. ZigZag searches mappings by latency with its own cost model; it knows neither latency
of the memory, starts of instructions, tokens, micro-ops, nor the ALU's >> 8, max and min behind the convolution, which
run on the hardware's compute unit and are in the exact figures. Vtac's are those of its default schedule, a program
that is proven safe, by a cycle model that equals the RTL. So the columns say how well an estimate predicts what a good
program takes; they do not say whose mapping is better. Bytes are tiles loaded and stored, without micro-ops on ZigZag's
side.
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

BUS_BYTES = 8


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
    costs = {"r_cost": 1.0, "w_cost": 1.0, "area": 0.0, "latency": 1}
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
    return {
        "name": "vta",
        "memories": {
            "inp": _memory(1 << 15, "I1", 128),
            "wgt": _memory(1 << 18, "I2", 2048),
            "acc": _described(1 << 17, ["O"], sums),
            "dram": _described(1 << 30, ["I1", "I2", "O"], bus),
        },
        "operational_array": {"unit_energy": 1.0, "unit_area": 1.0, "dimensions": ["D1", "D2"], "sizes": [16, 16]},
    }


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


def zigzag(layer: Conv2D) -> Estimate:
    """What ZigZag finds and estimates."""
    search = import_module("zigzag.api").get_hardware_performance_zigzag
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        paths = [f"{folder}/{name}.yaml" for name in ("workload", "machine", "mapping")]
        for path, value in zip(paths, (workload(layer), machine(), MAPPING), strict=True):
            Path(path).write_text(json.dumps(value), encoding="utf-8")  # JSON is YAML
        start = time.process_time()
        _, cycles, found = search(
            *paths, opt="latency", dump_folder=folder, pickle_filename=f"{folder}/p", loma_show_progress_bar=False
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


def exact(layer: Conv2D) -> Estimate:
    """What the default schedule takes: searched, compiled, proven and counted."""
    module = vtac.parse(layer.text())
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


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*", choices=[[], *CASES], help="layers to compare; all by default")
    names: list[str] = parser.parse_args().layers or list(CASES)
    if find_spec("zigzag") is None:
        print("this benchmark needs the package 'zigzag-dse': pip install 'vtac[bench]'", file=sys.stderr)
        return 1
    print("| layer | cycles, exact | ZigZag | error | bytes, exact | ZigZag | error | CPU s | ZigZag |")
    print("|---|---|---|---|---|---|---|---|---|")
    pairs: list[tuple[Estimate, Estimate]] = []
    for name in names:
        ours, theirs = exact(CASES[name].layer), zigzag(CASES[name].layer)
        pairs.append((ours, theirs))
        errors = theirs.cycles / ours.cycles - 1, theirs.nbytes / ours.nbytes - 1
        print(
            f"| {name} | {ours.cycles:,.0f} | {theirs.cycles:,.0f} | {errors[0]:+.1%} | {ours.nbytes:,.0f} "
            f"| {theirs.nbytes:,.0f} | {errors[1]:+.1%} | {ours.seconds:.1f} | {theirs.seconds:.1f} |",
            flush=True,
        )
    for what, measure in (("cycles", "cycles"), ("bytes", "nbytes")):
        left, right = ([float(getattr(pair[side], measure)) for pair in pairs] for side in (0, 1))
        off = [abs(b / a - 1) for a, b in zip(left, right, strict=True)]
        rank = rank_correlation(left, right)
        print(f"{what}: mean error {sum(off) / len(off):.1%}, worst {max(off):.1%}, rank correlation {rank:.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
