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
from xdsl.rewriter import Rewriter

from vtac.analysis.fragment_loops import accesses_of, buffering_loop
from vtac.analysis.linear import Linear
from vtac.analysis.locations import location_of
from vtac.analysis.nest import buffer_name, discard, extents_around
from vtac.analysis.scalars import scalars_behind
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wmma import FragmentsOp, FragmentType, LoadMatrixSyncOp, MmaSyncOp
from vtac.dialects.wmma.declared import COPIES
from vtac.errors import CompileError
from vtac.rewriting.index_values import HostValues


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
        groups: dict[tuple[ForOp, int], list[FragmentsOp]] = {}
        for fragments in [inner for inner in op.walk() if isinstance(inner, FragmentsOp)]:
            copies = COPIES.remove(fragments)
            if copies is not None:
                loop = _loop_of(fragments, copies)
                groups.setdefault((loop, copies), []).append(fragments)
        for (loop, copies), group in groups.items():
            _Buffering(loop, copies, group).rewrite()


def _loop_of(fragments: FragmentsOp, copies: int) -> ForOp:
    accesses = accesses_of(fragments.fragments)
    loop = buffering_loop(accesses, copies)
    if isinstance(loop, str):
        raise CompileError(f"double_buffer of '{buffer_name(fragments.fragments)}': {loop}", location_of(fragments))
    return loop


class _Buffering:
    def __init__(self, loop: ForOp, copies: int, group: Sequence[FragmentsOp]) -> None:
        self.loop = loop
        self.body = loop.body.block
        self.copies = copies
        self.counts: dict[SSAValue, int] = {op.fragments: op.fragments.type.data.count for op in group}
        self.accesses = [accesses_of(op.fragments) for op in group]

    def rewrite(self) -> None:
        self._hoist_declarations()
        loads, uses = self._split()
        ahead = self.copies - 1
        for iteration in range(ahead):
            self._insert_before(self._copied(loads, Linear(iteration)), self.loop)
        self._insert_after([self._copied(uses, Linear(self.loop.trip_count - ahead + step)) for step in range(ahead)])
        self.loop.trip_count -= ahead
        variable = Linear.variable(self.loop.induction_variable)
        body = [*self._copied(loads, variable + ahead), *self._copied(uses, variable)]
        for op in reversed(list(self.body.ops)):
            discard(op)
        self.body.add_ops(body)
        self._widen()

    def _hoist_declarations(self) -> None:
        declarations = [op for op in self.body.ops if isinstance(op, FragmentsOp | AllocOp)]
        for op in declarations:
            op.detach()
        self._insert_before(declarations, self.loop)

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

    def _copied(self, statements: Sequence[Operation], iteration: Linear) -> list[Operation]:
        """Clones of statements, with the scalars they need, for another iteration and its copy of the fragments."""
        extents = extents_around(self.loop) | {self.loop.induction_variable: self.loop.trip_count}
        values = HostValues(extents)
        value = values.materialise(values.value(iteration))
        mapping: dict[SSAValue, SSAValue] = {self.loop.induction_variable: value}
        clones = Block([op.clone(mapping) for op in [*scalars_behind(statements, self.body), *statements]])
        for op in list(clones.walk()):
            self._choose_copy(op, value)
        copied = list(clones.ops)
        for op in copied:
            op.detach()
        return [*values.operations, *copied]

    def _choose_copy(self, op: Operation, iteration: SSAValue) -> None:
        """Let an operation name fragments of the iteration's copy: index + (iteration mod copies) * count."""
        places: list[tuple[SSAValue, int]] = []
        if isinstance(op, LoadMatrixSyncOp):
            places = [(op.fragments, 1)]
        elif isinstance(op, MmaSyncOp):
            places = [(op.a, 3), (op.b, 5)]
        for fragments, position in places:
            if fragments not in self.counts or op.parent is None:
                continue
            slot = (AffineExpr.dimension(1) % self.copies) * self.counts[fragments]
            moved = AffineMap(2, 0, (AffineExpr.dimension(0) + slot,))
            apply = ApplyOp([op.operands[position], iteration], AffineMapAttr(moved))
            op.parent.insert_op_before(apply, op)
            op.operands[position] = apply.results[0]

    def _insert_before(self, operations: Sequence[Operation], place: Operation) -> None:
        if place.parent is None:
            raise ValueError("the loop stands nowhere")
        for op in operations:
            place.parent.insert_op_before(op, place)

    def _insert_after(self, groups: Sequence[Sequence[Operation]]) -> None:
        if self.loop.parent is None:
            raise ValueError("the loop stands nowhere")
        for group in reversed(groups):
            for op in reversed(group):
                self.loop.parent.insert_op_after(op, self.loop)

    def _widen(self) -> None:
        """Arrays with room for all copies."""
        for fragments in self.counts:
            kind = fragments.type
            if isinstance(kind, FragmentType):
                wide = FragmentType(kind.data.copies(self.copies))
                Rewriter.replace_value_with_new_type(fragments, wide)
