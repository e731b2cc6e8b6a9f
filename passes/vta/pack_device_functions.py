"""pack-device-functions: device functions on tiles, with the layout changes of operands and results at their calls.

before: %y = func.call @net_0(%x, %w)        after: %0 = packing.pack %x ...     %1 = packing.pack %w ...
                                                    %2 = func.call @net_0(%0, %1)
                                                    %y = packing.unpack %2 ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import device_functions, host_functions
from vtac.analysis.ir.target import allows_acc_8bit, config_of
from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing import BlockDiagonalOp
from vtac.dialects.packing.declared import CHOICE, ORDER, PLAIN
from vtac.partition.alu_operations import operand_loops
from vtac.partition.anchors import is_by_alu, match_anchor
from vtac.partition.convolutions import Convolution
from vtac.partition.device_layouts import device_layouts, order_of
from vtac.partition.device_tiles import DeviceTiles, Insert
from vtac.partition.hoisting import Hoisting
from vtac.partition.primitives import Primitive, Primitives
from vtac.partition.product_tiles import ProductTiles
from vtac.partition.tile_operations import accumulated, channelwise, elementwise, loaded_8bit, padded, widened, window
from vtac.partition.windows import Window
from vtac.rewriting.edits import before
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

_UNREAD = (
    LinalgStructuredOperation,
    ConstantOp,
    tensor.EmptyOp,
    tensor.PadOp,
    tensor.ExtractSliceOp,
    BlockDiagonalOp,
    *RESHAPES,
)
"""What is gone when nothing reads it any more."""


@dataclass
class PackProduct(RewritePattern):
    """A matrix product, convolution or sum of windows is one of tiles."""

    tiles: DeviceTiles
    call: CallOp

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = match_anchor(op)
        if not isinstance(found, Convolution) or is_by_alu(found):
            return
        maker = ProductTiles(found, self.call, self.tiles, before(op, rewriter))
        self.tiles.set(op.res[0], maker.run())


@dataclass
class PackElementwise(RewritePattern):
    """One operation of the ALU, or a product with a diagonal weight tile, on tiles."""

    tiles: DeviceTiles
    primitives: Primitives
    loads_8bit: bool

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        found = self.primitives.of(op)
        if found is None or op.res[0] not in self.tiles.places:
            return
        insert = before(op, rewriter)
        made = self._made(op, found, insert)
        insert(made)
        self.tiles.set(op.res[0], made[-1].results[0])

    def _made(self, op: GenericOp, found: Primitive, insert: Insert) -> Sequence[Operation]:
        places = self.tiles.places[op.res[0]]
        read = zip(op.inputs, operand_loops(op), strict=True)
        operands = [self.tiles.operand(value, loops, places, insert) for value, loops in read]
        sources, maps = [value for value, _ in operands], [indices for _, indices in operands]
        if found.kind == "widen":
            if self.loads_8bit and found.number == 1:
                return loaded_8bit(sources[0])
            if not self.tiles.has_diagonal:
                return self._widened_by_group(op, found.number, insert)
            return widened(sources[0], found.number, self.tiles.diagonal(op))
        if found.kind == "accumulate":
            start, _ = self.tiles.operand(op.outputs[0], range(len(places)), places, insert)
            dims = sorted(places[loop] for loop in operand_loops(op)[0])
            return accumulated(start, sources[0], dims, found.number, self.tiles.diagonal(op))
        return elementwise(found, sources, maps, self.tiles.shape(op.res[0]))

    def _widened_by_group(self, op: GenericOp, factor: int, insert: Insert) -> Sequence[Operation]:
        """A product with the diagonal of a group, where the operand's blocks are not the result's."""
        (value,), tiles = op.inputs, self.tiles
        order = order_of(tiles.places[op.res[0]])
        groups = tiles.groups(shape_of(value)[order[1]])
        data = self._input_blocks(value, order, insert)
        shape = tiles.shape(op.res[0])
        return channelwise(data, factor, shape, [Window()] * (len(shape) - 4), tiles.weight, groups)

    def _input_blocks(self, value: SSAValue, order: Sequence[int], insert: Insert) -> SSAValue:
        """An operand in tiles as GEMM takes them; zeros around it are tiles of zeros."""
        pad = value.owner if isinstance(value.owner, tensor.PadOp) else None
        source = value if pad is None else pad.source
        blocks = self.tiles.input_blocks(source, tuple(order), insert, channelwise=True)
        if pad is None:
            return blocks
        made = _padded(pad, blocks, order)
        insert(made)
        return made[-1].results[0]


@dataclass
class PackWindow(RewritePattern):
    """A slice in steps is one of tiles."""

    tiles: DeviceTiles

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.ExtractSliceOp, rewriter: PatternRewriter) -> None:
        if not self.tiles.computes(op.source):
            return
        order = order_of(self.tiles.places[op.source])
        steps = (op.static_offsets.get_values(), self.tiles.shape(op.result), op.static_strides.get_values())
        offsets, sizes, strides = steps
        made = window(
            self.tiles.computed(op.source),
            [offsets[dim] for dim in order],
            sizes[:-2],
            [strides[dim] for dim in order],
        )
        before(op, rewriter)(made)
        self.tiles.set(op.result, made[-1].results[0])


@dataclass
class PackPadding(RewritePattern):
    """Zeros around what is loaded for windows are tiles of zeros."""

    tiles: DeviceTiles

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.PadOp, rewriter: PatternRewriter) -> None:
        if op.result not in self.tiles.places:
            return
        insert = before(op, rewriter)
        places = self.tiles.places[op.result]
        order = order_of(places)
        source, _ = self.tiles.operand(op.source, range(len(places)), places, insert)
        made = _padded(op, source, order)
        insert(made)
        self.tiles.set(op.result, made[-1].results[0])


@dataclass
class ReturnTiles(RewritePattern):
    """A device function returns the tiles of its results."""

    tiles: DeviceTiles

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReturnOp, rewriter: PatternRewriter) -> None:
        rewriter.replace(op, ReturnOp(*(self.tiles.computed(value) for value in op.operands)))


@dataclass
class PackCall(RewritePattern):
    """A device function and its call work on tiles; calls before it are packed already."""

    devices: Mapping[str, FuncOp]
    config: VTAConfig
    loads_8bit: bool

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CallOp, rewriter: PatternRewriter) -> None:
        device = self.devices.get(op.callee.string_value())
        if device is None or not PLAIN.is_on(device):
            return
        primitives = Primitives()
        tiles = DeviceTiles(self.config, device_layouts(device, op, primitives))
        orders = [order_of(tiles.places[value]) for value in _returned(device)]
        patterns = (PackProduct(tiles, op), PackElementwise(tiles, primitives, self.loads_8bit))
        rewrite_once(device, *patterns, PackWindow(tiles), PackPadding(tiles), ReturnTiles(tiles))
        rewrite_once(device, DropUnread(_UNREAD), backwards=True)
        PLAIN.remove(device)
        ORDER.remove(device)
        call = Hoisting(device, op, rewriter).run(orders, tiles.tile)
        known = [text for text in (CHOICE.get(op),) if isinstance(text, str)]
        if choices := "; ".join([*known, *dict.fromkeys(tiles.choices)]):
            CHOICE.set(call, choices)


def _padded(pad: tensor.PadOp, source: SSAValue, order: Sequence[int]) -> Sequence[Operation]:
    """The tiles of what zeros are put around, with tiles of zeros around them."""
    low, high = pad.static_low.get_values(), pad.static_high.get_values()
    return padded(source, [low[dim] for dim in order[2:]], [high[dim] for dim in order[2:]])


def _returned(function: FuncOp) -> Sequence[SSAValue]:
    last = function.body.block.last_op
    return last.operands if isinstance(last, ReturnOp) else ()


@dataclass(frozen=True)
class PackDeviceFunctions(ModulePass):
    """Let device functions work on tiles, and the host change layouts at each call of one.

    The layout of a function's tensors is a plan of it (`device_layouts`): that of its product or pooling, else that
    of the first operand that another device function gives.

    requires: device functions of one instruction per operation (split-device-operations), each called once.
    ensures:  they are in the form that default schedules know; `packing.pack`, `packing.unpack` and repetitions
              inside of tiles stand at their calls, weights in the order in which images lie that they multiply.
    declines: nothing.
    """

    name = "pack-device-functions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        devices = {function.sym_name.data: function for function in device_functions(op)}
        for function in host_functions(op):
            rewrite_once(function, PackCall(devices, config_of(op), allows_acc_8bit(op)))
