"""One view of linalg operations and schedule blocks: what they iterate over, what they touch, what they compute.

Both compute, for each point of an iteration space, one scalar from one scalar per input and
store it. The view holds no more than that: variables with extent and kind, operands with an
index per dimension, and the body. Where a block stands (its bindings and guards) is no part of it,
so an operation and the block that it becomes give equal views.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar, cast

from xdsl.dialects.builtin import ShapedType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.expressions.affine_expressions import from_affine
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import all_indices_of
from vtac.dialects.schedule.attributes import AccessAttr, IterationVariable, Number
from vtac.dialects.schedule.payload import BlockOp, ForOp

V = TypeVar("V", bound=Hashable)
"""What names a variable: its number, or a loop's induction variable."""


@dataclass(frozen=True, slots=True)
class Operand(Generic[V]):
    """One input or the output: an index per dimension of `value`, outside of which it reads `pad` if that is given."""

    value: SSAValue
    indices: tuple[Linear, ...]
    pad: Number | None = None

    @property
    def variables(self) -> set[V]:
        """Every variable that moves the access."""
        return cast("set[V]", {variable for index in self.indices for variable in index.variables()})

    @property
    def plain(self) -> tuple[V | None, ...]:
        """For each dimension the variable that its index simply is, None for any other index."""
        return cast("tuple[V | None, ...]", tuple(index.as_variable() for index in self.indices))


@dataclass(frozen=True, eq=False, slots=True)
class AccessPattern:
    """What an operation or block iterates over, and at which indices it accesses each operand, whatever that is.

    Those that are equal in this share one, by which what follows from it alone may be kept.
    """

    variables: Mapping[int, IterationVariable]
    indices: tuple[tuple[Linear, ...], ...]
    pads: tuple[Number | None, ...]
    accumulates: bool

    def extent(self, variable: int) -> int:
        return self.variables[variable].extent

    def describe(self, variable: int) -> str:
        """A variable for a message: `loop d2 (reduction, extent 16)`."""
        return _described(f"d{variable}", self.variables[variable])


@dataclass(frozen=True, eq=False, slots=True)
class StructuredView(Generic[V]):
    """An iteration space, the operands reached from its points, and the body that runs at each.

    `variables` are numbers, in the order of the operation's or block's own; those of a
    tile (`tile_view`) are induction variables of loops. The body takes one scalar per input; where the
    operation `accumulates` over reductions, then what the output holds. `pattern` is what the view shares with
    equal operations; a tile has none.
    """

    op: Operation
    variables: Mapping[V, IterationVariable]
    inputs: tuple[Operand[V], ...]
    output: Operand[V]
    body: Block
    accumulates: bool
    pattern: AccessPattern | None = None

    def extent(self, variable: V) -> int:
        return self.variables[variable].extent

    def describe(self, variable: V) -> str:
        """A variable for a message: `loop d2 (reduction, extent 16)`."""
        name = getattr(variable, "name_hint", None) or f"d{variable}"
        return _described(name, self.variables[variable])


def _described(name: str, found: IterationVariable) -> str:
    return f"loop {name} ({'reduction' if found.reduction else 'parallel'}, extent {found.extent})"


def structured_view(op: Operation) -> StructuredView[int] | str:
    """The view of a linalg operation with one output or of a block; else what is missing."""
    if isinstance(op, BlockOp):
        return block_view(op)
    if not isinstance(op, LinalgStructuredOperation):
        return _NO_VIEW.format(op.name)
    operands = tuple(op.operands)
    pattern = _pattern_of(type(op), tuple(op.properties.items()), tuple([value.type for value in operands]))
    return pattern if isinstance(pattern, str) else _view(op, pattern, operands, op.body.block)


_NO_VIEW = "expected a structured operation with one result, found '{}'"


@lru_cache(maxsize=4096)
def _pattern_of(
    kind: type[LinalgStructuredOperation], properties: tuple[tuple[str, Attribute], ...], types: tuple[Attribute, ...]
) -> AccessPattern | str:
    """That of the operations of a kind with these properties on operands of these types, which one of them tells."""
    op = kind.create(operands=Block(arg_types=types).args, properties=dict(properties))
    if len(op.outputs) != 1:
        return _NO_VIEW.format(op.name)
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    try:
        extents = loop_extents(op, maps)
    except NotImplementedError:
        return "expected loop extents that follow from the operand shapes"
    kinds = [found.data is IteratorType.REDUCTION for found in op.get_iterator_types()]
    variables = tuple(IterationVariable(extent, reduces) for extent, reduces in zip(extents, kinds, strict=True))
    return _pattern(variables, maps, [None] * len(maps))


def loop_extents(op: LinalgStructuredOperation, maps: Sequence[AffineMap]) -> Sequence[int]:
    """Of each loop, the extent of the first dimension that it indexes by itself: xDSL's, in a fraction of the time.

    Raises `NotImplementedError` for a loop that indexes none by itself.
    """
    found: dict[int, int] = {}
    for operand, indices in zip(op.operands, maps, strict=True):
        if isinstance(operand.type, ShapedType):
            for index, extent in zip(indices.results, operand.type.get_shape(), strict=True):
                if type(index) is AffineDimExpr:
                    found.setdefault(index.position, extent)
    count = maps[0].num_dims if maps else 0
    return [found[loop] for loop in range(count)] if len(found) == count else op.get_static_loop_ranges()


def block_view(block: BlockOp) -> StructuredView[int]:
    """The view of a block over its iteration variables."""
    return _view(block, _pattern_of_block(block.variables, block.accesses.data), block.buffers, block.body.block)


@lru_cache(maxsize=4096)
def _pattern_of_block(variables: tuple[IterationVariable, ...], accesses: tuple[AccessAttr, ...]) -> AccessPattern:
    maps, pads = zip(*((access.indices, access.pad_value) for access in accesses), strict=True)
    return _pattern(variables, maps, pads)


def _pattern(
    domain: Sequence[IterationVariable], maps: Sequence[AffineMap], pads: Sequence[Number | None]
) -> AccessPattern:
    variables = dict(enumerate(domain))
    extents: dict[Hashable, int] = {variable: found.extent for variable, found in variables.items()}
    dims = [Linear.variable(variable) for variable in variables]
    indices = [tuple([from_affine(index, dims, [], extents) for index in one.results]) for one in maps]
    return AccessPattern(variables, tuple(indices), tuple(pads), any(variable.reduction for variable in domain))


def _view(op: Operation, pattern: AccessPattern, values: Sequence[SSAValue], body: Block) -> StructuredView[int]:
    operands: list[Operand[int]] = list(map(Operand, values, pattern.indices, pattern.pads))
    return StructuredView(op, pattern.variables, tuple(operands[:-1]), operands[-1], body, pattern.accumulates, pattern)


def tile_view(block: BlockOp, inner: Sequence[ForOp]) -> StructuredView[SSAValue]:
    """The view of what the `inner` loops around a block compute while all others stand still.

    Variables are the induction variables of those loops; one that does not move the output
    is a reduction. Indices also hold the variables of the loops further out.
    """
    operands: list[Operand[SSAValue]] = [
        Operand(value, tuple(indices), access.pad_value)
        for value, access, indices in zip(block.buffers, block.accesses.data, all_indices_of(block), strict=True)
    ]
    moving = operands[-1].variables
    variables: dict[SSAValue, IterationVariable] = {
        loop.induction_variable: IterationVariable(loop.trip_count, loop.induction_variable not in moving)
        for loop in inner
    }
    return StructuredView(block, variables, tuple(operands[:-1]), operands[-1], block.body.block, block.has_reduction)
