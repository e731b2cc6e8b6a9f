"""gpu-carry-copies: what a pipeline copies without asynchronous copies waits in registers while the step multiplies.

before: if more: for i: slot[i] = x[i]        after: if more: for i: carried[i] = x[i]
        use another slot                             use another slot
                                                     if more: for i: slot[i] = carried[i]
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.context import Context
from xdsl.dialects import memref, scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, MemRefType, ModuleOp, StringAttr, VectorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.scalars import scalars_behind
from vtac.analysis.nests.nest import element_type_of
from vtac.dialects.schedule.declared import UNROLL
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wmma.declared import AHEAD, KERNEL, STAGED
from vtac.errors import CompileError
from vtac.rewriting.edits import before_end, discard, insert_ops
from vtac.rewriting.walker import rewrite_once

_Store = memref.StoreOp | vector.StoreOp


class CarryCopies(RewritePattern):
    """Copies that run ahead -> loads where they stand, and stores at the end of the step, of what was loaded."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.IfOp, rewriter: PatternRewriter) -> None:
        step = op.parent
        if AHEAD.remove(op) is None or step is None:
            return
        body = op.true_region.block
        copies = [statement for statement in body.ops if _stores(statement)]
        if not copies:
            return
        behind = scalars_behind(copies, body)
        mapping: dict[SSAValue, SSAValue] = {}
        clones = [one.clone(mapping) for one in [*behind, *copies]]
        for fetch, deposit in zip(copies, clones[len(behind) :], strict=True):
            for load, store in zip(_stores(fetch), _stores(deposit), strict=True):
                _carry(load, store, fetch, deposit, rewriter)
        later = scf.IfOp(op.cond, [], Region(Block([*clones, scf.YieldOp()])))
        later.location = op.location
        rewriter.insert(later, before_end(step))


def _stores(statement: Operation) -> list[_Store]:
    """The stores of a statement into slots of a pipeline."""
    return [op for op in statement.walk() if isinstance(op, _Store) and _is_slot(_buffer(op))]


def _is_slot(buffer: SSAValue) -> bool:
    owner = buffer.owner
    return isinstance(owner, Operation) and STAGED.is_on(owner)


def _buffer(op: _Store) -> SSAValue:
    return op.memref if isinstance(op, memref.StoreOp) else op.base


def _carry(load: _Store, store: _Store, fetch: Operation, deposit: Operation, rewriter: PatternRewriter) -> None:
    """Put what one copy loads into registers, and let its twin at the end of the step take it from there."""
    registers = _registers(load, fetch, rewriter)
    value, place = load.operands[0], _place(load, fetch)
    kept: Operation = memref.StoreOp.get(value, registers, place.results)
    if isinstance(load, vector.StoreOp):
        kept = vector.StoreOp(value, registers, place.results)
    rewriter.insert(place, InsertPoint.before(load))
    rewriter.replace(load, kept, [])
    loaded, place = store.operands[0], _place(store, deposit)
    back: Operation = memref.LoadOp.get(registers, place.results)
    if isinstance(store, vector.StoreOp):
        back = vector.LoadOp(registers, place.results, cast("VectorType[Attribute]", store.vector.type))
    insert_ops([place, back], InsertPoint.before(store))
    store.operands[0] = back.results[0]
    _drop(loaded)


def _drop(value: SSAValue) -> None:
    """Erase what made a value that nothing uses any more, and what that alone used."""
    owner = value.owner
    if isinstance(owner, Block) or any(True for result in owner.results for _ in result.uses):
        return
    operands = list(owner.operands)
    discard(owner)
    for operand in operands:
        _drop(operand)


def _registers(load: _Store, fetch: Operation, rewriter: PatternRewriter) -> SSAValue:
    """An array of each thread's own, declared where the kernel starts."""
    count = prod(loop.trip_count for loop in _loops(load, fetch)) * _lanes(load)
    kind: MemRefType[Attribute] = MemRefType(element_type_of(_buffer(load)), [count], memory_space=StringAttr("local"))
    made = memref.AllocOp([], [], kind)
    made.memref.name_hint = "carried"
    made.location = load.location
    rewriter.insert(made, InsertPoint.at_start(_kernel(load).body.block))
    return made.memref


def _place(store: _Store, statement: Operation) -> ApplyOp:
    """The register of an iteration of the loops around a store: constants, once these loops are unrolled."""
    loops = _loops(store, statement)
    place: AffineExpr = AffineExpr.constant(0)
    for position, loop in enumerate(loops):
        UNROLL.set(loop, True)
        place = place * loop.trip_count + AffineExpr.dimension(position)
    place = place * _lanes(store)
    variables = [loop.induction_variable for loop in loops]
    return ApplyOp(variables, AffineMapAttr(AffineMap(len(loops), 0, (place,))))


def _lanes(store: _Store) -> int:
    if isinstance(store, memref.StoreOp):
        return 1
    return cast("VectorType[Attribute]", store.vector.type).get_shape()[0]


def _loops(op: Operation, statement: Operation) -> list[ForOp]:
    """The loops around an operation, within a statement that holds it, outermost first."""
    found: list[ForOp] = []
    around: Operation | None = op
    while around is not None:
        if isinstance(around, ForOp):
            found.insert(0, around)
        around = None if around is statement else around.parent_op()
    return found


def _kernel(op: Operation) -> FuncOp:
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    if parent is None:
        raise CompileError(f"'{op.name}' stands outside of a function", location_of(op))
    return parent


@dataclass(frozen=True)
class GpuCarryCopies(ModulePass):
    """Let loads of a pipeline's copies be under way while a step multiplies.

    requires: kernels (convert-loops-to-gpu) with the pipelines of gpu-pipeline-loops.
    ensures:  nothing is marked `wmma.ahead`. Narrow copies of a later step are loads to registers where they stood, and
              stores from these at the end of the step, in unrolled loops.
    declines: nothing.
    """

    name = "gpu-carry-copies"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            rewrite_once(kernel, CarryCopies())
