"""The seven counters of the reference's profiler."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa import Memory, Opcode
from vtac.targets.vta.machine.stream import SRAM_OF, Stream, dram_element_bytes

COUNTER_NAMES: tuple[str, ...] = (
    "inp_load_nbytes",
    "wgt_load_nbytes",
    "acc_load_nbytes",
    "uop_load_nbytes",
    "out_store_nbytes",
    "gemm_counter",
    "alu_counter",
)


def tile_operations(stream: Stream, opcode: Opcode) -> NDArray[np.int64]:
    """Trips of each GEMM or ALU instruction: iter_out * iter_in * micro-ops, none for a reversed range."""
    columns = stream.table.columns[opcode]
    micro_ops = np.maximum(columns["uop_end"] - columns["uop_bgn"], 0)
    return columns["iter_out"] * columns["iter_in"] * micro_ops


@lru_cache(maxsize=32)
def _totals(stream: Stream) -> dict[str, int]:
    counters: dict[str, int] = dict.fromkeys(COUNTER_NAMES, 0)
    loads = stream.table.columns[Opcode.LOAD]
    elements = loads["y_size"] * loads["x_size"]
    for memory in (Memory.INP, Memory.WGT, Memory.ACC, Memory.ACC_8BIT, Memory.UOP):
        name = SRAM_OF[memory]
        total = int(elements[loads["memory"] == memory].sum())
        counters[f"{name}_load_nbytes"] += total * stream.config.element_bytes(name)
    stores = stream.table.columns[Opcode.STORE]
    stored = int((stores["y_size"] * stores["x_size"]).sum())
    counters["out_store_nbytes"] = stored * dram_element_bytes(Memory.OUT, stream.config)
    resets = stream.table.columns[Opcode.GEMM]["reset"]
    counters["gemm_counter"] = int(tile_operations(stream, Opcode.GEMM)[resets == 0].sum())
    counters["alu_counter"] = int(tile_operations(stream, Opcode.ALU).sum())
    return counters


def count(stream: Stream) -> dict[str, int]:
    """What a complete run of `stream` counts: every instruction executes exactly once.

    Bytes exclude pads. `ACC_8BIT` loads count the accumulator bytes that they fill, as the
    reference does. Resets are not counted in `gemm_counter`.
    """
    return dict(_totals(stream))
