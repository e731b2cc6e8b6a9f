"""Dimensions of extent 1 of transposed tensors: left out, or added, before these are transposed.

before: %t = linalg.transpose ins(%x) permutation = [0, 2, 1]            : tensor<1x32x16xi8> -> tensor<1x16x32xi8>
        %r = tensor.collapse_shape %t                                    : -> tensor<16x32xi8>
after:  %0 = packing.reshape %x                                          : -> tensor<32x16xi8>
        %r = linalg.transpose ins(%0) permutation = [1, 0]               : -> tensor<16x32xi8>
"""

from __future__ import annotations

from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.operations.reshapes import Reshape
from vtac.analysis.types.tensor_types import shape_of
from vtac.partition.moved_parts import transposed
from vtac.partition.moves import moved_from
from vtac.partition.tile_operations import Made
from vtac.partition.unit_dimensions import reshaped, unit_partners
from vtac.rewriting.edits import replace_by


class UnitsBeforeMove(RewritePattern):
    """A transpose without some dimensions of extent 1, or with more, is that of a tensor without them, or with them."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Reshape, rewriter: PatternRewriter) -> None:
        found, shape = moved_from(op.operands[0]), shape_of(op.results[0])
        partners = unit_partners(shape_of(op.operands[0]), shape)
        if found is None or partners is None or len(found[1]) != len(shape_of(op.operands[0])):
            return
        source, dims = found
        by_source = {dims.index(partner): dim for dim, partner in partners.items()}
        kept = [by_source[dim] for dim in range(len(dims)) if dim in by_source]
        between = [*kept, *(dim for dim in range(len(shape)) if dim not in kept)]
        made = Made()
        value = reshaped(source, [shape[dim] for dim in between], made)
        transposed(value, [between.index(dim) for dim in range(len(shape))], made)
        replace_by(op, made, rewriter)
