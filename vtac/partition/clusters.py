"""Which operations become one device function: a product or pooling with what follows it elementwise, or such alone.

A pooling of a product's sums belongs to the product.

A plan of a whole function, made by one walk over it in program order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import i32
from xdsl.dialects.func import ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import UnspecifiedOp
from vtac.partition.alu_operations import alu_difference, alu_size, operand_loops, scaled_input
from vtac.partition.anchors import is_by_alu, match_anchor, source_of
from vtac.partition.convolutions import Convolution

MOST_STEPS = 48
"""ALU operations in a row of one device function; what is longer goes on from a stored tensor, and
what stores it takes none."""


@dataclass(eq=False)
class Cluster:
    """Operations of one device function, in program order; `anchor` is the product or pooling among them.

    `places` says for each operation, per loop (or dimension of the anchor's result), which of the function's
    common dimensions it is. `depth` is larger than that of every cluster that an operand depends on.
    """

    ops: list[Operation] = field(default_factory=list[Operation])
    anchor: Convolution | None = None
    places: dict[Operation, tuple[int, ...]] = field(default_factory=dict[Operation, tuple[int, ...]])
    depth: int = 0
    size: int = 0
    is_read: bool = False
    number: int = 0

    @property
    def order(self) -> tuple[int, ...] | None:
        """The common dimensions in the order in which tiles lie: rows, features, image. None without an anchor."""
        return None if self.anchor is None else tuple(range(len(self.anchor.result_dims)))


class Clusters:
    """The clusters of a block; `reasons` says why other structured operations are in none."""

    def __init__(self, block: Block) -> None:
        self.all: list[Cluster] = []
        self.of: dict[Operation, Cluster] = {}
        self.reasons: dict[Operation, str] = {}
        self.block = block
        self._depths: dict[Operation, int] = {}
        for op in block.ops:
            self._see(op)

    def escaping(self, cluster: Cluster) -> list[SSAValue]:
        """The values of a cluster that something outside of it reads."""
        return [
            result
            for op in cluster.ops
            for result in op.results
            if any(self.of.get(user_in(self.block, use.operation)) is not cluster for use in result.uses)
        ]

    def _see(self, op: Operation) -> None:
        if isinstance(op, ConstantOp | tensor.EmptyOp | UnspecifiedOp | FillOp | ReturnOp) or not op.results:
            self._mark_read(op)
            return
        anchor = match_anchor(op)
        if isinstance(anchor, Convolution):
            if (cluster := self._summed(anchor)) is None:
                self._add_anchor(anchor)
            else:
                self._join_pooling(anchor, cluster)
        elif reason := alu_difference(op):
            self.reasons[op] = anchor if _reduces(op) else reason
            self._pass_by(op)
        elif isinstance(op, GenericOp):
            self._add_alu(op)

    def _pass_by(self, op: Operation) -> None:
        self._mark_read(op)
        self._depths[op] = self._depth_of(list(_all_operands(op)))

    def _mark_read(self, op: Operation) -> None:
        for value in _all_operands(op):
            cluster = self._cluster_of(value)
            if cluster is not None:
                cluster.is_read = True

    def _cluster_of(self, value: SSAValue) -> Cluster | None:
        return self.of.get(value.owner) if isinstance(value.owner, Operation) else None

    def _depth_of(self, values: Sequence[SSAValue]) -> int:
        """The largest depth that some values have."""
        return max((self._depth(value) for value in values), default=0)

    def _depth(self, value: SSAValue) -> int:
        cluster = self._cluster_of(value)
        if cluster is not None:
            return cluster.depth
        return self._depths.get(value.owner, 0) if isinstance(value.owner, Operation) else 0

    def _add_anchor(self, anchor: Convolution) -> None:
        op, (source, _, _) = anchor.op, source_of(anchor)
        given = [source, *([] if anchor.kernel is None else [anchor.kernel])]
        places = [0] * len(anchor.result_dims)
        for place, dim in enumerate(anchor.result_dims):
            places[dim] = place
        self._found(op, given, tuple(places)).anchor = anchor

    def _summed(self, anchor: Convolution) -> Cluster | None:
        """The cluster of the product whose sums nothing but a pooling reads, along rows and columns alone."""
        cluster = self._cluster_of(anchor.data)
        if cluster is None or not is_by_alu(anchor) or not anchor.data.has_one_use() or element_of(anchor.data) != i32:
            return None
        if cluster.anchor is None or cluster.anchor.op is not anchor.data.owner:
            return None
        places = cluster.places[cluster.anchor.op]
        outer = [places[dim] for dim in anchor.data_dims[:2]]
        return cluster if outer == [0, 1] else None

    def _join_pooling(self, anchor: Convolution, cluster: Cluster) -> None:
        before = cluster.places[anchor.data.owner]  # pyright: ignore[reportArgumentType]
        places = [0] * len(anchor.result_dims)
        for dim, source in zip(anchor.result_dims, anchor.data_dims, strict=True):
            places[dim] = before[source]
        cluster.size += anchor.terms
        cluster.places[anchor.op] = tuple(places)
        cluster.ops.append(anchor.op)
        self.of[anchor.op] = cluster

    def _found(self, op: Operation, given: Sequence[SSAValue], places: tuple[int, ...]) -> Cluster:
        """A new cluster of one operation."""
        self._mark_read(op)
        cluster = Cluster([op], None, {op: places}, 1 + self._depth_of(given), number=len(self.all))
        self.all.append(cluster)
        self.of[op] = cluster
        return cluster

    def _add_alu(self, op: GenericOp) -> None:
        loops = operand_loops(op)
        near = [(value, at) for value, at in zip(op.inputs, loops, strict=True) if self._is_near(value, at, op)]
        found = [cluster for value, at in near if (cluster := self._joinable(op, value, at)) is not None]
        if found:
            self._join(op, max(found, key=lambda cluster: (cluster.depth, cluster.number)), near)
            return
        reason = _why_not_alone(op)
        if reason:
            self.reasons[op] = reason
            self._pass_by(op)
            return
        cluster = self._found(op, list(op.inputs), tuple(range(len(shape_of(op.res[0])))))
        cluster.size = alu_size(op)

    def _is_near(self, value: SSAValue, loops: tuple[int, ...], op: GenericOp) -> bool:
        """Whether an operand is an accumulator of a cluster, read at all of its indices."""
        cluster = self._cluster_of(value)
        if cluster is None or len(loops) != len(shape_of(op.res[0])):
            return False
        if element_of(value) == i32:
            return True
        pooled = cluster.anchor is not None and is_by_alu(cluster.anchor) and cluster.anchor.op is value.owner
        return pooled and value.has_one_use() and not _is_scaled(op, value)

    def _joinable(self, op: GenericOp, value: SSAValue, loops: tuple[int, ...]) -> Cluster | None:
        """The cluster of an operand, when the operation can be computed in it."""
        cluster = self._cluster_of(value)
        steps = alu_size(op)
        if cluster is None or (steps and cluster.size + steps > MOST_STEPS):
            return None
        places = self._places(cluster, value, loops)
        for other, at in zip(op.inputs, operand_loops(op), strict=True):
            if self._cluster_of(other) is cluster:
                if not self._is_near(other, at, op) or self._places(cluster, other, at) != places:
                    return None
            elif cluster.is_read and self._depth(other) >= cluster.depth:
                return None
        return cluster

    def _places(self, cluster: Cluster, value: SSAValue, loops: tuple[int, ...]) -> tuple[int, ...]:
        """The common dimensions of the loops that are an operand's indices."""
        before = cluster.places[value.owner]  # pyright: ignore[reportArgumentType]
        return tuple(before[loops.index(loop)] for loop in range(len(loops)))

    def _join(self, op: GenericOp, cluster: Cluster, near: Sequence[tuple[SSAValue, tuple[int, ...]]]) -> None:
        outside = [value for value in op.inputs if self._cluster_of(value) is not cluster]
        value, loops = next((value, at) for value, at in near if self._cluster_of(value) is cluster)
        for other in outside:
            if (owner := self._cluster_of(other)) is not None:
                owner.is_read = True
        cluster.depth = max(cluster.depth, 1 + self._depth_of(outside))
        cluster.size += alu_size(op)
        cluster.places[op] = self._places(cluster, value, loops)
        cluster.ops.append(op)
        self.of[op] = cluster


def _why_not_alone(op: GenericOp) -> str:
    """Why an elementwise operation is no device function of its own."""
    rank = len(shape_of(op.res[0]))
    if rank not in (2, 4):
        return f"operands of rank {rank} are read in different orders"
    yielded = op.body.block.last_op
    if yielded is not None and yielded.operands[0] in op.body.block.args:
        return "it only moves data"
    if not any(argument.uses for argument in op.body.block.args[: len(op.inputs)]):
        return "it is a constant"
    used = [at for at, argument in zip(operand_loops(op), op.body.block.args, strict=False) if argument.uses]
    return "" if any(len(at) == rank for at in used) else "none of its operands has all dimensions of its result"


def _is_scaled(op: GenericOp, value: SSAValue) -> bool:
    """Whether a body multiplies an operand, which GEMM does with what it loads."""
    argument = op.body.block.args[list(op.inputs).index(value)]
    for inner in op.body.block.ops:
        found = scaled_input(inner.results[0]) if inner.results else None
        if found is not None and found[0] is argument and found[1] != 1:
            return True
    return False


def _reduces(op: Operation) -> bool:
    if not isinstance(op, LinalgStructuredOperation):
        return False
    return any(kind.data is IteratorType.REDUCTION for kind in op.get_iterator_types())


def _all_operands(op: Operation) -> Iterator[SSAValue]:
    """What an operation and what it holds read."""
    for inner in op.walk():
        yield from inner.operands


def user_in(block: Block, op: Operation) -> Operation:
    """The operation of a block that an operation is, or is in."""
    current = op
    while current.parent is not block and (parent := current.parent_op()) is not None:
        current = parent
    return current
