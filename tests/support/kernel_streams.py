"""Streams that fill all memories, run kernels and store what these made; and both interpreters on them."""

from __future__ import annotations

from random import Random

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import Finish, Instruction, Load, Memory, MicroOp, Store, encode, encode_micro_ops
from vtac.targets.vta.machine import execute, execute_reference

UOPS_AT, INP_AT, WGT_AT, ACC_AT, OUT_AT, END = 0x0, 0x8000, 0x10000, 0x50000, 0x70000, 0x80000


def program(
    config: VTAConfig, ops: list[MicroOp], *kernels: Instruction, stored: int
) -> tuple[bytes, NDArray[np.uint8]]:
    """A stream that fills all memories, runs kernels and stores the first tiles; and a random image for it."""
    image = np.frombuffer(Random(7).randbytes(END), np.uint8).copy()
    table = encode_micro_ops(ops, config)
    image[UOPS_AT : UOPS_AT + len(table)] = np.frombuffer(table, np.uint8)
    fills: list[Instruction] = [Load(Memory.UOP, 0, 0, 1, len(ops), len(ops))]
    for memory, name, address in (
        (Memory.INP, "inp", INP_AT),
        (Memory.WGT, "wgt", WGT_AT),
        (Memory.ACC, "acc", ACC_AT),
    ):
        size = config.element_bytes(name)  # pyright: ignore[reportArgumentType]
        tiles = min(config.capacity(name), 0x8000 // size if name != "wgt" else 0x40000 // size)  # pyright: ignore[reportArgumentType]
        fills.append(Load(memory, 0, address // size, 1, tiles, tiles))
    store = Store(Memory.OUT, 0, OUT_AT // config.out_element_bytes, 1, stored, stored)
    return encode([*fills, *kernels, store, Finish()], config), image


def assert_paths_agree(data: bytes, image: NDArray[np.uint8], config: VTAConfig) -> None:
    fast, slow = image.copy(), image.copy()
    assert execute(data, fast, config) == execute_reference(data, slow, config)
    assert np.array_equal(fast, slow)
