"""What one operation of the input level computes, as a block in a loop nest of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import BroadcastOp
from xdsl.ir import Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.layout_accesses import fills, plain_indices, zero_of
from vtac.analysis.nests.nest import element_type_of, shape_of
from vtac.analysis.operations.structured_view import loop_extents
from vtac.analysis.types.sizes import unusable_extents
from vtac.dialects.frequent import text_attribute
from vtac.dialects.packing.layout import PackOp, UnpackOp
from vtac.dialects.schedule.attributes import AccessAttr, IterationVariable, Number
from vtac.dialects.schedule.declared import LOOPS
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError
from vtac.rewriting.edits import nest_ops
from vtac.rewriting.linalg_bodies import Constants, copy_body


@dataclass
class Statement:
    """What one op computes, before it has loops: `accesses` are those of the inputs, then the output's."""

    domain: tuple[IterationVariable, ...]
    inputs: list[SSAValue]
    accesses: list[AccessAttr]
    body: Region
    init: Number | None = None
    source: str = ""
    """The name of the operation, where the statement is all that it computes."""
    loops: Sequence[str] = ()
    """What the operation calls its loops."""

    @property
    def reduces(self) -> bool:
        return any(variable.reduction for variable in self.domain)

    def read_output(self, output: SSAValue) -> None:
        """An elementwise body's last argument is another input, where the body reads it; else it goes."""
        accumulator = self.body.block.args[-1]
        if accumulator.uses:
            self.inputs.append(output)
            self.accesses.insert(-1, self.accesses[-1])
        else:
            self.body.block.erase_arg(accumulator)

    def build(self, name: str, output: SSAValue, like: Operation) -> tuple[Operation, BlockOp]:
        """A new nest, one loop per iteration variable, and the block in it, located like an op."""
        names = self._loop_names(like)
        loops = [ForOp.get(variable.extent, loop) for variable, loop in zip(self.domain, names, strict=True)]
        block = BlockOp.get(
            name,
            loops=[loop.induction_variable for loop in loops],
            inputs=self.inputs,
            output=output,
            domain=self.domain,
            bindings=AffineMap.identity(len(loops)),
            accesses=self.accesses,
            body=self.body,
            init=self.init,
        )
        block.source = text_attribute(self.source) if self.source else None
        for op in (*loops, block):
            op.location = like.location
        return nest_ops([*loops, block]), block

    def _loop_names(self, like: Operation) -> Sequence[str]:
        """A name for each loop: those that the operation states, else i0, i1, ..., r2 where it reduces."""
        if self.loops and len(self.loops) != len(self.domain):
            raise CompileError(
                f"{like.name}: {LOOPS.name} names {len(self.loops)} loops; {len(self.domain)} are required, one per "
                "iterator",
                location_of(like),
            )
        return self.loops or [f"{'r' if v.reduction else 'i'}{position}" for position, v in enumerate(self.domain)]


def iteration_domain(op: LinalgStructuredOperation) -> tuple[IterationVariable, ...]:
    """An op's iterators with their extents. Raises `CompileError` where these are not static."""
    try:
        extents = loop_extents(op, [attribute.data for attribute in op.get_indexing_maps()])
    except NotImplementedError:
        raise CompileError(
            f"{op.name}: the loop extents do not follow from the operand shapes: every iterator must be the whole "
            "index of some operand's dimension",
            location_of(op),
        ) from None
    if any(extent < 1 for extent in extents):
        raise CompileError(unusable_extents(op.name, extents), location_of(op))
    kinds = (kind.data is IteratorType.REDUCTION for kind in op.get_iterator_types())
    return tuple(IterationVariable(extent, kind) for extent, kind in zip(extents, kinds, strict=True))


def copy_statement(source: SSAValue, target: SSAValue, indices: AffineMap | None = None) -> Statement:
    """A copy to all of a buffer, from a source of its shape or from where `indices` lie."""
    shape = shape_of(target)
    whole = AffineMap.identity(len(shape))
    accesses = [AccessAttr.get(indices or whole), AccessAttr.get(whole)]
    return Statement(_spatial(shape), [source], accesses, copy_body(element_type_of(target)))


def broadcast_indices(op: BroadcastOp, rank: int) -> AffineMap:
    """Where the elements of a result of some rank come from: the dimensions that are added do not count."""
    added = op.dimensions.get_values()
    kept = (AffineExpr.dimension(d) for d in range(rank) if d not in added)
    return AffineMap(rank, 0, tuple(kept))


def pad_statement(op: tensor.PadOp, source: SSAValue, constants: Constants) -> Statement:
    """A copy that reads the pad value outside of its source. Raises `CompileError` for sizes or values that vary."""
    yielded = cast(Operation, op.region.block.last_op).operands[0]
    value = yielded.owner.value if isinstance(yielded.owner, arith.ConstantOp) else constants.get(yielded)
    if op.low or op.high or not isinstance(value, IntegerAttr | FloatAttr):
        raise CompileError("tensor.pad: constant pad sizes and one constant pad value are required", location_of(op))
    low = op.static_low.get_values()
    if any(size < 0 for size in (*low, *op.static_high.get_values())):
        raise CompileError("tensor.pad: negative padding is not supported", location_of(op))
    shape = op.result.type.get_shape()
    indices = tuple(AffineExpr.dimension(d) - size if size else AffineExpr.dimension(d) for d, size in enumerate(low))
    accesses = [
        AccessAttr.get(AffineMap(len(shape), 0, indices), cast(Number, value)),
        AccessAttr.get(AffineMap.identity(len(shape))),
    ]
    return Statement(_spatial(shape), [source], accesses, copy_body(element_type_of(source)))


def layout_statement(op: PackOp | UnpackOp, source: SSAValue) -> Statement:
    """A copy that runs over the packed tensor; a pack reads zeros where tiles are incomplete."""
    packs = isinstance(op, PackOp)
    shape = (op.result_type if packs else op.source_type).get_shape()
    whole = AccessAttr.get(AffineMap.identity(len(shape)))
    plain = AccessAttr.get(plain_indices(op), zero_of(op) if packs and fills(op) else None)
    accesses = [plain, whole] if packs else [whole, plain]
    return Statement(_spatial(shape), [source], accesses, copy_body(element_type_of(source)))


def _spatial(shape: tuple[int, ...]) -> tuple[IterationVariable, ...]:
    return tuple(IterationVariable(extent) for extent in shape)
