"""Conditions of a block as any block of its cluster has them: what follows from its place there, for each place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xdsl.dialects import arith
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AffineMapAttr
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.bulk_copies.cluster_boxes import Cluster


def in_any_block(
    condition: SSAValue, cluster: Cluster, mapping: Mapping[SSAValue, SSAValue]
) -> tuple[list[Operation], SSAValue | None]:
    """Operations, and whether a condition holds in any block of a cluster; None where all blocks agree on it.

    `mapping` are values that stand for others in it, such as another iteration of a loop around.
    """
    variable = cluster.loop.induction_variable
    behind = list(_computed_from(condition))
    if all(variable not in op.operands for op in behind):
        return [], None
    made: list[Operation] = []
    found: list[SSAValue] = []
    for rank in range(cluster.blocks):
        block = _numbered(variable, cluster.blocks, rank)
        values = {**mapping, variable: block.results[0]}
        made += [block, *(op.clone(values) for op in behind)]
        found.append(values[condition])
    first, *others = found
    for one in others:
        either = arith.OrIOp(first, one)
        made.append(either)
        first = either.result
    return made, first


def _numbered(variable: SSAValue, blocks: int, rank: int) -> ApplyOp:
    """The number of the block of a rank in the cluster that a block is in."""
    block = AffineExpr.dimension(0)
    return ApplyOp([variable], AffineMapAttr(AffineMap(1, 0, (block // blocks * blocks + rank,))))


def _computed_from(value: SSAValue) -> Iterator[Operation]:
    """The operations that a value is computed by, each after those that it takes values of."""
    seen: set[Operation] = set()

    def behind(one: SSAValue) -> Iterator[Operation]:
        owner = one.owner
        if isinstance(owner, Operation) and owner not in seen:
            seen.add(owner)
            for operand in owner.operands:
                yield from behind(operand)
            yield owner

    return behind(value)
