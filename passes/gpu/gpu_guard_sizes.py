"""gpu-guard-sizes: a kernel for one size -> one for any, which is an argument.

before: %x = load %a[%place]              after: %n = load %size[0]
                                                  %x = if %place < %n * 64 { load %a[%place] } else { 0 }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf, vector
from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FloatAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    ModuleOp,
    Signedness,
    VectorType,
    i32,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.kernels.dynamic_grid import check_independent, dynamic_arguments, grid_rule
from vtac.analysis.kernels.gpu_indices import whole
from vtac.dialects.gpu_hardware import ELEMENT_BYTES
from vtac.dialects.mma import LoadPairOp, StorePairOp
from vtac.dialects.wmma import AsyncCopyOp, VariableOp
from vtac.dialects.wmma.declared import DYNAMIC_GRID, DYNAMIC_SIZE, GRID, KERNEL
from vtac.rewriting.edits import insert_ops
from vtac.rewriting.walker import rewrite_once

SIZE = "size"
"""The name of the argument that holds the size, if no other has it."""


@dataclass
class GuardAccess(RewritePattern):
    """An access of an array of a dynamic size -> one where the array has the element; zeros, or nothing, elsewhere."""

    ends: Mapping[SSAValue, SSAValue]

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self,
        op: memref.LoadOp | memref.StoreOp | vector.LoadOp | vector.StoreOp | LoadPairOp | StorePairOp | AsyncCopyOp,
        rewriter: PatternRewriter,
    ) -> None:
        buffer, place = _accessed(op)
        end = self.ends.get(whole(buffer))
        if end is None or _is_guarded(op, end):
            return
        inside = arith.CmpiOp(place, end, "slt")
        inside.result.name_hint = "inside"
        if isinstance(op, AsyncCopyOp):
            self._copy(op, inside, rewriter)
            return
        inner = op.clone()
        inner.location = op.location
        if not inner.results:
            rewriter.replace(op, [inside, scf.IfOp(inside.result, [], [inner, scf.YieldOp()])], [])
            return
        for own, former in zip(inner.results, op.results, strict=True):
            own.name_hint = former.name_hint
        zero = arith.ConstantOp(_zero(inner.results[0].type))
        zeros = scf.YieldOp(*[zero.result] * len(inner.results))
        kinds = [one.type for one in inner.results]
        choice = scf.IfOp(inside.result, kinds, [inner, scf.YieldOp(*inner.results)], [zero, zeros])
        rewriter.replace(op, [inside, choice])

    def _copy(self, op: AsyncCopyOp, inside: arith.CmpiOp, rewriter: PatternRewriter) -> None:
        made: list[Operation] = [inside]
        if op.present is not None:
            made.append(arith.AndIOp(op.present, inside.result))
        copy = AsyncCopyOp(
            operands=[op.target, op.target_offset, op.source, op.source_offset, made[-1].results[0]],
            properties={"elements": op.elements},
        )
        copy.location = op.location
        rewriter.replace(op, [*made, copy], [])


def _accessed(
    op: memref.LoadOp | memref.StoreOp | vector.LoadOp | vector.StoreOp | LoadPairOp | StorePairOp | AsyncCopyOp,
) -> tuple[SSAValue, SSAValue]:
    """The array of an access, and its first element: rows end behind whole vectors and pairs."""
    if isinstance(op, AsyncCopyOp):
        return op.source, op.source_offset
    if isinstance(op, LoadPairOp | StorePairOp):
        return op.memory, op.offset
    return (op.memref if isinstance(op, memref.LoadOp | memref.StoreOp) else op.base), op.indices[0]


def _is_guarded(op: Operation, end: SSAValue) -> bool:
    """Whether the test of an access stands around it, or decides it, already."""
    present = op.present if isinstance(op, AsyncCopyOp) else None
    parent = op.parent_op()
    condition = present if present is not None else parent.cond if isinstance(parent, scf.IfOp) else None
    tests = [condition] if condition is not None else []
    while tests:
        owner = tests.pop().owner
        if isinstance(owner, arith.AndIOp):
            tests += owner.operands
        if isinstance(owner, arith.CmpiOp) and owner.rhs is end:
            return True
    return False


def _zero(kind: Attribute) -> DenseIntOrFPElementsAttr | IntegerAttr[IntegerType] | FloatAttr[AnyFloat]:
    if isinstance(kind, VectorType):
        lanes = cast("VectorType[AnyFloat]", kind)
        width = ELEMENT_BYTES[str(lanes.element_type).replace("i", "s")]
        return DenseIntOrFPElementsAttr(lanes, BytesAttr(bytes(lanes.get_shape()[0] * width)))
    if isinstance(kind, IntegerType):
        return IntegerAttr(0, cast("IntegerType[int, Signedness]", kind))
    return FloatAttr(0.0, cast("AnyFloat", kind))


def _ends(kernel: FuncOp, size: int) -> dict[SSAValue, SSAValue]:
    """The element behind the last one of each array of a dynamic size, worked out where the kernel starts."""
    rows = dynamic_arguments(kernel, size)
    body = kernel.body.block
    argument = body.insert_arg(MemRefType(i32, [1]), len(body.args))
    names = {one.name_hint for one in body.args}
    argument.name_hint = next(
        name for name in (SIZE, *(f"{SIZE}_{at}" for at in range(len(names)))) if name not in names
    )
    marks = kernel.arg_attrs
    if marks is not None:
        kernel.arg_attrs = ArrayAttr([*marks.data, DictionaryAttr({})])
    kernel.function_type = FunctionType.from_lists([one.type for one in body.args], [])
    zero = arith.ConstantOp(IntegerAttr(0, IndexType()))
    load = memref.LoadOp.get(argument, [zero.result])
    load.res.name_hint = "rows"
    number = arith.IndexCastOp(load.res, IndexType())
    made: list[Operation] = [zero, load, number]
    ends: dict[SSAValue, SSAValue] = {}
    for buffer, row in rows.items():
        factor = arith.ConstantOp(IntegerAttr(row, IndexType()))
        product = arith.MuliOp(number.result, factor.result)
        end = VariableOp(product.result)
        end.result.name_hint = f"{buffer.name_hint or 'array'}_end"
        made += [factor, product, end]
        ends[buffer] = end.result
    insert_ops(made, InsertPoint.at_start(body))
    return ends


@dataclass(frozen=True)
class GpuGuardSizes(ModulePass):
    """Make kernels that were lowered for a stand-in right for every size.

    A place in an array is an index of its outermost dimension times a row, and more; so it lies in the array where it
    is below the size times a row. Nothing else of a kernel may depend on the size
    (`vtac.analysis.kernels.dynamic_grid`).

    requires: kernels (convert-loops-to-gpu) of a module with `wmma.dynamic_size`, addressed by flat offsets.
    ensures:  a last argument holds the size; accesses of arrays of a dynamic size are guarded by it; the kernel says
              how its grid depends on it, `wmma.dynamic_grid`; `wmma.grid` is that of a size of 1. Kernels without such
              arrays stay as they are.
    declines: indices, conditions, loops and grids that depend on the size otherwise; fragments loaded from such arrays.
    """

    name = "gpu-guard-sizes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        size = DYNAMIC_SIZE.get(op)
        for kernel in [one for one in op.ops if isinstance(one, FuncOp) and KERNEL.is_on(one)]:
            if size is None or DYNAMIC_GRID.is_on(kernel) or not dynamic_arguments(kernel, size):
                continue
            check_independent(kernel, size)
            rule = grid_rule(kernel, size)
            DYNAMIC_GRID.set(kernel, (rule.dimension, rule.times, rule.row, rule.step))
            grid = list(GRID.get(kernel) or (1, 1, 1))
            grid[rule.dimension] = rule.times * -(-rule.row // rule.step)
            GRID.set(kernel, tuple(grid))
            rewrite_once(kernel, GuardAccess(_ends(kernel, size)))
