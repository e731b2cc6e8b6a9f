"""A stream turned into a list of array operations, for the micro-ops that it loads.

Everything that does not depend on data is done here once: decoding, the order, the structure of
each kernel, the proof that no rule is broken. A plan is valid as long as the memory image holds
the micro-ops that it was made for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName
from vtac.targets.vta.isa import (
    WORD_BYTES,
    Alu,
    AluOpcode,
    Gemm,
    Instruction,
    Load,
    Memory,
    Opcode,
    decode,
    micro_op_indices,
)
from vtac.targets.vta.machine.counters import tile_operations
from vtac.targets.vta.machine.fast_alu import MAX_OPERATIONS, bind_alu, bind_level, parallel_levels
from vtac.targets.vta.machine.fast_gemm import bind_gemm, bind_reset
from vtac.targets.vta.machine.fast_memory import bind_load, bind_small_loads, bind_stores, is_run_of_small_blocks
from vtac.targets.vta.machine.fast_micro_ops import micro_op_image, select_blocks
from vtac.targets.vta.machine.fast_nest import Nest, nest_of
from vtac.targets.vta.machine.fast_proof import Proof, distinct_trips
from vtac.targets.vta.machine.fast_workspace import Step, Workspace
from vtac.targets.vta.machine.stream import SRAM_OF, Stream
from vtac.targets.vta.machine.tile_checks import Problem, check_indices, check_shift_amounts

TOKEN_BITS = 0b1111000
"""The bits of an instruction's first word that pop and push tokens."""
_LOADS, _STORES, _OPERATION, _NOTHING = range(4)


@dataclass(eq=False)
class Plan:
    """Steps in order; `done[i]` instructions are complete after step i. One run at a time."""

    workspace: Workspace
    steps: list[Step]
    done: list[int]
    starts_from_zero: bool
    lock: Lock = field(default_factory=Lock)

    def run(self, dram: NDArray[np.uint8], progress: Callable[[int, int], None] | None, total: int) -> bool:
        """Execute the stream on a memory image that holds the plan's micro-ops; False if it runs already."""
        if not self.lock.acquire(blocking=False):
            return False
        try:
            self._run(dram, progress, total)
        finally:
            self.lock.release()
        return True

    def _run(self, dram: NDArray[np.uint8], progress: Callable[[int, int], None] | None, total: int) -> None:
        if self.starts_from_zero:
            self.workspace.clear()
        if progress is None:
            for step in self.steps:
                step(dram)
            return
        for step, done in zip(self.steps, self.done, strict=True):
            step(dram)
            progress(done, total)
        progress(total, total)


class TooLargeError(Exception):
    """A strict instruction with more tile operations than a plan can list."""


