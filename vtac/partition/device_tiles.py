"""Tensors of a device function in tiles: those that it computes, and operands as they are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.ir.locations import location_of
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing import PackOp, ReshapeOp, packed_shape
from vtac.dialects.packing.declared import ANY_FILL
from vtac.errors import CompileError
from vtac.partition.device_layouts import Places, order_of
from vtac.rewriting.made_operations import empty_of
from vtac.rewriting.made_operations import repeated as repeated_along

Insert: TypeAlias = Callable[[Sequence[Operation]], None]
Order: TypeAlias = "tuple[int, ...]"
Tile: TypeAlias = "tuple[int, ...]"


class DeviceTiles:
    """The tiles of one device function; `places` is the plan of its layouts.

    An operand that lacks rows or lanes is repeated inside of a tile; outside, the indices repeat it.
    `choices` collects what is said of the function.
    """

    def __init__(self, config: VTAConfig, places: Mapping[SSAValue, Places]) -> None:
        self.config = config
        self.places = places
        self.tile = (config.batch, config.block_out)
        self.weight = (config.block_out, config.block_in)
        self.choices: list[str] = []
        self._computed: dict[SSAValue, SSAValue] = {}
        self._made: dict[object, SSAValue] = {}

    @property
    def has_diagonal(self) -> bool:
        """Whether one weight tile multiplies the channels of a block with themselves."""
        rows, columns = self.weight
        return rows == columns

    def groups(self, channels: int) -> tuple[int, int]:
        """Of the fewest channels that fill both sides of a weight tile: their output blocks, and their input blocks."""
        rows, columns = self.weight
        whole = max(rows, columns)
        outputs, inputs = whole // rows, whole // columns
        return outputs, min(inputs, -(-channels // columns)) if channels <= rows else inputs

    def diagonal(self, op: Operation) -> tuple[int, int]:
        """The one weight tile of an operation that multiplies channels with themselves.

        Raises `CompileError` where the two sides of a tile differ: a diagonal then needs several.
        """
        rows, columns = self.weight
        if rows != columns:
            raise CompileError(
                "cannot compile: it adds i8 to accumulators channel by channel, which GEMM does by a weight tile with "
                f"a diagonal, and those of BLOCK_OUT {rows} and BLOCK_IN {columns} have none: compile it for equal "
                "blocks",
                location_of(op),
            )
        return self.weight

    def computes(self, value: SSAValue) -> bool:
        """Whether the function has a value in tiles that it computes."""
        return value in self._computed

    def computed(self, value: SSAValue) -> SSAValue:
        """The tiles of a value that the function computes."""
        return self._computed[value]

    def set(self, value: SSAValue, tiles: SSAValue) -> None:
        """These are the tiles of a value that the function computes."""
        self._computed[value] = tiles

    def shape(self, value: SSAValue) -> tuple[int, ...]:
        """The shape in tiles of a value that has all dimensions of a result."""
        order = order_of(self.places[value])
        return tuple(packed_shape(shape_of(value), order[:2], self.tile, order))

    def operand(
        self, value: SSAValue, loops: Sequence[int], places: Places, insert: Insert
    ) -> tuple[SSAValue, AffineMap]:
        """The tiles of an operand that an operation on `places` reads at `loops`, and the indices of those."""
        at = [places[loop] for loop in loops]
        rank = len(places)
        outer = [AffineDimExpr(place) for place in sorted(at)]
        indices = AffineMap(rank + 2, 0, (*outer, AffineDimExpr(rank), AffineDimExpr(rank + 1)))
        if value in self._computed:
            return self._computed[value], indices
        return self._loaded(value, order_of(at), (0 in at, 1 in at), insert), indices

    def _loaded(self, value: SSAValue, order: Order, has: tuple[bool, bool], insert: Insert) -> SSAValue:
        present = [position for position in (0, 1) if has[position]]
        tiles = tuple(self.tile[position] for position in present)
        packed = self.pack(value, order, tiles, insert)
        if all(has):
            return packed
        missing = [position for position in (0, 1) if not has[position]]
        shape = list(shape_of(packed))
        for position in missing:
            shape.insert(len(order) + position, self.tile[position])
        added = tuple(len(order) + position for position in missing)

        def repeated() -> Sequence[Operation]:
            kind = TensorType(element_of(value), shape)
            empty = empty_of(kind)
            return [empty, repeated_along(packed, empty.tensor, added)]

        return self._once((packed, added), repeated, value.name_hint, insert)

    def pack(
        self,
        value: SSAValue,
        order: Order,
        tiles: Tile,
        insert: Insert,
        *,
        dims: Order | None = None,
        any_fill: bool = True,
        name: str | None = None,
    ) -> SSAValue:
        """A tensor in tiles of some dimensions, of its first ones in order where none are given, packed once."""
        if not order:
            return value
        cut = order[: len(tiles)] if dims is None else dims

        def packed() -> Sequence[Operation]:
            kind = TensorType(element_of(value), packed_shape(shape_of(value), cut, tiles, order))
            op = PackOp.build_from(value, kind, cut, tiles, order)
            if any_fill:
                ANY_FILL.set(op, True)
            return [op]

        return self._once((value, order, tiles, cut, any_fill), packed, name or value.name_hint, insert)

    def input_blocks(
        self, value: SSAValue, order: Order, insert: Insert, *, channelwise: bool, name: str | None = None
    ) -> SSAValue:
        """A tensor in tiles as GEMM takes them; `channelwise` where its output blocks read their own channels only.

        These read whole groups of input blocks: those that the last of them lacks are filled by the host, which is
        among the choices. Such a tensor is cut into output blocks first, and each of them into input blocks.
        """
        tile = (self.config.batch, self.config.block_in)
        rows, channels = self.config.block_out, shape_of(value)[order[1]]
        _, inputs = self.groups(channels)
        blocks = -(-channels // tile[1])
        if not channelwise or blocks % inputs == 0:
            return self.pack(value, order, tile, insert, name=name)
        whole = -(-channels // rows) * rows
        self.choices.append(
            f"{channels} channels filled to {whole} by the host: an output block of BLOCK_OUT {rows} reads {inputs} "
            f"input blocks of BLOCK_IN {tile[1]}, and the last one has {blocks % inputs}"
        )
        lanes = len(order)
        coarse = self.pack(value, (order[1], order[0], *order[2:]), (rows,), insert, name=name)
        apart = (1, 0, lanes, *range(2, lanes))
        fine = self.pack(coarse, apart, tile, insert, dims=(1, lanes), name=name)
        rows_of, groups, parts, *rest = shape_of(fine)
        return self.reshape(fine, (rows_of, groups * parts, *rest), insert)

    def reshape(self, value: SSAValue, shape: Sequence[int], insert: Insert) -> SSAValue:
        """The same elements in row-major order."""
        if shape_of(value) == tuple(shape):
            return value
        kind = TensorType(element_of(value), list(shape))

        def same() -> Sequence[Operation]:
            return [ReshapeOp(operands=[value], result_types=[kind])]

        return self._once((value, tuple(shape)), same, value.name_hint, insert)

    def _once(self, key: object, make: Callable[[], Sequence[Operation]], name: str | None, insert: Insert) -> SSAValue:
        if key not in self._made:
            ops = make()
            insert(ops)
            self._made[key] = ops[-1].results[0]
            self._made[key].name_hint = name
        return self._made[key]
