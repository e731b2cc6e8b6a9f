"""Device functions under construction: packed linalg in the form that default schedules know."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    StringAttr,
    TensorType,
    i8,
    i32,
)
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.dialects.hardware import VTAConfig
from vtac.partition.alu_trees import TreeName
from vtac.partition.device_bodies import combined, copied, extended, multiply_accumulate, narrowed, stepped
from vtac.partition.product_maps import product_maps, tile_maps, window_sum_maps
from vtac.partition.stored import tensor_type, type_of
from vtac.partition.windows import Window
from vtac.rewriting.edits import append


class DeviceBuilder:
    """One device function; `outer` are its result's outer packed dimensions."""

    def __init__(self, outer: Sequence[int], config: VTAConfig) -> None:
        self.shape = (*outer, config.batch, config.block_out)
        self.weight = (config.block_out, config.block_in)
        self.block = Block()
        self.operands: list[SSAValue] = []
        self._names: set[str] = set()
        self._diagonals: dict[tuple[int, ...], SSAValue] = {}
        self._extended: dict[SSAValue, SSAValue] = {}

    def argument(self, value: SSAValue, name: str) -> SSAValue:
        """The argument that takes a value of the host function."""
        if value in self.operands:
            return self.block.args[self.operands.index(value)]
        self.operands.append(value)
        argument = self.block.insert_arg(value.type, len(self.block.args))
        argument.name_hint = self._unique(name)
        return argument

    def add(self, op: Operation, name: str | None = None) -> SSAValue:
        append(op, self.block)
        if name is not None:
            op.results[0].name_hint = self._unique(name)
        return op.results[0]

    def pad(self, value: SSAValue, low: Sequence[int], high: Sequence[int]) -> SSAValue:
        """Zeros around the spatial dimensions of a packed tensor."""
        if not any((*low, *high)):
            return value
        kind = type_of(value)
        before, after = (0, 0, *low, 0, 0), (0, 0, *high, 0, 0)
        shape = [a + n + z for a, n, z in zip(before, kind.get_shape(), after, strict=True)]
        element = i8 if kind.get_element_type() == i8 else i32
        zero = self.add(arith.ConstantOp(IntegerAttr(0, element)))
        body = Block(arg_types=[IndexType()] * len(shape))
        append(tensor.YieldOp(zero), body)
        op = tensor.PadOp(value, [], [], Region(body), before, after, tensor_type(element, shape))
        return self.add(op, "data_buf")

    def product(
        self,
        data: SSAValue,
        kernel: SSAValue,
        windows: Sequence[Window],
        start: SSAValue | None,
        groups: tuple[int, int] | None = None,
    ) -> SSAValue:
        """The accumulators of a matrix product (no windows) or a convolution.

        `groups` are the output blocks of a group, and the input blocks that each of them reads.
        """
        init = self._zeros(self.shape) if start is None else start
        op = _generic([data, kernel], init, multiply_accumulate(), product_maps(windows, groups))
        return self.add(op, "res_conv" if windows else "res_gemm")

    def widened(self, value: SSAValue, factor: int) -> SSAValue:
        """An i8 tensor of tiles, times a number, as accumulators: its product with a diagonal weight tile."""
        shape = type_of(value).get_shape()
        start = self._zeros(shape)
        return self.add(self._diagonal_product(value, range(len(shape) - 2), factor, start), "res_widen")

    def accumulated(self, start: SSAValue, value: SSAValue, dims: Sequence[int], factor: int) -> SSAValue:
        """Accumulators plus an i8 tensor of tiles times a number; `dims` are the loops of its outer dimensions."""
        return self.add(self._diagonal_product(value, dims, factor, start), "res_residual")

    def summed(self, value: SSAValue, windows: Sequence[Window]) -> SSAValue:
        """The sums of the windows of an i8 tensor of tiles: its product with a weight tile of ones on the diagonal."""
        weights = self._diagonal(1, [window.size for window in windows])
        op = _generic([value, weights], self._zeros(self.shape), multiply_accumulate(), window_sum_maps(windows))
        return self.add(op, "res_sum")

    def _diagonal_product(self, value: SSAValue, dims: Sequence[int], factor: int, start: SSAValue) -> GenericOp:
        outer = len(type_of(start).get_shape()) - 2
        return _generic([value, self._diagonal(factor)], start, multiply_accumulate(), tile_maps(outer, dims))

    def _diagonal(self, factor: int, taps: Sequence[int] = ()) -> SSAValue:
        """One weight tile, or one per tap, with a number on its diagonal."""
        key = (factor, *taps)
        if key not in self._diagonals:
            rows, columns = self.weight
            tile = [factor if row == column else 0 for row in range(rows) for column in range(columns)]
            kind = TensorType(i8, [*taps, *self.weight])
            constant = arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(kind, tile * prod(taps)))
            self._diagonals[key] = self.add(constant, "eye")
        return self._diagonals[key]

    def _zeros(self, shape: Sequence[int]) -> SSAValue:
        zero = self.add(arith.ConstantOp(IntegerAttr(0, i32)))
        empty = self._empty(i32, shape)
        return self.add(FillOp([zero], [empty], [empty.type]))

    def _empty(self, element: Attribute, shape: Sequence[int]) -> SSAValue:
        return self.add(tensor.EmptyOp([], tensor_type(element, shape)))

    def copy(self, value: SSAValue, name: str) -> SSAValue:
        """The same packed tensor, as a value of its own: what several windows read is loaded once."""
        kind = type_of(value)
        maps = [AffineMap.identity(len(kind.get_shape()))] * 2
        empty = self.add(tensor.EmptyOp([], kind))
        return self.add(_generic([value], empty, copied(), maps), f"{name}_tiles")

    def extended(self, value: SSAValue) -> SSAValue:
        """The same packed i8 tensor as i32: a load, for simulators."""
        if value not in self._extended:
            shape = type_of(value).get_shape()
            op = _generic([value], self._empty(i32, shape), extended(), [AffineMap.identity(len(shape))] * 2)
            self._extended[value] = self.add(op, f"{value.name_hint or 'operand'}_tiles")
        return self._extended[value]

    def window(self, value: SSAValue, sizes: Sequence[int], steps: Sequence[tuple[int, int]]) -> SSAValue:
        """The tiles of a packed tensor that lie in steps (stride, first) along its outer dimensions."""
        tile = type_of(value).get_shape()[-2:]
        offsets, strides = [first for _, first in steps], [stride for stride, _ in steps]
        op = tensor.ExtractSliceOp.from_static_parameters(value, [*offsets, 0, 0], [*sizes, *tile], [*strides, 1, 1])
        return self.add(op, "window")

    def bordered(self, value: SSAValue, border: SSAValue, axis: int) -> SSAValue:
        """The sum of a tensor and tiles that are repeated along all its outer dimensions but one."""
        kind = type_of(value)
        rank = len(kind.get_shape())
        repeated = AffineMap(rank, 0, tuple(AffineDimExpr(dim) for dim in (axis, rank - 2, rank - 1)))
        maps = [AffineMap.identity(rank), repeated, AffineMap.identity(rank)]
        empty = self.add(tensor.EmptyOp([], kind))
        return self.add(_generic([value, border], empty, combined("add"), maps), "bordered")

    def step(self, name: TreeName, source: SSAValue, source_map: AffineMap, immediate: int) -> SSAValue:
        """One ALU operation with an immediate."""
        return self._elementwise(stepped(name, immediate), [source], [source_map], i32, f"res_{name}")

    def combine(self, name: TreeName, sources: Sequence[SSAValue], maps: Sequence[AffineMap]) -> SSAValue:
        """One ALU operation of two tensors."""
        return self._elementwise(combined(name), sources, maps, i32, f"res_{name}")

    def finish(self, sources: Sequence[SSAValue], name: str) -> tuple[FuncOp, CallOp]:
        """Store the low 8 bits of each source, and return them; the function and the call of it."""
        identity = AffineMap.identity(len(self.shape))
        results = [self._elementwise(narrowed(), [source], [identity], i8, "res") for source in sources]
        append(ReturnOp(*results), self.block)
        kinds = [result.type for result in results]
        function = FuncOp(
            name,
            FunctionType.from_lists([value.type for value in self.operands], kinds),
            Region(self.block),
            visibility=StringAttr("private"),
        )
        return function, CallOp(name, self.operands, kinds)

    def _elementwise(
        self, body: Block, inputs: Sequence[SSAValue], maps: Sequence[AffineMap], element: Attribute, name: str
    ) -> SSAValue:
        everywhere = AffineMap.identity(len(self.shape))
        return self.add(_generic(inputs, self._empty(element, self.shape), body, [*maps, everywhere]), name)

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._names:
            candidate, count = f"{name}_{count}", count + 1
        self._names.add(candidate)
        return candidate


def starts_in_its_loops(value: SSAValue) -> bool:
    """Whether accumulators are computed tile by tile: by the ALU, or by products onto zeros or such accumulators.

    Not so are windows of other accumulators, and products onto what is loaded.
    """
    op = value.owner
    while isinstance(op, GenericOp) and any(kind == IteratorTypeAttr.reduction() for kind in op.iterator_types):
        op = op.outputs[0].owner
    return isinstance(op, FillOp) or (isinstance(op, GenericOp) and len(op.body.block.ops) > 1)


def _generic(inputs: Sequence[SSAValue], output: SSAValue, body: Block, maps: Sequence[AffineMap]) -> GenericOp:
    """An operation whose first loops index the output; the others are reductions."""
    parallel = len(maps[-1].results)
    kinds = [IteratorTypeAttr.parallel()] * parallel
    kinds += [IteratorTypeAttr.reduction()] * (maps[0].num_dims - parallel)
    attributes = ArrayAttr([AffineMapAttr(m) for m in maps])
    return GenericOp(inputs, [output], Region(body), attributes, ArrayAttr(kinds), [output.type])
