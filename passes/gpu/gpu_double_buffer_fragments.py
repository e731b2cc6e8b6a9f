"""gpu-double-buffer-fragments: load the next fragments while the last ones multiply.

before: for k < n                         after: load(0) -> copy 0
          load(k)                                for k < n - 1
          multiply                                 load(k + 1) -> copy (k + 1) mod 2
                                                   multiply with copy k mod 2
                                                 multiply with copy (n - 1) mod 2
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, ModuleOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.scalars import scalars_behind
from vtac.analysis.nests.nest import buffer_name, extents_around
from vtac.analysis.tensor_cores.fragment_loops import accesses_of, buffering_loop
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wmma import FragmentsOp, FragmentType, LoadMatrixSyncOp, MmaSyncOp
from vtac.dialects.wmma.declared import COPIES
from vtac.errors import CompileError
from vtac.rewriting.edits import discard, insert_ops, move_body, move_ops
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once


class BufferFragments(RewritePattern):
    """Fragments with `wmma.copies` -> as many copies, whose loads run ahead in the loop that multiplies with them.

    Fragments that one loop loads run ahead together, with the first of them.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FragmentsOp, rewriter: PatternRewriter) -> None:
        copies = COPIES.get(op)
        if copies is None:
            return
        loop = _loop_of(op, copies)
        group = [other for other in _marked_near(op) if COPIES.get(other) == copies and _loop_of(other, copies) is loop]
        for fragments in group:
            COPIES.remove(fragments)
        _Buffering(loop, copies, group, rewriter).rewrite()


def _marked_near(op: FragmentsOp) -> list[FragmentsOp]:
    """The marked fragments of the same outermost operation, in program order."""
    outermost: Operation = op
    while (parent := outermost.parent_op()) is not None and not isinstance(parent, ModuleOp):
        outermost = parent
    return [other for other in outermost.walk() if isinstance(other, FragmentsOp) and COPIES.is_on(other)]


def _loop_of(fragments: FragmentsOp, copies: int) -> ForOp:
    accesses = accesses_of(fragments.fragments)
    loop = buffering_loop(accesses, copies)
    if isinstance(loop, str):
        raise CompileError(f"double_buffer of '{buffer_name(fragments.fragments)}': {loop}", location_of(fragments))
    return loop


class _Buffering:
    """One loop, and the fragments whose loads run ahead in it; `counts` are the fragments of one copy of each."""

    def __init__(self, loop: ForOp, copies: int, group: Sequence[FragmentsOp], rewriter: PatternRewriter) -> None:
        self.loop = loop
        self.body = loop.body.block
        self.copies = copies
        self.rewriter = rewriter
        self.counts: dict[SSAValue, int] = {op.fragments: op.fragments.type.data.count for op in group}
        self.accesses = [accesses_of(op.fragments) for op in group]

    def rewrite(self) -> None:
        declarations = [op for op in self.body.ops if isinstance(op, FragmentsOp | AllocOp)]
        move_ops(declarations, InsertPoint.before(self.loop), self.rewriter)
        loads, uses = self._split()
        ahead, variable = self.copies - 1, Linear.variable(self.loop.induction_variable)
        for iteration in range(ahead):
            move_body(self._copied(loads, Linear(iteration)), InsertPoint.before(self.loop), self.rewriter)
        behind = InsertPoint.after(self.loop)
        for iteration in range(self.loop.trip_count - ahead, self.loop.trip_count):
            move_body(self._copied(uses, Linear(iteration)), behind, self.rewriter)
        self.loop.trip_count -= ahead
        steady = [self._copied(loads, variable + ahead), self._copied(uses, variable)]
        for op in reversed(list(self.body.ops)):
            discard(op, self.rewriter)
        for statements in steady:
            move_body(statements, InsertPoint.at_end(self.body), self.rewriter)
        self._widen()

    def _split(self) -> tuple[list[Operation], list[Operation]]:
        """The statements of the loop that load the fragments, and all others with an effect."""
        loads: list[Operation] = []
        uses: list[Operation] = []
        for child in self.body.ops:
            inside = set(child.walk())
            loading = any(load in inside for access in self.accesses for load in access.loads)
            if loading and any(use in inside for access in self.accesses for use in access.multiplies):
                raise CompileError(
                    "double_buffer: one statement loads fragments and multiplies them; the loads must stand apart",
                    location_of(child),
                )
            (loads if loading else uses).append(child)
        return loads, [child for child in uses if child.regions or not child.results]

    def _copied(self, statements: Sequence[Operation], iteration: Linear) -> Block:
        """Clones of statements, with the scalars they need, for another iteration and its copy of the fragments."""
        extents = extents_around(self.loop) | {self.loop.induction_variable: self.loop.trip_count}
        values = HostValues(extents)
        value = values.materialise(values.value(iteration))
        mapping: dict[SSAValue, SSAValue] = {self.loop.induction_variable: value}
        clones = [op.clone(mapping) for op in [*scalars_behind(statements, self.body), *statements]]
        copied = Block([*values.operations, *clones])
        for op in list(copied.walk()):
            self._choose_copy(op, value)
        return copied

    def _choose_copy(self, op: Operation, iteration: SSAValue) -> None:
        """Let an operation name fragments of the iteration's copy: index + (iteration mod copies) * count."""
        places: list[tuple[SSAValue, int]] = []
        if isinstance(op, LoadMatrixSyncOp):
            places = [(op.fragments, 1)]
        elif isinstance(op, MmaSyncOp):
            places = [(op.a, 3), (op.b, 5)]
        for fragments, position in places:
            if fragments not in self.counts:
                continue
            slot = (AffineExpr.dimension(1) % self.copies) * self.counts[fragments]
            moved = AffineMap(2, 0, (AffineExpr.dimension(0) + slot,))
            apply = ApplyOp([op.operands[position], iteration], AffineMapAttr(moved))
            insert_ops(apply, InsertPoint.before(op), self.rewriter)
            op.operands[position] = apply.results[0]

    def _widen(self) -> None:
        """Arrays with room for all copies."""
        for fragments in self.counts:
            kind = fragments.type
            if isinstance(kind, FragmentType):
                wide = FragmentType(kind.data.copies(self.copies))
                self.rewriter.replace_value_with_new_type(fragments, wide)


@dataclass(frozen=True)
class GpuDoubleBufferFragments(ModulePass):
    """Give fragments marked by `double_buffer` copies, and let their loads run ahead.

    requires: warp operations (convert-tiles-to-wmma).
    ensures:  the loop around loads and multiplies loads for `copies - 1` iterations ahead;
              fragments of one loop run ahead together.
    declines: loads that no serial loop holds together with their multiplies, whose loop is too
              short or pipelined, or writes the memory that they read.
    """

    name = "gpu-double-buffer-fragments"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, BufferFragments())
