"""gpu-swizzle-accesses: accesses of swizzled shared memory go where its layout says.

before: buffer[row * 64 + chunk * 8]                after: buffer[row * 64 + (chunk xor row mod 8) * 8]
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr, IndexType, IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint
from xdsl.traits import is_side_effect_free

from vtac.analysis.expressions.linear import Extents, Linear
from vtac.analysis.expressions.trips import bounds_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.alignment import multiple_of
from vtac.analysis.kernels.gpu_indices import Access, own_accesses, whole
from vtac.analysis.kernels.kernel_bounds import reaches
from vtac.analysis.kernels.kernel_places import first_place
from vtac.analysis.kernels.kernel_values import KernelValues
from vtac.analysis.kernels.shared_memory import shared_buffers
from vtac.analysis.nests.nest import buffer_name, element_type_of
from vtac.dialects.gpu_hardware import ELEMENT_BYTES
from vtac.dialects.mma.declared import LAYOUT, PLACED
from vtac.dialects.mma.shared_layouts import CHUNK, SharedLayout
from vtac.dialects.schedule.declared import UNROLL
from vtac.dialects.wgmma import DescriptorOp
from vtac.dialects.wmma import AsyncCopyOp, LoadMatrixSyncOp, StoreMatrixSyncOp
from vtac.dialects.wmma.declared import KERNEL
from vtac.errors import CompileError
from vtac.rewriting.edits import insert_ops
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once


class WriteOutCopies(RewritePattern):
    """An unrolled loop of copies to memory with a layout -> its iterations one after the other.

    Where a chunk goes is then nothing that a loop changes, and worked out once.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: scf.ForOp, rewriter: PatternRewriter) -> None:
        trips = bounds_of(op)
        if not UNROLL.is_on(op) or trips is None or op.iter_args or not _copies_to_layout(op):
            return
        made: list[Operation] = []
        for number in trips:
            index = arith.ConstantOp(IntegerAttr(number, IndexType()))
            mapping: dict[SSAValue, SSAValue] = {op.body.block.args[0]: index.result}
            *statements, _ = op.body.block.ops
            made += [index, *(statement.clone(mapping) for statement in statements)]
        rewriter.replace(op, made, [])


def _copies_to_layout(loop: scf.ForOp) -> bool:
    """Whether a loop holds single copies to memory that has a layout, and nothing else that has effects."""
    *statements, _ = loop.body.block.ops
    effects = [one for one in statements if not is_side_effect_free(one)]
    targets = [whole(one.target).owner for one in effects if isinstance(one, AsyncCopyOp)]
    return len(targets) == len(effects) > 0 and all(
        isinstance(owner, Operation) and LAYOUT.get(owner) is not None for owner in targets
    )


