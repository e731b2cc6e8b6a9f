"""vta-plan-dram: tensors between kernels share DRAM where they are never needed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerType, ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.memref import AllocOp, ReinterpretCastOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import kernel_modules, program_functions
from vtac.analysis.ir.target import config_of
from vtac.analysis.nests.nest import element_type_of, shape_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.vta.declared import ARENA_OFFSET
from vtac.rewriting.walker import rewrite_once


@dataclass
class GiveOffset(RewritePattern):
    """An allocation bears its place in the plan."""

    offsets: Mapping[SSAValue, int]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        offset = self.offsets.get(op.memref)
        if offset is not None:
            ARENA_OFFSET.set(op, offset)
            rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class _Live:
    """An allocation, its bytes, and the positions of the first and last op that use it."""

    allocation: AllocOp
    nbytes: int
    first: int
    last: int

    def meets(self, other: _Live) -> bool:
        return self.first <= other.last and other.first <= self.last


def plan_offsets(program: FuncOp, config: VTAConfig) -> dict[SSAValue, int]:
    """The byte offset of each allocation of a program in the area that they share."""
    position = {op: number for number, op in enumerate(program.body.block.ops)}
    buffers = [_live(op, position) for op in program.body.block.ops if isinstance(op, AllocOp)]
    placed: list[tuple[_Live, int]] = []
    for buffer in sorted(buffers, key=lambda buffer: -buffer.nbytes):
        placed.append((buffer, _lowest(buffer, placed, config.dram_alignment)))
    return {buffer.allocation.memref: offset for buffer, offset in placed}


def _live(allocation: AllocOp, position: dict[Operation, int]) -> _Live:
    uses = [position[call] for call in calls_on(allocation.memref)]
    element = cast(IntegerType, element_type_of(allocation.memref))
    nbytes = prod(shape_of(allocation.memref)) * element.width.data // 8
    return _Live(allocation, nbytes, min(uses, default=0), max(uses, default=0))


def calls_on(buffer: SSAValue) -> list[CallOp]:
    """The calls that are given a buffer or a view of it."""
    found: list[CallOp] = []
    for use in buffer.uses:
        if isinstance(use.operation, CallOp):
            found.append(use.operation)
        elif isinstance(use.operation, ReinterpretCastOp):
            found += calls_on(use.operation.result)
    return found


def _lowest(buffer: _Live, placed: Sequence[tuple[_Live, int]], alignment: int) -> int:
    busy = sorted((offset, offset + other.nbytes) for other, offset in placed if other.meets(buffer))
    offset = 0
    for start, end in busy:
        if offset + buffer.nbytes <= start:
            break
        offset = max(offset, -(-end // alignment) * alignment)
    return offset


@dataclass(frozen=True)
class VtaPlanDram(ModulePass):
    """Place the allocations of a program by liveness, the largest first, each at the lowest free offset.

    Offsets are a plan of the whole program. A buffer is live from the first to the last call
    that is given it or a view of it. Reuse is safe whatever the units' order: transfers to and
    from the same pages are kept in order.

    requires: programs as vta-link-kernels leaves them, in modules within the module.
    ensures:  every allocation has `vta.arena_offset`, a multiple of the configuration's DRAM
              alignment; allocations that are live together lie apart.
    declines: nothing.
    """

    name = "vta-plan-dram"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for stream in kernel_modules(op):
            for program in program_functions(stream):
                rewrite_once(program, GiveOffset(plan_offsets(program, config_of(stream))))
