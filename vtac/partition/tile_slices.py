"""Patterns that keep slices, insertions and concatenations of packed tensors in tiles.

before: %c = tensor.concat dim(1) %a, %b      after: %e = tensor.empty()
        %0 = packing.pack %c                         %1 = tensor.insert_slice %a_tiles into %e[0, 0, ...
                                                     %0 = tensor.insert_slice %b_tiles into %1[0, 4, ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerType, TensorType, i8
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.types.tile_slices import Layout, Slice, chain_root, slice_in_tiles, slice_of
from vtac.dialects.packing import JoinOp, PackOp, UnpackOp, UnspecifiedOp, packed_shape
from vtac.dialects.packing.declared import ANY_FILL
from vtac.partition.pads import pad_value

_Key: TypeAlias = tuple[SSAValue, Layout, bool]
_NOTHING = (tensor.EmptyOp, UnspecifiedOp)
MOVES = (tensor.ConcatOp, JoinOp, tensor.InsertSliceOp, tensor.ExtractSliceOp, tensor.PadOp, *RESHAPES)


@dataclass
class SlicedTiles:
    """What the patterns share: which values come from tiles, and what has been made of them already."""

    from_tiles: set[SSAValue]
    joined: dict[tuple[object, ...], SSAValue]
    """Concatenations of a function, by their dimension and operands."""
    made: dict[tuple[SSAValue, Layout, bool], SSAValue] = field(
        default_factory=dict[tuple[SSAValue, Layout, bool], SSAValue]
    )
    """Packed values, by the plain value, the layout, and whether anything may fill incomplete tiles."""

    @staticmethod
    def of(function: FuncOp) -> SlicedTiles:
        """The values of a function as it is now, in program order."""
        found: set[SSAValue] = set()
        joined: dict[tuple[object, ...], SSAValue] = {}
        for op in function.body.block.ops:
            if isinstance(op, UnpackOp) or (isinstance(op, MOVES) and any(value in found for value in op.operands)):
                found.add(op.results[0])
                if isinstance(op, tensor.InsertSliceOp):
                    # What was put there before comes in tiles, too: a tensor that is not whole yet cannot be packed.
                    found.update(_begun(op))
            if isinstance(op, tensor.ConcatOp | JoinOp):
                joined.setdefault((_joined_dim(op), *op.operands), op.results[0])
        return SlicedTiles(found, joined)


def _begun(insertion: tensor.InsertSliceOp) -> Iterator[SSAValue]:
    """What is in a tensor before something is inserted, insertion by insertion."""
    before = insertion.dest
    while isinstance(before.owner, tensor.InsertSliceOp):
        yield before
        before = before.owner.dest


@dataclass
class PackOfJoin(RewritePattern):
    """Tensors behind one another, cut between tiles, are put into one tensor of tiles, one after the other."""

    tiles: SlicedTiles

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        join = op.source.owner
        if not isinstance(join, tensor.ConcatOp | JoinOp) or op.source not in self.tiles.from_tiles:
            return
        dim = _joined_dim(join)
        parts = _joined_parts(self._parts(join, dim), dim, shape_of(op.source), op.layout())
        if isinstance(parts, str):
            return
        # What the host has comes first, so that the device can go on in a tensor that the host has begun.
        parts.sort(key=lambda part: part[0] in self.tiles.from_tiles)
        _Maker(self.tiles, op, join, rewriter).put_in(None, parts)

    def _parts(self, join: tensor.ConcatOp | JoinOp, dim: int) -> list[SSAValue]:
        """The operands; where the first of them are joined before, that and the others."""
        operands = list(join.operands)
        for count in range(len(operands) - 1, 1, -1):
            before = self.tiles.joined.get((dim, *operands[:count]))
            if before is not None and isinstance(before.owner, Operation) and before.owner.is_before_in_block(join):
                return [before, *operands[count:]]
        return operands


@dataclass
class PackOfInsertion(RewritePattern):
    """What is put into an empty tensor between tiles is put into a tensor of tiles."""

    tiles: SlicedTiles

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        insertion = op.source.owner
        if not isinstance(insertion, tensor.InsertSliceOp) or op.source not in self.tiles.from_tiles:
            return
        found = slice_of(insertion)
        if found is None:
            return
        # Nothing is known of such a tensor, so that what fills the rest of the last tile may lie there.
        if isinstance(chain_root(insertion.dest).owner, UnspecifiedOp):
            found = found.to_whole_tiles(shape_of(op.source), op.layout())
        if not _is_free(insertion.dest, found):
            return
        part = slice_in_tiles(found, shape_of(op.source), op.layout())
        if isinstance(part, Slice):
            _Maker(self.tiles, op, insertion, rewriter).put_in(insertion.dest, [(insertion.source, part)])


@dataclass
class PackOfSlice(RewritePattern):
    """What is cut out between tiles is cut out of the tensor of tiles."""

    tiles: SlicedTiles

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        cut = op.source.owner
        if not isinstance(cut, tensor.ExtractSliceOp) or op.source not in self.tiles.from_tiles:
            return
        found = slice_of(cut)
        part = None if found is None else slice_in_tiles(found, shape_of(cut.source), op.layout())
        if isinstance(part, Slice):
            _Maker(self.tiles, op, cut, rewriter).cut_out(cut.source, part)


@dataclass
class PackOfPad(RewritePattern):
    """What has a border of some number is put into a tensor of tiles that holds that number."""

    tiles: SlicedTiles

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        pad = op.source.owner
        if not isinstance(pad, tensor.PadOp) or op.source not in self.tiles.from_tiles:
            return
        number = pad_value(pad)
        if not isinstance(number, int) or pad.low or pad.high or element_of(op.source) != i8:
            return
        low, inside = tuple(pad.static_low.get_values()), shape_of(pad.source)
        dims, tiles, _ = op.layout()
        if any(tile > 1 and inside[dim] != shape_of(op.source)[dim] for dim, tile in zip(dims, tiles, strict=True)):
            return
        part = slice_in_tiles(Slice(low, inside, (1,) * len(low)), shape_of(op.source), op.layout())
        if isinstance(part, Slice):
            kind = cast("TensorType[IntegerType]", op.result.type)
            border = ConstantOp(DenseIntOrFPElementsAttr.from_list(kind, [number]))
            border.result.name_hint = f"{pad.source.name_hint or 'x'}_border"
            _Maker(self.tiles, op, pad, rewriter).put_in(border.result, [(pad.source, part)])


def _is_free(dest: SSAValue, part: Slice) -> bool:
    """Whether a tensor was empty, and nothing has been put into this part of it."""
    while isinstance(dest.owner, tensor.InsertSliceOp):
        before = slice_of(dest.owner)
        if before is None or before.meets(part):
            return False
        dest = dest.owner.dest
    return isinstance(dest.owner, _NOTHING)


def why_on_host(op: Operation) -> str:
    """Where a concatenation, slice or insertion cuts through the tiles of what reads it; empty where it does not."""
    for pack in [use.operation for result in op.results for use in result.uses]:
        if not isinstance(pack, PackOp):
            continue
        found: object = None
        if isinstance(op, tensor.ConcatOp | JoinOp):
            found = _joined_parts(op.operands, _joined_dim(op), shape_of(pack.source), pack.layout())
        elif isinstance(op, tensor.InsertSliceOp | tensor.ExtractSliceOp) and (part := slice_of(op)) is not None:
            whole = op.source if isinstance(op, tensor.ExtractSliceOp) else op.result
            found = slice_in_tiles(part, shape_of(whole), pack.layout())
        if isinstance(found, str):
            return found
    return ""


def _joined_parts(
    values: Sequence[SSAValue], dim: int, whole: Sequence[int], layout: Layout
) -> list[tuple[SSAValue, Slice]] | str:
    """Tensors one after the other along a dimension, and where they lie in tiles; or which of them do not."""
    parts: list[tuple[SSAValue, Slice]] = []
    position = 0
    for value in values:
        shape = shape_of(value)
        offsets = [position if other == dim else 0 for other in range(len(shape))]
        part = slice_in_tiles(Slice(tuple(offsets), shape, (1,) * len(shape)), whole, layout)
        if isinstance(part, str):
            return part
        parts.append((value, part))
        position += shape[dim]
    return parts


def _joined_dim(op: tensor.ConcatOp | JoinOp) -> int:
    return op.dim.value.data if isinstance(op, tensor.ConcatOp) else 0


@dataclass
class _Maker:
    """Makes the packed form of a plain operation behind it, once for all packs of one layout."""

    tiles: SlicedTiles
    pack: PackOp
    plain: Operation
    rewriter: PatternRewriter

    @property
    def _key(self) -> _Key:
        return self.plain.results[0], self.pack.layout(), ANY_FILL.is_on(self.pack)

    def put_in(self, dest: SSAValue | None, parts: Sequence[tuple[SSAValue, Slice]]) -> None:
        """Replace the pack by insertions of the packed parts into the packed `dest`; without one, into nothing."""
        if self._is_known():
            return
        ops: list[Operation] = []
        if dest is None or isinstance(dest.owner, _NOTHING):
            ops.append(tensor.EmptyOp([], self.pack.result.type))
        elif isinstance(dest.owner, ConstantOp):
            ops.append(dest.owner)
        else:
            ops.append(self._packed(dest))
        whole = ops[0].results[0]
        for value, part in parts:
            ops.append(self._packed(value))
            ops.append(
                tensor.InsertSliceOp.from_static_parameters(
                    ops[-1].results[0], whole, part.offsets, part.sizes, part.strides
                )
            )
            whole = ops[-1].results[0]
        self._put(ops)

    def cut_out(self, source: SSAValue, part: Slice) -> None:
        """Replace the pack by a slice of the packed source."""
        if not self._is_known():
            whole = self._packed(source)
            args = (whole.result, part.offsets, part.sizes, part.strides)
            self._put([whole, tensor.ExtractSliceOp.from_static_parameters(*args)])

    def _is_known(self) -> bool:
        known = self.tiles.made.get(self._key)
        if known is not None:
            self.rewriter.replace(self.pack, [], [known])
        return known is not None

    def _put(self, ops: Sequence[Operation]) -> None:
        for op in ops:
            op.location = self.plain.location
        ops[-1].results[0].name_hint = self.pack.result.name_hint
        self.tiles.made[self._key] = ops[-1].results[0]
        self.rewriter.insert(ops, InsertPoint.after(self.plain))
        self.rewriter.replace(self.pack, [], [ops[-1].results[0]])

    def _packed(self, value: SSAValue) -> PackOp:
        layout = self.pack.layout()
        kind: TensorType[Attribute] = TensorType(element_of(value), packed_shape(shape_of(value), *layout))
        made = PackOp.build_from(value, kind, *layout)
        made.result.name_hint = f"{value.name_hint or 'x'}_packed"
        ANY_FILL.copy(self.pack, made)
        return made
