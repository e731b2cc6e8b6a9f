"""The first programs for a board: small ones that cannot hang, each about one thing that a design may do otherwise.

What is right is what the interpreter computes here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vtac.devices.device import Device
from vtac.devices.loading import LoadedStream
from vtac.dialects.hardware import VTAConfig
from vtac.errors import DeviceError
from vtac.targets.vta.isa import MicroOp, assemble, encode_micro_ops
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.rules import HARDWARE_MICRO_OPS
from vtac.targets.vta.stream.layout import Buffer, place

REPETITIONS = 20
_TILES = 80
"""Tiles of a transfer that crosses bursts and pages."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one program; `problem` is empty where it is right."""

    name: str
    about: str
    problem: str
    seconds: float
    counters: dict[str, int]

    def __str__(self) -> str:
        counted = f", {self.counters['cycles']:,} cycles" if "cycles" in self.counters else ""
        return f"{self.name:<10} {self.problem or 'right':<40} {self.seconds * 1e6:,.0f} us{counted}  ({self.about})"


def smoke(device: Device) -> Iterator[Tried]:
    """Run the programs in turn, each several times. A device that is lost ends it: `DeviceError`."""
    config = device.config or VTAConfig()
    loaded = [(about, program, program.to(device, timeout=5.0)) for about, program in _programs(config)]
    for about, program, ready in loaded:
        yield _tried(about, program, ready)
    wrong = 0
    for turn in range(REPETITIONS):
        _, program, ready = loaded[turn % len(loaded)]
        wrong += bool(_problem(program, ready, turn))
    problem = f"{wrong} of {REPETITIONS} runs are wrong" if wrong else ""
    yield Tried("turns", "all of them in turn, without a reset", problem, 0.0, {})


def _tried(about: str, program: Program, ready: LoadedStream) -> Tried:
    problem = next(filter(None, (_problem(program, ready, seed) for seed in range(3))), "")
    return Tried(program.name, about, problem, ready.seconds, ready.counters)


def _problem(program: Program, ready: LoadedStream, seed: int) -> str:
    generator = np.random.default_rng(seed)
    arrays: list[Array] = [
        generator.integers(-100, 100, buffer.shape).astype(buffer.dtype) for buffer in program.arguments
    ]
    found, right = ready(*arrays), program(*arrays)
    if not isinstance(found, np.ndarray) or not isinstance(right, np.ndarray):
        raise DeviceError("a program of one result gave several: install the agent of this vtac", "protocol")
    wrong = np.flatnonzero(found != right)
    if not len(wrong):
        return ""
    first = int(wrong[0])
    return f"{len(wrong)} of {found.size} bytes differ, first byte {first}"


def _programs(config: VTAConfig) -> Iterator[tuple[str, Program]]:
    acc, inp, wgt = (config.capacity(memory) - 1 for memory in ("acc", "inp", "wgt"))
    uop = min(config.capacity("uop"), HARDWARE_MICRO_OPS) - 1
    yield "one tile through the ALU", _alu(config, "add", "alu.add imm 3", 1, 0, 0)
    yield "the last accumulator and micro-op", _alu(config, "last", "alu.max imm 5", 1, acc, uop)
    yield "bursts and pages crossed", _alu(config, "bursts", "alu.min imm 90", min(_TILES, acc), 0, 0)
    yield "a shift to the right", _alu(config, "right", "alu.shr imm 7", 2, 0, 0)
    yield "a shift to the left", _alu(config, "left", "alu.shr imm -3", 2, 0, 0)
    yield "one product of tiles", _gemm(config, "product", 0, 0)
    yield "the last input and weight", _gemm(config, "edges", inp, wgt)


def _alu(config: VTAConfig, name: str, operation: str, tiles: int, first: int, uop: int) -> Program:
    """Tiles of accumulators from memory, one operation, and back."""
    sizes = (tiles * config.acc_element_bytes // 4, tiles * config.out_element_bytes)
    data = Buffer("data", "input", "int32", (sizes[0],), is_argument=True)
    out = Buffer("out", "output", "int8", (sizes[1],), is_result=True)
    text = (
        f"load.uop sram {uop} <- dram {{uop}}, 1 x 1 stride 1\n"
        f"load.acc sram {first} <- dram {{data}}, 1 x {tiles} stride {tiles}\n"
        f"{operation}, uops {uop}:{uop + 1}, for 1 (dst+0 src+0), for {tiles} (dst+1 src+1) push_next\n"
        f"store.out sram {first} -> dram {{out}}, 1 x {tiles} stride {tiles} pop_prev push_prev\n"
        "load.uop nop pop_next\nfinish\n"
    )
    return _program(config, name, text, {"data": (data, "acc"), "out": (out, "out")}, MicroOp(first, first, 0))


def _gemm(config: VTAConfig, name: str, inp: int, wgt: int) -> Program:
    """A tile of inputs times one of weights, shifted into bytes; all four token queues are used."""
    data = Buffer("data", "input", "int8", (config.inp_element_bytes,), is_argument=True)
    weights = Buffer("weights", "input", "int8", (config.wgt_element_bytes,), is_argument=True)
    out = Buffer("out", "output", "int8", (config.out_element_bytes,), is_result=True)
    text = (
        "load.uop sram 0 <- dram {uop}, 1 x 1 stride 1 push_prev\n"
        "gemm.reset uops 0:1, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)\n"
        f"load.inp sram {inp} <- dram {{data}}, 1 x 1 stride 1 pop_next\n"
        f"load.wgt sram {wgt} <- dram {{weights}}, 1 x 1 stride 1 push_next\n"
        "gemm uops 0:1, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0) pop_prev\n"
        "load.uop sram 1 <- dram {zero}, 1 x 1 stride 1\n"
        "alu.shr imm 8, uops 1:2, for 1 (dst+0 src+0), for 1 (dst+0 src+0) push_next\n"
        "store.out sram 0 -> dram {out}, 1 x 1 stride 1 pop_prev push_prev\n"
        "load.uop nop pop_next\nfinish\n"
    )
    places = {"data": (data, "inp"), "weights": (weights, "wgt"), "out": (out, "out")}
    return _program(config, name, text, places, MicroOp(0, inp, wgt))


def _program(
    config: VTAConfig, name: str, text: str, places: dict[str, tuple[Buffer, str]], micro_op: MicroOp
) -> Program:
    """The text with the addresses of its buffers, micro-ops behind: the one given, and one of zeros."""
    words = encode_micro_ops([micro_op, MicroOp(0, 0, 0)], config)
    micro_ops = Buffer("micro_ops", "uop", "uint32", (2,))
    placed, _ = place([*(buffer for buffer, _ in places.values()), micro_ops], config.dram_alignment)
    at = {
        key: buffer.address // _element_bytes(config, memory)
        for (key, (_, memory)), buffer in zip(places.items(), placed, strict=False)
    }
    uop = placed[-1].address // config.uop_element_bytes
    instructions = assemble(text.format(**at, uop=uop, zero=uop + 1), config)
    return Program(config, instructions, words, tuple(placed), name=name)


def _element_bytes(config: VTAConfig, memory: str) -> int:
    found = {"acc": config.acc_element_bytes, "inp": config.inp_element_bytes, "wgt": config.wgt_element_bytes}
    return found.get(memory, config.out_element_bytes)
