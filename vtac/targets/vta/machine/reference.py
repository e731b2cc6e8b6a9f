"""Execution one tile operation at a time: slow, plain, the oracle of the fast path."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa import Alu, Finish, Gemm, Load, Memory, Store, micro_op_indices
from vtac.targets.vta.machine.machine import Machine, Written
from vtac.targets.vta.machine.numerics import ALU_OPERATIONS, tile_product
from vtac.targets.vta.machine.stream import SRAM_OF, Stream, dram_element_bytes
from vtac.targets.vta.machine.tile_checks import (
    Indices,
    Problem,
    check_hazards,
    check_indices,
    check_shift_amounts,
    check_storable,
    check_written,
)


class ReferenceInterpreter:
    """Executes single instructions of a stream, whose fields and order are checked already.

    With `strict`, what the hardware would get wrong is a fault.
    """

    def __init__(self, stream: Stream, machine: Machine, strict: bool) -> None:
        self._stream = stream
        self._machine = machine
        self._written = Written(machine.config) if strict else None

    def run(self, index: int) -> None:
        """Execute instruction `index`. Raises `ExecutionError` when its micro-ops or data break a rule."""
        instruction = self._stream.instructions[index]
        problem = None
        match instruction:
            case Load():
                self._load(instruction)
            case Store():
                problem = self._store(instruction)
            case Gemm():
                problem = self._gemm(instruction)
            case Alu():
                problem = self._alu(instruction)
            case Finish():
                pass
        if problem is not None:
            raise self._stream.fault(index, *problem)

    def _dram_rows(self, instruction: Load | Store) -> list[NDArray[np.uint8]]:
        """Views of the DRAM bytes of each row, top to bottom."""
        element_bytes = dram_element_bytes(instruction.memory, self._machine.config)
        starts = [
            (instruction.dram_base + row * instruction.x_stride) * element_bytes for row in range(instruction.y_size)
        ]
        return [self._machine.dram[start : start + instruction.x_size * element_bytes] for start in starts]

    def _sram_bytes(self, memory: Memory) -> NDArray[np.uint8]:
        """A memory as bytes of shape (elements, bytes per element)."""
        sram = {
            "uop": self._machine.uop,
            "inp": self._machine.inp,
            "wgt": self._machine.wgt,
            "acc": self._machine.acc,
        }[SRAM_OF[memory]]
        return sram.reshape(len(sram), -1).view(np.uint8)

    def _load(self, load: Load) -> None:
        if load.x_size == 0:
            return
        width = load.x_pad_0 + load.x_size + load.x_pad_1
        height = load.y_pad_0 + load.y_size + load.y_pad_1
        block = slice(load.sram_base, load.sram_base + width * height)
        sram = self._sram_bytes(load.memory)
        sram[block] = 0
        for row, source in enumerate(self._dram_rows(load)):
            start = load.sram_base + (load.y_pad_0 + row) * width + load.x_pad_0
            widened = source
            if load.memory is Memory.ACC_8BIT:
                widened = source.view(np.int8).astype(np.int32).view(np.uint8)
            sram[start : start + load.x_size] = widened.reshape(load.x_size, -1)
        if self._written is not None:
            self._written[SRAM_OF[load.memory]][block] = True
            if SRAM_OF[load.memory] == "acc":
                self._written["out"][block] = False

    def _store(self, store: Store) -> Problem | None:
        if store.x_size == 0:
            return None
        tiles = store.sram_base + np.arange(store.y_size * store.x_size)
        if self._written is not None:
            problem = check_storable(tiles, self._written)
            if problem is not None:
                return problem
        for row, target in enumerate(self._dram_rows(store)):
            start = store.sram_base + row * store.x_size
            low_bytes = self._machine.acc[start : start + store.x_size].astype(np.int8)
            target[:] = low_bytes.reshape(-1).view(np.uint8)
        return None

    def _micro_ops(self, instruction: Gemm | Alu) -> Indices:
        words = self._machine.uop[instruction.uop_bgn : instruction.uop_end]
        return micro_op_indices(words, self._machine.config)

    def _check_operations(self, instruction: Gemm | Alu, micro_ops: Indices) -> Problem | None:
        """Rules that both kinds share: micro-ops written, indices in range."""
        if self._written is not None:
            entries = np.arange(instruction.uop_bgn, instruction.uop_end)
            problem = check_written("uop", entries, self._written)
            if problem is not None:
                return problem
        return check_indices(instruction, micro_ops, self._machine.config)

    def _gemm(self, gemm: Gemm) -> Problem | None:
        micro_ops = self._micro_ops(gemm)
        if not len(micro_ops) * gemm.iter_out * gemm.iter_in:
            return None
        problem = self._check_operations(gemm, micro_ops) or self._check_gemm(gemm, micro_ops)
        if problem is not None:
            return problem
        machine = self._machine
        for dst, src, wgt in _operations(gemm, micro_ops):
            if gemm.reset:
                machine.acc[dst] = 0
            else:
                machine.acc[dst] += tile_product(machine.inp[src], machine.wgt[wgt])
        return None

    def _check_gemm(self, gemm: Gemm, micro_ops: Indices) -> Problem | None:
        if self._written is None:
            return None
        dst, src, wgt = np.array(list(_operations(gemm, micro_ops)), np.int64).T
        problem = None
        if not gemm.reset:
            problem = (
                check_written("inp", src, self._written)
                or check_written("wgt", wgt, self._written)
                or check_written("acc", dst, self._written)
            )
        self._written["acc"][dst] = True
        self._written["out"][dst] = not gemm.reset
        return problem

    def _alu(self, alu: Alu) -> Problem | None:
        micro_ops = self._micro_ops(alu)
        if not len(micro_ops) * alu.iter_out * alu.iter_in:
            return None
        problem = self._check_operations(alu, micro_ops) or self._check_alu(alu, micro_ops)
        if problem is not None:
            return problem
        acc = self._machine.acc
        operation = ALU_OPERATIONS[alu.opcode]
        immediate = np.full(acc.shape[1:], alu.imm, np.int32)
        for dst, src, _ in _operations(alu, micro_ops):
            if self._written is not None:
                problem = check_shift_amounts(alu, acc[src], hls=self._stream.config.is_hls)
                if problem is not None:
                    return problem
            acc[dst] = operation(acc[dst], immediate if alu.use_imm else acc[src])
        return None

    def _check_alu(self, alu: Alu, micro_ops: Indices) -> Problem | None:
        if self._written is None:
            return None
        dst, src, _ = np.array(list(_operations(alu, micro_ops)), np.int64).T
        problem = (
            check_hazards(alu, dst, src)
            or check_written("acc", dst, self._written)
            or check_written("acc", src, self._written)
        )
        self._written["out"][dst] = True
        return problem


def _operations(instruction: Gemm | Alu, micro_ops: Indices) -> Iterator[tuple[int, int, int]]:
    """The (dst, src, wgt) of each tile operation in order: iter_out, iter_in, micro-ops."""
    wgt_out, wgt_in = 0, 0
    if isinstance(instruction, Gemm):
        wgt_out, wgt_in = instruction.wgt_factor_out, instruction.wgt_factor_in
    listed: list[list[int]] = micro_ops.tolist()
    for outer in range(instruction.iter_out):
        for inner in range(instruction.iter_in):
            dst_offset = outer * instruction.dst_factor_out + inner * instruction.dst_factor_in
            src_offset = outer * instruction.src_factor_out + inner * instruction.src_factor_in
            wgt_offset = outer * wgt_out + inner * wgt_in
            for dst, src, wgt in listed:
                yield dst + dst_offset, src + src_offset, wgt + wgt_offset