@dataclass
class SwizzleAccess(RewritePattern):
    """An access of a buffer with a layout -> the same at the place that the layout gives it."""

    values: KernelValues

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        for access in own_accesses(op):
            owner = access.buffer.owner
            layout = LAYOUT.get(owner) if isinstance(owner, Operation) else None
            if layout is not None:
                self._move(op, access, layout, rewriter)

    def _move(self, op: Operation, access: Access, layout: SharedLayout, rewriter: PatternRewriter) -> None:
        width = _width(access.buffer)
        place = self.values.expression(access.place)
        if isinstance(op, DescriptorOp) and place is not None:
            self._place_matrix(op, _panelled(place, layout, width, self.values.extents), rewriter)
            return
        if (
            place is None
            or isinstance(op, LoadMatrixSyncOp | StoreMatrixSyncOp)
            or not self._fits(access, width, place)
        ):
            raise CompileError(
                f"'{op.name}' of '{buffer_name(access.buffer)}', which is swizzled: only accesses of at most {CHUNK} "
                f"bytes that stay within a multiple of {CHUNK} can be; load its tiles by mma.ldmatrix, and copy "
                "vectors",
                location_of(op),
            )
        moved = self._swizzled(op, place, layout, width, rewriter)
        # In every operation that accesses memory the place follows the memory; others may be the same value.
        position = next(at for at, operand in enumerate(op.operands) if whole(operand) is access.buffer)
        op.operands[position + 1] = moved
        rewriter.notify_op_modified(op)

    def _swizzled(
        self, op: Operation, place: Linear, layout: SharedLayout, width: int, rewriter: PatternRewriter
    ) -> SSAValue:
        """The element of a buffer where one lies that would be at `place` in plain rows."""
        extents, chunk = self.values.extents, CHUNK // width
        place = _panelled(place, layout, width, extents)
        chunks = place.floor_divide(chunk, extents)
        number = chunks.modulo(layout.chunks, extents)
        pitch = layout.row if layout.panel_rows else layout.pitch
        rows = chunks.floor_divide(pitch // CHUNK, extents)  # first to rows: what moves within one drops out
        order = rows.floor_divide(layout.row // pitch, extents).modulo(layout.chunks, extents)
        made = HostValues(extents)
        if order.is_constant and order.constant == 0:
            value = made.materialise(made.value(place))
            insert_ops(made.operations, InsertPoint.before(op), rewriter)
            return value
        sides = [made.materialise(made.value(one)) for one in (number, order)]
        changed = arith.XOrIOp(sides[0], sides[1])
        changed.result.name_hint = "chunk"
        outermost = first_place(op, number.variables() | order.variables())
        insert_ops([*made.operations, changed], InsertPoint.before(outermost), rewriter)
        rest = HostValues(extents)
        start = rest.materialise(rest.value(place - number * chunk))
        together = AffineMap(2, 0, (AffineExpr.dimension(0) + AffineExpr.dimension(1) * chunk,))
        apply = ApplyOp([start, changed.result], AffineMapAttr(together))
        insert_ops([*rest.operations, apply], InsertPoint.before(op), rewriter)
        return apply.results[0]

    def _place_matrix(self, op: DescriptorOp, place: Linear, rewriter: PatternRewriter) -> None:
        """A matrix begins where its first row does: the hardware lets chunks change places."""
        made = HostValues(self.values.extents)
        value = made.materialise(made.value(place))
        insert_ops(made.operations, InsertPoint.before(op), rewriter)
        op.operands[1] = value
        rewriter.notify_op_modified(op)

    def _fits(self, access: Access, width: int, place: Linear) -> bool:
        """Whether all that an access touches lies in one chunk."""
        span = next(reach.span for reach in reaches(access.op) if reach.place is access.place)
        size = span * width
        return size <= CHUNK and CHUNK % size == 0 and multiple_of(place, self.values.extents) * width % size == 0


def _panelled(place: Linear, layout: SharedLayout, width: int, extents: Extents) -> Linear:
    """The element of a buffer that one of plain rows is, with rows cut into panels, before chunks change places."""
    if not layout.panel_rows:
        return place
    pitch, wide, rows = layout.pitch // width, layout.swizzle // width, layout.panel_rows
    row, column = place.floor_divide(pitch, extents), place.modulo(pitch, extents)
    stage, row = row.floor_divide(rows, extents), row.modulo(rows, extents)
    panel, rest = column.floor_divide(wide, extents), column.modulo(wide, extents)
    return stage * (rows * pitch) + panel * (rows * wide) + row * wide + rest


def _width(buffer: SSAValue) -> int:
    name = str(element_type_of(buffer))
    return ELEMENT_BYTES[{"i8": "s8", "i32": "s32"}.get(name, name)]


@dataclass(frozen=True)
class GpuSwizzleAccesses(ModulePass):
    """Give every access of a swizzled buffer its place, and note that the buffer lies so.

    requires: kernels (convert-loops-to-gpu) whose loops are scf.for, their bounds checked.
    ensures:  buffers with an `mma.layout` have it as `mma.placed`, and all that accesses them goes where it says.
    declines: fragments of WMMA, and accesses that reach over a chunk of 16 bytes.
    """

    name = "gpu-swizzle-accesses"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            rewrite_once(kernel, WriteOutCopies())
            rewrite_once(kernel, SwizzleAccess(KernelValues(kernel)))
            for buffer in shared_buffers(kernel):
                layout = LAYOUT.remove(buffer)
                if layout is not None:
                    PLACED.set(buffer, layout)
