"""fold-windows: rows and columns of a window become channels, so that few channels fill blocks.

before: %p = tensor.pad %x low[0, 0, 3, 3] ...      after: %d = packing.fold %x ... to tensor<1x112x112x147xi8>
        %c = linalg.conv_2d_nchw_fchw {packing.fold =      %w = packing.fold %k ... to tensor<64x1x1x147xi8>
             array<i64: 7, 7>} ins(%p, %k) ...             %c = linalg.generic ins(%d, %w) ...
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.locations import location_of
from vtac.dialects.packing.declared import CHOICE, FOLD
from vtac.errors import CompileError
from vtac.partition.anchors import match_anchor
from vtac.partition.convolutions import Convolution
from vtac.partition.window_folds import WindowFold, fold_difference, folded
from vtac.rewriting.edits import replace_by
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once


class FoldWindow(RewritePattern):
    """A convolution marked `packing.fold` is one over the places of its window, which lie in channels."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        places = FOLD.get(op)
        if places is None:
            return
        found = match_anchor(op)
        difference = fold_difference(found) if isinstance(found, Convolution) else found
        if difference or not isinstance(found, Convolution):
            raise CompileError(f"packing.fold on '{op.name}': {difference}", location_of(op))
        sizes = [window.size for window in found.windows]
        if any(place > size for place, size in zip(places, sizes, strict=True)):
            raise CompileError(
                f"packing.fold of {places[0]} x {places[1]} places: the window has {sizes[0]} x {sizes[1]}",
                location_of(op),
            )
        made = folded(found, WindowFold.of(found, places))
        CHOICE.copy(op, made[-1])
        replace_by(op, made, rewriter)


@dataclass(frozen=True)
class FoldWindows(ModulePass):
    """Let the host lay windows of images side by side as channels, for the convolutions that are marked so.

    requires: host functions at the integer level (fit-device-operations); `packing.fold` on some convolutions.
    ensures:  each of these is the same sum over folded data and a folded kernel, without padding; what its
              window has left over, zeros of the kernel fill. No mark is left.
    declines: a mark on what is no convolution over all channels, or with more places than its window has.
    """

    name = "fold-windows"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, FoldWindow())
            rewrite_once(function, DropUnread((tensor.PadOp,)), backwards=True)
