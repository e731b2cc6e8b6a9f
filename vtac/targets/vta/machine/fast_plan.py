"""A stream turned into a list of array operations, for the micro-ops that it loads.

Everything that does not depend on data is done here once: decoding, the order, the structure of
each kernel, the proof that no rule is broken. A plan is valid as long as the memory image holds
the micro-ops that it was made for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import MemoryName
from vtac.targets.vta.isa import Alu, AluOpcode, Gemm, Memory, micro_op_indices
from vtac.targets.vta.machine.fast_active import Active, Kind
from vtac.targets.vta.machine.fast_alu import MAX_OPERATIONS, bind_alu, bind_level
from vtac.targets.vta.machine.fast_gemm import bind_reset
from vtac.targets.vta.machine.fast_levels import parallel_levels
from vtac.targets.vta.machine.fast_memory import (
    LoadFields,
    bind_load,
    bind_small_loads,
    bind_stores,
    is_run_of_small_blocks,
)
from vtac.targets.vta.machine.fast_micro_ops import micro_op_image
from vtac.targets.vta.machine.fast_nest import Nest, nest_of
from vtac.targets.vta.machine.fast_proof import Proof, distinct_trips
from vtac.targets.vta.machine.fast_sums import Sums
from vtac.targets.vta.machine.fast_workspace import Step, Workspace
from vtac.targets.vta.machine.stream import Stream
from vtac.targets.vta.machine.tile_checks import Problem, check_indices, check_shift_amounts

_Key = tuple[object, ...]


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
        self._active = Active(stream, order)
        self._micro_ops = micro_op_indices(np.frombuffer(micro_ops, "<u4"), stream.config)
        self._first_words = micro_op_image(stream).first_words
        self._strict = strict
        self._proof = Proof(stream, strict)
        self._workspace = Workspace(stream.config)
        self._bound: dict[_Key, list[Step]] = {}
        self._in_range: set[_Key] = set()
        self._repeated: dict[tuple[bytes, int], tuple[Gemm | Alu, Nest, _Key]] = {}
        self._bound_loads: dict[LoadFields, Step] = {}
        self._stored = 0
        self._steps: list[Step] = []
        self._sums = Sums(self._workspace, self._steps)
        self._done: list[int] = []

    def build(self) -> Plan:
        """The plan. Raises `ExecutionError` for the first instruction, in order, that breaks a rule."""
        for kind, positions, done in self._active.runs():
            if kind is Kind.LOADS:
                self._loads(positions)
            elif kind is Kind.STORES:
                self._stores(positions)
            else:
                self._operations(positions)
            self._done.extend([done] * (len(self._steps) - len(self._done)))
        self._sums.finish()
        self._done.extend([len(self._stream)] * (len(self._steps) - len(self._done)))
        return Plan(self._workspace, self._steps, self._done, self._proof.reads_unwritten)

    def _loads(self, positions: NDArray[np.int64]) -> None:
        """Loads into different SRAMs don't meet, so each SRAM's loads stay in order by themselves."""
        by_sram: dict[MemoryName, list[LoadFields]] = {}
        for position in positions.tolist():
            load = self._active.loads[position]
            if load.memory is Memory.UOP:
                first = self._first_words[position]
                self._proof.load_micro_ops(load, self._micro_ops[first : first + load.y_size * load.x_size])
            else:
                self._proof.load_block(load)
                by_sram.setdefault(load.sram, []).append(load)
        for load in by_sram.get("acc", ()):
            self._sums.touch(load.sram_base, load.sram_base + load.elements)
        for loads in by_sram.values():
            if is_run_of_small_blocks(loads):
                self._steps.append(bind_small_loads(self._workspace, loads))
                continue
            for load in loads:
                if load not in self._bound_loads:
                    self._bound_loads[load] = bind_load(self._workspace, load)
                self._steps.append(self._bound_loads[load])

    def _stores(self, positions: NDArray[np.int64]) -> None:
        """A run of stores, which are as many blocks as one after the other in the order of all."""
        first, end = self._stored, self._stored + len(positions)
        self._stored = end
        edges, block, sources, targets = self._active.store_tiles
        part = slice(edges[first], edges[end])
        sources = sources[part]
        broken = self._proof.store_tiles(block[part], sources)
        if broken is not None:
            place, problem = broken
            raise self._stream.fault(int(positions[place - first]), *problem)
        if self._sums.is_open and len(sources):
            self._sums.touch(int(sources.min()), int(sources.max()))
        self._steps.append(bind_stores(self._workspace, sources, targets[part]))

    def _operations(self, positions: NDArray[np.int64]) -> None:
        for position in positions.tolist():
            code = self._active.codes[position], self._proof.micro_op_version
            if code in self._repeated and not self._strict:
                # What was written stays written; a strict run also asks what wrote last.
                self._bind(*self._repeated[code])
                continue
            if code not in self._repeated:
                instruction = self._active.instructions[code[0]]
                if isinstance(instruction, Gemm | Alu):
                    self._repeated[code] = self._understand(position, instruction)
            self._operation(position, *self._repeated[code])

    def _understand(self, position: int, instruction: Gemm | Alu) -> tuple[Gemm | Alu, Nest, _Key]:
        """An instruction with the micro-ops in SRAM, which were loaded and name tiles that there are."""
        micro_ops = self._proof.micro_ops(instruction)
        nest = nest_of(instruction, micro_ops)
        if self._strict and isinstance(instruction, Alu) and self._lists(instruction, nest) > MAX_OPERATIONS:
            raise TooLargeError
        key = _key(instruction, nest)
        problem = self._proof.check_micro_ops(instruction)
        if problem is None and key not in self._in_range:
            problem = check_indices(instruction, micro_ops, self._stream.config)
        if problem is not None:
            raise self._stream.fault(position, *problem)
        self._in_range.add(key)
        return instruction, nest, key

    def _operation(self, position: int, instruction: Gemm | Alu, nest: Nest, key: _Key) -> None:
        problem = self._prove(instruction, nest)
        if problem is not None:
            raise self._stream.fault(position, *problem)
        if self._strict and isinstance(instruction, Alu) and _shifts_by_tensor(instruction):
            self._touch(instruction, nest)
            self._steps += self._bind_checked_shift(position, instruction, nest)
            return
        self._bind(instruction, nest, key)

    def _bind(self, instruction: Gemm | Alu, nest: Nest, key: _Key) -> None:
        """The steps of an instruction that breaks no rule."""
        if isinstance(instruction, Gemm) and not instruction.reset:
            self._sums.add(nest)
            return
        self._touch(instruction, nest)
        if key not in self._bound:
            self._bound[key] = _bind_operation(self._workspace, instruction, nest)
        self._steps += self._bound[key]

    def _touch(self, instruction: Gemm | Alu, nest: Nest) -> None:
        """Take the open sums of tiles that a reset or an ALU instruction is about to touch."""
        if not self._sums.is_open:
            return
        self._sums.touch(int(nest.touched_dst[0]), int(nest.touched_dst[-1]))
        if isinstance(instruction, Alu) and not instruction.use_imm:
            self._sums.touch(int(nest.touched_src[0]), int(nest.touched_src[-1]))

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


def _key(instruction: Gemm | Alu, nest: Nest) -> _Key:
    """What a kernel's steps depend on."""
    if isinstance(instruction, Gemm):
        return nest, instruction.reset
    return nest, instruction.opcode, instruction.use_imm, instruction.imm


def _shifts_by_tensor(alu: Alu) -> bool:
    return alu.opcode is AluOpcode.SHR and not alu.use_imm


def _bind_operation(workspace: Workspace, instruction: Gemm | Alu, nest: Nest) -> list[Step]:
    if isinstance(instruction, Alu):
        return bind_alu(workspace, instruction, nest)
    return [bind_reset(workspace, nest)]
