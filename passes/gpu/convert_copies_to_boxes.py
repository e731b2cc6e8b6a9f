"""convert-copies-to-boxes: loops tensorized with tma.load -> bulk copies of boxes.

before: for i < 128, k < 64: tile[i, k] = a[row * 128 + i, step * 64 + k], or 0 outside     (tensorize "tma.load")
after:  tma.copy tile[0], a[step * 64, row * 128] boxes [64, 128]
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.bulk_copies.box_copies import LOAD, match_box
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import extents_around
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.tma import BoxesAttr, CopyOp
from vtac.errors import CompileError
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once


class ConvertCopy(RewritePattern):
    """A tensorized copy -> a bulk copy for each of its boxes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if intrinsic_of(op) != LOAD:
            return
        found = match_box(op)
        if isinstance(found, str):
            raise CompileError(f"tma.load: {found}", location_of(op))
        values = HostValues(extents_around(op))
        taps = [values.materialise(values.value(one)) for one in found.offsets]
        copies: list[Operation] = []
        for offset, coordinates in found.parts:
            operands = [values.materialise(values.value(one)) for one in (Linear(offset), *coordinates)]
            copies.append(
                CopyOp(
                    operands=[found.block.output, operands[0], found.block.inputs[0], operands[1:], taps],
                    properties={"boxes": BoxesAttr(found.boxes)},
                )
            )
        made = [*values.operations, *copies]
        for operation in made:
            operation.location = op.location
        rewriter.replace(op, made, [])


@dataclass(frozen=True)
class ConvertCopiesToBoxes(ModulePass):
    """Turn loops tensorized with tma.load into bulk copies.

    requires: compacted buffers, whose layouts are known.
    ensures:  such a loop is a tma.copy, or one for each panel of its buffer's layout; what lies outside of the array
              is its fill.
    declines: loops that copy no box, or not in the order in which a box is written.
    """

    name = "convert-copies-to-boxes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, ConvertCopy())
