"""What an element of a tensor is computed from, through elementwise operations, moves, reshapes and slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FixedBitwidthType, FloatAttr, IntegerAttr, ShapedType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, IndexOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.ir.affine import AffineMap

from vtac.analysis.expressions.linear import ZERO, Extents, Linear
from vtac.analysis.operations.elementwise import NOWHERE, index_loops, is_elementwise
from vtac.analysis.operations.reshapes import RESHAPES, reshape_groups
from vtac.analysis.operations.tensor_views import view_of
from vtac.analysis.types.tensor_types import shape_of

Indices: TypeAlias = tuple[Linear, ...]


@dataclass(frozen=True)
class Element:
    """An element of a tensor that is no elementwise result; a scalar has no indices."""

    value: SSAValue
    indices: Indices


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Index:
    """An index of a point that is computed at."""

    value: Linear


@dataclass(frozen=True)
class Applied:
    """An operation of arith or math on scalars, a comparison with its predicate; `kind` is the type of its result."""

    name: str
    operands: tuple[Expression, ...]
    kind: str


Expression: TypeAlias = Element | Number | Index | Applied


@dataclass
class ElementReader:
    """Expands elements; `extents` are those of the variables in indices, `met` the operations looked through."""

    extents: Extents
    met: dict[Operation, None] = field(default_factory=dict[Operation, None])

    def element(self, value: SSAValue, indices: Indices) -> Expression:
        """An element as far back as elementwise operations lead."""
        moved = self.moved(value, indices)
        if moved is not None:
            return self.element(*moved)
        owner = value.owner
        if isinstance(owner, FillOp):
            return self.scalar(owner.inputs[0])
        if isinstance(owner, arith.ConstantOp):
            number = _constant(owner)
            return Element(value, indices) if number is None else Number(number)
        if not isinstance(owner, LinalgStructuredOperation) or not (is_elementwise(owner) or _is_at_indices(owner)):
            return Element(value, indices)
        self.met[owner] = None
        maps = [attribute.data for attribute in owner.get_indexing_maps()]
        return self.yielded(owner, maps, _loops(maps[-1], indices), {})

    def yielded(
        self,
        op: LinalgStructuredOperation,
        maps: Sequence[AffineMap],
        loops: Mapping[int, Linear],
        known: Mapping[SSAValue, Expression],
    ) -> Expression:
        """What the body of an operation makes at a point of its loops; `known` are arguments of the body."""
        last = cast(Operation, op.body.block.last_op)
        return _Body(self, op, maps, loops, dict(known)).expand(last.operands[0])

    def scalar(self, value: SSAValue) -> Expression:
        """A value without indices."""
        number = _constant(value.owner) if isinstance(value.owner, arith.ConstantOp) else None
        return Element(value, ()) if number is None else Number(number)

    def moved(self, value: SSAValue, indices: Indices) -> tuple[SSAValue, Indices] | None:
        """The element of another tensor that an element is a copy of; None where it is none."""
        owner = value.owner
        if isinstance(owner, RESHAPES):
            found = owner.operands[0], self._reshaped(shape_of(owner.operands[0]), shape_of(value), indices)
        elif isinstance(owner, tensor.ExtractSliceOp):
            view = view_of(owner)
            places = zip(indices, view.offsets, view.strides, strict=True)
            found = view.source, tuple(index * stride + offset for index, offset, stride in places)
        elif isinstance(owner, BroadcastOp):
            added = set(owner.dimensions.get_values())
            found = owner.input, tuple(index for dim, index in enumerate(indices) if dim not in added)
        elif isinstance(owner, LinalgStructuredOperation) and _is_copy(owner):
            maps = [attribute.data for attribute in owner.get_indexing_maps()]
            loops = _loops(maps[-1], indices)
            dims = index_loops(maps[0]) or []
            found = owner.inputs[0], tuple(ZERO if dim == NOWHERE else loops[dim] for dim in dims)
        else:
            return None
        self.met[owner] = None
        return found

    def _reshaped(self, source: Sequence[int], result: Sequence[int], indices: Indices) -> Indices:
        """Indices of a result as those of what it is another shape of."""
        found: list[Linear] = [ZERO] * len(source)
        for group in reshape_groups(source, result):
            flat = ZERO
            for dim in group.result:
                flat = flat * result[dim] + indices[dim]
            for dim in reversed(group.source):
                found[dim] = flat.modulo(source[dim], self.extents)
                flat = flat.floor_divide(source[dim], self.extents)
        return tuple(found)


@dataclass
class _Body:
    """Expands the scalars of one operation's body, at one point of its loops."""

    reader: ElementReader
    op: LinalgStructuredOperation
    maps: Sequence[AffineMap]
    loops: Mapping[int, Linear]
    known: dict[SSAValue, Expression]

    def expand(self, value: SSAValue) -> Expression:
        if value not in self.known:
            self.known[value] = self._made(value)
        return self.known[value]

    def _made(self, value: SSAValue) -> Expression:
        owner = value.owner
        if isinstance(owner, Operation):
            if isinstance(owner, arith.ConstantOp) or len(owner.results) != 1:
                return self.reader.scalar(value)
            if isinstance(owner, IndexOp):
                return Index(self.loops[owner.dim.value.data])
            name = f"{owner.name} {owner.predicate.value.data}" if isinstance(owner, arith.CmpiOp) else owner.name
            return Applied(name, tuple(map(self.expand, owner.operands)), str(value.type))
        number = list(self.op.body.block.args).index(cast(BlockArgument, value))
        operand = self.op.operands[number]
        if not isinstance(operand.type, ShapedType):
            return self.reader.scalar(operand)
        dims = index_loops(self.maps[number]) or []
        return self.reader.element(operand, tuple(ZERO if dim == NOWHERE else self.loops[dim] for dim in dims))


def _loops(written: AffineMap, indices: Indices) -> dict[int, Linear]:
    dims = index_loops(written) or []
    return {dim: index for dim, index in zip(dims, indices, strict=True) if dim != NOWHERE}


def _is_at_indices(op: LinalgStructuredOperation) -> bool:
    """Whether an operation is elementwise but for indices that it computes with."""
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    parallel = all(kind.data is IteratorType.PARALLEL for kind in op.get_iterator_types())
    if not parallel or len(op.outputs) != 1 or any(isinstance(inner, tensor.ExtractOp) for inner in op.body.block.ops):
        return False
    written = index_loops(maps[-1]) or []
    return sorted(written) == list(range(maps[-1].num_dims)) and all(index_loops(one) is not None for one in maps)


def _is_copy(op: LinalgStructuredOperation) -> bool:
    """Whether an operation only moves the elements of its one tensor."""
    block = op.body.block
    if not is_elementwise(op) or len(op.inputs) != 1 or not isinstance(op.inputs[0].type, ShapedType):
        return False
    return len(list(block.ops)) == 1 and cast(Operation, block.last_op).operands[0] is block.args[0]


def _constant(op: arith.ConstantOp) -> float | None:
    """The one number that a constant holds, everywhere; None for others."""
    value = op.value
    if isinstance(value, FloatAttr | IntegerAttr):
        return float(value.value.data)
    if not isinstance(value, DenseIntOrFPElementsAttr):
        return None
    kind = value.get_element_type()
    if not isinstance(kind, FixedBitwidthType) or len(value.data.data) != kind.size:
        return None
    number = next(iter(value.iter_values()))
    return None if isinstance(number, tuple) else float(number)
