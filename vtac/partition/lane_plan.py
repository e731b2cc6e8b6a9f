"""Which dimension of a matrix of bytes lies in the lanes of tiles: as it is stored, and as what reads it needs it."""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.dialects import tensor
from xdsl.dialects.builtin import i8
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Block, Operation, SSAValue, Use

from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.hardware import VTAConfig
from vtac.partition.alu_operations import operand_loops
from vtac.partition.clusters import Cluster, Clusters
from vtac.partition.tile_slices import MOVES

LANES = 1
"""Which of the common dimensions of a product's device function lies in lanes: its features."""


def are_weight_tiles(config: VTAConfig) -> bool:
    """Whether rows of what is stored are those of weights: as many lanes, and whole stores to a weight tile."""
    return config.block_in == config.block_out and config.block_out % config.batch == 0


_PARTS = (tensor.ExtractSliceOp, tensor.ConcatOp)
"""What has the dimensions of its operands, and some of their elements."""


def has_products_of_matrices(block: Block) -> bool:
    """Whether there is a reduction to a matrix at all; without one no lanes differ."""
    return any(
        isinstance(op, LinalgStructuredOperation)
        and len(op.res) == 1
        and len(shape_of(op.res[0])) == 2
        and _reduces(op)
        for op in block.ops
    )


@dataclass
class LanePlan:
    """The lanes of all matrices of bytes that device functions of a block give and take."""

    clusters: Clusters
    _free: dict[Cluster, int] = field(default_factory=dict[Cluster, int])

    def computed(self, value: SSAValue) -> Cluster | None:
        """The device function that stores a matrix of bytes; None for other values."""
        if not isinstance(value.owner, Operation) or len(getattr(value.type, "get_shape", tuple)()) != 2:
            return None
        return self.clusters.of.get(value.owner) if element_of(value) == i8 else None

    def stored(self, value: SSAValue) -> int | None:
        """The dimension of a computed matrix that lies in lanes, or of what is cut out of such, or joined of them."""
        if isinstance(value.owner, _PARTS) and _keeps_rank(value.owner):
            found = {self.stored(one) for one in value.owner.operands}
            return found.pop() if len(found) == 1 else None
        cluster = self.computed(value)
        if cluster is None or not isinstance(value.owner, Operation):
            return None
        places = cluster.places[value.owner]
        return places.index(lanes) if (lanes := self._lanes(cluster)) in places else None

    def read(self, op: Operation, position: int) -> int | None:
        """The dimension of an operand that an operation of a device function needs in lanes; None where all do.

        The window of a pooling that belongs to a cluster is a matrix, too, and lies nowhere.
        """
        cluster = self.clusters.of.get(op)
        if cluster is None or len(shape_of(op.operands[position])) != 2:
            return None
        anchor = cluster.anchor
        if anchor is not None and anchor.op is op:
            if anchor.windows or anchor.kernel is None or anchor.depthwise or position > 1:
                return None
            is_data = position == 0 if anchor.data is anchor.kernel else op.operands[position] is anchor.data
            return (anchor.data_dims if is_data else anchor.kernel_dims)[1]
        if not isinstance(op, GenericOp) or position >= len(op.inputs) or _reduces(op):
            return None
        places = [cluster.places[op][loop] for loop in operand_loops(op)[position]]
        return places.index(self._lanes(cluster)) if self._lanes(cluster) in places and len(places) > 1 else None

    def wanted(self, value: SSAValue) -> set[int]:
        """The dimensions of a computed matrix that what reads it needs in lanes; the host reads it in any order."""
        found: set[int] = set()
        for use in value.uses:
            found |= self._wanted_by(value, use)
        return found

    def _wanted_by(self, value: SSAValue, use: Use) -> set[int]:
        op = use.operation
        cluster = self.clusters.of.get(op)
        if isinstance(op, _PARTS) and _keeps_rank(op):
            found = self.wanted(op.results[0])
            if all(_is_whole_along(dim, value, op) for dim in found):
                return found
        if cluster is None:
            stored = self.stored(value)
            return {stored} if isinstance(op, (*MOVES, *RESHAPES)) and stored is not None else set()
        if cluster.anchor is None and isinstance(op, GenericOp):
            # Such operations take the lanes of what they read, so that it counts what reads them.
            loops = operand_loops(op)[use.index] if use.index < len(op.inputs) else ()
            return {loops.index(loop) for result in op.results for loop in self.wanted(result) if loop in loops}
        needed = self.read(op, use.index)
        return set() if needed is None else {needed}

    def _lanes(self, cluster: Cluster) -> int:
        """Which common dimension lies in lanes: without a product, that of the first operand in tiles."""
        if cluster.anchor is not None:
            return LANES
        if cluster not in self._free:
            self._free[cluster] = LANES
            self._free[cluster] = self._given(cluster)
        return self._free[cluster]

    def _given(self, cluster: Cluster) -> int:
        for op in cluster.ops:
            loops = operand_loops(op) if isinstance(op, GenericOp) else []
            for value, at in zip(op.operands, loops, strict=False):
                stored = self.stored(value) if self.computed(value) is not cluster else None
                if stored is not None and len(at) == len(cluster.places[op]) == 2:
                    return cluster.places[op][at[stored]]
        return LANES


def _reduces(op: LinalgStructuredOperation) -> bool:
    return any(kind.data is IteratorType.REDUCTION for kind in op.get_iterator_types())


def _keeps_rank(op: Operation) -> bool:
    return all(len(shape_of(value)) == len(shape_of(op.results[0])) for value in op.operands)


def _is_whole_along(dim: int, value: SSAValue, op: Operation) -> bool:
    """Whether a part is one along other dimensions only: its lanes would be cut or joined within tiles."""
    return shape_of(value)[dim] == shape_of(op.results[0])[dim]