class PlanBuilder:
    """Builds the plan of one stream for given micro-ops; see `build`."""

    def __init__(self, stream: Stream, order: NDArray[np.int64], micro_ops: bytes, strict: bool) -> None:
        self._stream = stream
        self._order = order
        self._micro_ops = micro_op_indices(np.frombuffer(micro_ops, "<u4"), stream.config)
        self._first_words = micro_op_image(stream).first_words
        self._strict = strict
        self._proof = Proof(stream, strict)
        self._workspace = Workspace(stream.config)
        self._bound: dict[tuple[object, ...], list[Step]] = {}
        self._repeated: dict[tuple[bytes, int], list[Step]] = {}
        self._steps: list[Step] = []
        self._done: list[int] = []

    def build(self) -> Plan:
        """The plan. Raises `ExecutionError` for the first instruction, in order, that breaks a rule."""
        for kind, first, end in self._runs():
            positions = self._active[first:end]
            if kind == _LOADS:
                self._loads(positions)
            elif kind == _STORES:
                self._stores(positions)
            else:
                self._operations(positions)
            self._done.extend([int(self._active_places[end - 1]) + 1] * (len(self._steps) - len(self._done)))
        return Plan(self._workspace, self._steps, self._done, self._proof.reads_unwritten)

    def _kinds(self) -> NDArray[np.int64]:
        """For each instruction of the stream, what kind of work it is."""
        table = self._stream.table
        kinds = np.full(len(self._stream), _NOTHING, np.int64)
        for opcode, kind in ((Opcode.LOAD, _LOADS), (Opcode.STORE, _STORES)):
            kinds[table.rows[opcode][table.columns[opcode]["x_size"] > 0]] = kind
        for opcode in (Opcode.GEMM, Opcode.ALU):
            kinds[table.rows[opcode][tile_operations(self._stream, opcode) > 0]] = _OPERATION
        return kinds

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        """Runs of one kind among the instructions that do anything, in order: kind, first, end."""
        kinds = self._kinds()[self._order]
        self._active_places = np.flatnonzero(kinds != _NOTHING)
        self._active = self._order[self._active_places]
        kinds = kinds[self._active_places]
        bounds = np.flatnonzero(np.diff(kinds)) + 1
        edges: list[int] = [0, *bounds.tolist(), len(kinds)] if len(kinds) else []
        for first, end in pairwise(edges):
            yield int(kinds[first]), first, end

    @cached_property
    def _codes(self) -> dict[int, bytes]:
        """The active instructions but stores as words without tokens, by position."""
        is_store = np.isin(self._active, self._stream.table.rows[Opcode.STORE])
        positions = self._active[~is_store]
        words = np.frombuffer(self._stream.data, "<u8").reshape(-1, WORD_BYTES // 8)[positions]
        words[:, 0] &= ~np.uint64(TOKEN_BITS)
        code = words.tobytes()
        starts = range(0, len(code), WORD_BYTES)
        return dict(zip(positions.tolist(), [code[at : at + WORD_BYTES] for at in starts], strict=True))

    @cached_property
    def _instructions(self) -> dict[bytes, Instruction]:
        """What the words say, each of them once."""
        distinct = list(dict.fromkeys(self._codes.values()))
        return dict(zip(distinct, decode(b"".join(distinct), self._stream.config), strict=True))

    def _loads(self, positions: NDArray[np.int64]) -> None:
        """Loads into different SRAMs don't meet, so each SRAM's loads stay in order by themselves."""
        by_sram: dict[MemoryName, list[Load]] = {}
        for position in positions.tolist():
            load = self._instructions[self._codes[position]]
            if not isinstance(load, Load):
                continue
            if load.memory is Memory.UOP:
                first = self._first_words[position]
                self._proof.load_micro_ops(load, self._micro_ops[first : first + load.y_size * load.x_size])
            else:
                self._proof.load_block(load)
                by_sram.setdefault(SRAM_OF[load.memory], []).append(load)
        for loads in by_sram.values():
            if is_run_of_small_blocks(loads):
                self._steps.append(bind_small_loads(self._workspace, loads))
            else:
                self._steps += [bind_load(self._workspace, load) for load in loads]

    def _stores(self, positions: NDArray[np.int64]) -> None:
        places = np.searchsorted(self._stream.table.rows[Opcode.STORE], positions)
        blocks = select_blocks(self._stream.table.columns[Opcode.STORE], places)
        broken = self._proof.store_blocks(blocks)
        if broken is not None:
            place, problem = broken
            raise self._stream.fault(int(positions[place]), *problem)
        self._steps.append(bind_stores(self._workspace, blocks))

    def _operations(self, positions: NDArray[np.int64]) -> None:
        for position in positions.tolist():
            code = self._codes[position]
            known = self._repeated.get((code, self._proof.micro_op_version))
            if known is not None:
                self._steps += known
                continue
            instruction, before = self._instructions[code], len(self._steps)
            if isinstance(instruction, Gemm | Alu):
                self._operation(position, instruction)
            if not self._strict:  # what was written stays written; a strict run also asks what wrote last
                self._repeated[code, self._proof.micro_op_version] = self._steps[before:]

    def _operation(self, position: int, instruction: Gemm | Alu) -> None:
        micro_ops = self._proof.micro_ops(instruction)
        nest = nest_of(instruction, micro_ops)
        if self._strict and isinstance(instruction, Alu) and self._lists(instruction, nest) > MAX_OPERATIONS:
            raise TooLargeError
        key = _key(instruction, nest)
        problem = self._proof.check_micro_ops(instruction)
        if problem is None and key not in self._bound:
            problem = check_indices(instruction, micro_ops, self._stream.config)
        problem = problem or self._prove(instruction, nest)
        if problem is not None:
            raise self._stream.fault(position, *problem)
        if isinstance(instruction, Alu) and self._strict and _shifts_by_tensor(instruction):
            self._steps += self._bind_checked_shift(position, instruction, nest)
            return
        if key not in self._bound:
            self._bound[key] = _bind_operation(self._workspace, instruction, nest)
        self._steps += self._bound[key]

    @staticmethod
    def _lists(alu: Alu, nest: Nest) -> int:
        """How many tile operations a strict run of an ALU instruction lists."""
        return nest.operations if _shifts_by_tensor(alu) else distinct_trips(nest).operations

    def _prove(self, instruction: Gemm | Alu, nest: Nest) -> Problem | None:
        if isinstance(instruction, Gemm):
            return self._proof.gemm(instruction, nest)
        return self._proof.alu(instruction, nest)

    def _bind_checked_shift(self, position: int, alu: Alu, nest: Nest) -> list[Step]:
        """A strict shift by amounts that are data: looked at before each level."""
        acc, stream = self._workspace.machine.acc, self._stream
        steps: list[Step] = []
        levels = parallel_levels(nest)
        if levels is None:
            raise TooLargeError
        for dst, src in levels:

            def check(_: NDArray[np.uint8], src: NDArray[np.int64] = src) -> None:
                problem = check_shift_amounts(alu, acc[src], hls=stream.config.is_hls)
                if problem is not None:
                    raise stream.fault(position, *problem)

            steps += [check, bind_level(self._workspace, alu, dst, src)]
        return steps


def _key(instruction: Gemm | Alu, nest: Nest) -> tuple[object, ...]:
    """What a kernel's steps depend on."""
    if isinstance(instruction, Gemm):
        return nest, instruction.reset
    return nest, instruction.opcode, instruction.use_imm, instruction.imm


def _shifts_by_tensor(alu: Alu) -> bool:
    return alu.opcode is AluOpcode.SHR and not alu.use_imm


def _bind_operation(workspace: Workspace, instruction: Gemm | Alu, nest: Nest) -> list[Step]:
    if isinstance(instruction, Alu):
        return bind_alu(workspace, instruction, nest)
    if instruction.reset:
        return [bind_reset(workspace, nest)]
    return bind_gemm(workspace, nest)
