"""Operations that extract elements of a tensor at indices which are known: which ones, for each loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ShapedType
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import GenericOp, IndexOp
from xdsl.dialects.tensor import ExtractOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.ir.affine import AffineMap

from vtac.analysis.operations.elementwise import index_loops
from vtac.analysis.types.tensor_types import shape_of
from vtac.analysis.values.dense_numbers import numbers_of
from vtac.evaluate.arith import SUPPORTED, compute
from vtac.evaluate.numbers import Array

Table = NDArray[np.int64]
"""For each iteration of a loop an index; of one element where the index is the same everywhere."""


@dataclass(frozen=True)
class Gather:
    """For each dimension of `source`, the loop of the result that moves its index (None for none), and the indices."""

    op: GenericOp
    source: SSAValue
    loops: tuple[int | None, ...]
    tables: tuple[Table, ...]

    def outside(self) -> tuple[int, Table] | None:
        """A dimension of which something is read that it does not have, and its indices."""
        for dim, (table, extent) in enumerate(zip(self.tables, shape_of(self.source), strict=True)):
            if table.size and not 0 <= table.min() <= table.max() < extent:
                return dim, table
        return None


def match_gather(op: GenericOp) -> Gather | None:
    """The elements that an operation extracts, where each index is known and moved by one loop at most."""
    body = op.body.block
    last = body.last_op
    extract = last.operands[0].owner if last is not None and len(last.operands) == 1 else None
    if not isinstance(extract, ExtractOp) or extract.parent is not body or _is_inside(extract.tensor, body):
        return None
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    if any(kind.data is not IteratorType.PARALLEL for kind in op.get_iterator_types()) or len(op.res) != 1:
        return None
    if maps[-1] != AffineMap.identity(maps[-1].num_dims) or body.args[-1].uses:
        return None
    indices = _Indices(op, maps)
    found = [indices.of(value) for value in extract.indices]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    return Gather(op, extract.tensor, tuple(loop for loop, _ in known), tuple(table for _, table in known))


class _Indices:
    """Computes the indices of one operation's body, for all iterations of the loop that moves each."""

    def __init__(self, op: GenericOp, maps: Sequence[AffineMap]) -> None:
        self.op = op
        self.maps = maps
        self.extents = shape_of(op.res[0])

    def of(self, value: SSAValue) -> tuple[int | None, Table] | None:
        """The loop that moves an index, and the index at each of its iterations; None where that is not known."""
        needed = self._needed(value)
        loops = None if needed is None else self._loops(needed)
        if needed is None or loops is None or len(loops) > 1:
            return None
        loop = next(iter(loops), None)
        count = 1 if loop is None else self.extents[loop]
        values: dict[SSAValue, Array] = {}
        for one in needed:
            values[one] = self._value(one, values, count)
        return loop, np.broadcast_to(values[value].astype(np.int64), (count,))

    def _needed(self, value: SSAValue) -> list[SSAValue] | None:
        """What an index is computed from, in order, itself last; None where some of it is not known."""
        found: dict[SSAValue, None] = {}
        waiting: list[tuple[SSAValue, bool]] = [(value, False)]
        while waiting:
            one, is_ready = waiting.pop()
            if is_ready:
                found[one] = None
            elif one not in found:
                if not self._is_known(one):
                    return None
                waiting.append((one, True))
                if isinstance(op := one.owner, Operation) and not isinstance(op, IndexOp | ConstantOp):
                    waiting += [(operand, False) for operand in op.operands]
        return list(found)

    def _is_known(self, value: SSAValue) -> bool:
        if isinstance(value, BlockArgument):
            return value.owner is self.op.body.block and self._numbers(value) is not None
        op = value.owner
        if not isinstance(op, Operation) or (isinstance(op, IndexOp) and not self._has_loop(op)):
            return False
        return isinstance(op, IndexOp | ConstantOp) or (op.parent is self.op.body.block and op.name in SUPPORTED)

    def _has_loop(self, op: IndexOp) -> bool:
        return 0 <= op.dim.value.data < len(self.extents)

    def _numbers(self, argument: BlockArgument) -> Array | None:
        """The constant that an argument of the body has elements of."""
        value = self.op.operands[argument.index]
        owner = value.owner
        if not isinstance(owner, ConstantOp) or not isinstance(owner.value, DenseIntOrFPElementsAttr):
            return None
        return numbers_of(owner.value) if isinstance(value.type, ShapedType) else None

    def _loops(self, needed: Sequence[SSAValue]) -> set[int] | None:
        """The loops, of more than one iteration, that move what an index is computed from."""
        found: set[int] = set()
        for value in needed:
            if isinstance(value.owner, IndexOp):
                found.add(value.owner.dim.value.data)
            elif isinstance(value, BlockArgument):
                loops = index_loops(self.maps[value.index])
                if loops is None:
                    return None
                found.update(loop for loop in loops if loop >= 0)
        return {loop for loop in found if self.extents[loop] > 1}

    def _value(self, value: SSAValue, values: dict[SSAValue, Array], count: int) -> Array:
        """A number for each iteration of the loop that moves an index."""
        if isinstance(value, BlockArgument):
            numbers = self._numbers(value)
            loops = index_loops(self.maps[value.index]) or []
            moved = [loop >= 0 and self.extents[loop] > 1 for loop in loops]
            if numbers is None:
                raise ValueError("an argument that is no constant")
            return numbers[tuple(slice(None) if is_moved else 0 for is_moved in moved)].reshape(-1)
        op = value.owner
        if isinstance(op, IndexOp):
            return np.arange(count if self.extents[op.dim.value.data] > 1 else 1, dtype=np.int64)
        if not isinstance(op, Operation):
            raise ValueError("an index of nowhere")
        return compute(op, [values[operand] for operand in op.operands], None)


def _is_inside(value: SSAValue, body: Block) -> bool:
    owner = value.owner
    return owner is body if isinstance(owner, Block) else owner.parent is body
