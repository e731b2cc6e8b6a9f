"""What a plan must know of SRAM's contents to be exact: what is written, micro-ops, strict rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from vtac.targets.vta.isa import Alu, Gemm
from vtac.targets.vta.machine.fast_memory import LoadFields
from vtac.targets.vta.machine.fast_nest import Indices, Loop, Nest, merge_loops
from vtac.targets.vta.machine.machine import Written
from vtac.targets.vta.machine.stream import Stream
from vtac.targets.vta.machine.tile_checks import Problem, check_hazards, check_storable, check_written


def distinct_trips(nest: Nest) -> Nest:
    """An ALU nest that starts with all neighbouring operations there are: two trips of a loop that moves nothing."""
    first, *rest = merge_loops(nest.hardware) or (Loop(1, 0, 0, 0),)
    if first.dst or first.src:
        return nest
    return replace(nest, hardware=(first._replace(extent=min(first.extent, 2)), *rest))


@dataclass(eq=False)
class Proof:
    """Follows a stream without data: the micro-ops in SRAM, and which elements hold something.

    With `strict` a broken hardware rule is a problem; without, reads of unwritten elements are
    remembered in `reads_unwritten`, for then a run must start from zeroed SRAM.
    """

    stream: Stream
    strict: bool
    reads_unwritten: bool = False
    micro_op_version: int = 0
    """Another number where other micro-ops are in SRAM."""
    _written: Written = field(init=False)
    _micro_ops: Indices = field(init=False)
    _hazards: dict[tuple[Nest, bool], Problem | None] = field(
        default_factory=dict[tuple[Nest, bool], "Problem | None"], init=False
    )
    _proven: set[tuple[object, ...]] = field(default_factory=set[tuple[object, ...]], init=False)
    """What reads only elements that hold something: it does so ever after."""

    def __post_init__(self) -> None:
        self._written = Written(self.stream.config)
        self._micro_ops = np.zeros((self.stream.config.capacity("uop"), 3), np.int64)

    def micro_ops(self, instruction: Gemm | Alu) -> Indices:
        """The micro-ops that an instruction executes, shape (n, 3)."""
        return self._micro_ops[instruction.uop_bgn : instruction.uop_end]

    def load_micro_ops(self, load: LoadFields, micro_ops: Indices) -> None:
        """A LOAD UOP of micro-ops, its data without pads, shape (n, 3)."""
        entries = slice(load.sram_base, load.sram_base + load.elements)
        found = micro_ops
        if load.elements > len(micro_ops):
            width = load.x_pad_0 + load.x_size + load.x_pad_1
            block = np.zeros((load.elements // width, width, 3), np.int64)
            inside = block[load.y_pad_0 : load.y_pad_0 + load.y_size, load.x_pad_0 : load.x_pad_0 + load.x_size]
            inside[:] = micro_ops.reshape(load.y_size, load.x_size, 3)
            found = block.reshape(-1, 3)
        if not self._written["uop"][entries].all() or (self._micro_ops[entries] != found).any():
            self._micro_ops[entries] = found
            self._written["uop"][entries] = True
            self.micro_op_version += 1

    def load_block(self, load: LoadFields) -> None:
        """A LOAD into a memory other than UOP."""
        block = slice(load.sram_base, load.sram_base + load.elements)
        self._written.by_memory[load.sram][block] = True
        if load.sram == "acc":
            self._written["out"][block] = False

    def store_tiles(self, block: Indices, tiles: Indices) -> tuple[int, Problem] | None:
        """STOREs of accumulator tiles, of one `block` or another; the first that breaks a rule, and its problem."""
        missing = ~self._written["acc"][tiles]
        self.reads_unwritten = self.reads_unwritten or bool(missing.any())
        bad = missing | ~self._written["out"][tiles]
        if not self.strict or not bad.any():
            return None
        place = int(block[np.argmax(bad)])
        problem = check_storable(tiles[block == place], self._written)
        return None if problem is None else (place, problem)

    def check_micro_ops(self, instruction: Gemm | Alu) -> Problem | None:
        """Whether an instruction's micro-ops were loaded."""
        key = instruction.uop_bgn, instruction.uop_end
        if key in self._proven:
            return None
        if self._written["uop"][instruction.uop_bgn : instruction.uop_end].all():
            self._proven.add(key)
            return None
        entries = np.arange(instruction.uop_bgn, instruction.uop_end)
        return self._verdict(check_written("uop", entries, self._written))

    def gemm(self, gemm: Gemm, nest: Nest) -> Problem | None:
        """A GEMM whose indices are in range."""
        key, problem = (nest, gemm.reset), None
        if key not in self._proven:
            unwritten = None
            if not gemm.reset:
                unwritten = (
                    check_written("inp", nest.touched_src, self._written)
                    or check_written("wgt", nest.touched_wgt, self._written)
                    or check_written("acc", nest.touched_dst, self._written)
                )
            problem = self._verdict(unwritten)
            self._written["acc"][nest.touched_dst] = True
            self._proven.add(key)
        self._written["out"][nest.dst_tiles] = not gemm.reset
        return problem

    def alu(self, alu: Alu, nest: Nest) -> Problem | None:
        """An ALU instruction whose indices are in range."""
        hazard = self._hazard(alu, nest) if self.strict else None
        key, unwritten = (nest, bool(alu.use_imm), "alu"), None
        if key not in self._proven:
            unwritten = self._verdict(check_written("acc", nest.touched_dst, self._written))
            if not alu.use_imm or self.strict:
                unwritten = unwritten or self._verdict(check_written("acc", nest.touched_src, self._written))
            self._written["acc"][nest.touched_dst] = True
            self._proven.add(key)
        self._written["out"][nest.dst_tiles] = True
        return hazard or unwritten

    def _hazard(self, alu: Alu, nest: Nest) -> Problem | None:
        """Operations of a kernel that follow too closely on what they need: found once for each kernel."""
        key = nest, bool(alu.use_imm)
        if key not in self._hazards:
            listed = distinct_trips(nest)
            self._hazards[key] = check_hazards(alu, listed.indices(0), listed.indices(1))
        return self._hazards[key]

    def _verdict(self, unwritten: Problem | None) -> Problem | None:
        """A read of unwritten elements: a problem if strict, else a note that SRAM must start at zero."""
        self.reads_unwritten = self.reads_unwritten or unwritten is not None
        return unwritten if self.strict else None
