"""Poolings that the ALU computes: the elements of a window as strided slices of loaded tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IndexType, IntegerAttr, TensorType, i8, i32
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.partition.alu_building import Loops
from vtac.partition.anchors import source_of, start_of
from vtac.partition.convolutions import Convolution
from vtac.partition.primitives import AluName, Tensor, combine, copied, step, widened
from vtac.rewriting.edits import append


class WindowReader:
    """Makes the operations of one pooling; `insert` puts them before it, in order.

    Windows that overlap along both axes, and of which each has a row of its own, are taken along rows first: in place
    of those rows, one operation for each other row, for all columns.

    Padding with a number other than 0 is put around by additions, one per axis, to the zeros that a load puts
    there; where both meet it is more than that, which the maximum with the number takes back.
    """

    def __init__(self, pooling: Convolution, insert: Callable[[Sequence[Operation]], None]) -> None:
        self.pooling = pooling
        self.insert = insert
        self.shape = shape_of(pooling.op.res[0])
        self.identity: Loops = tuple(range(len(self.shape)))
        self.name: AluName = "max" if pooling.kind == "max" else "add"
        self.source, self.pads, self.edge = source_of(pooling)

    def run(self) -> SSAValue:
        """The result in 32 bits. Raises `ValueError` for a window of no element."""
        loops = self._loops_of_data()
        tiles = self._tiles()
        total: Tensor | None = None
        start = start_of(self.pooling) or 0
        found = self._windows(tiles)
        if (own := self._own_row()) is not None:
            found, loops = self._columns(self._largest_of_rows(tiles, loops, own)), self.identity
        for window in found:
            one = (window, loops)
            if total is None:
                total = one if self._is_neutral(start) else self._step(one, start)
            else:
                total = (self._add(*combine(total, one, self.shape, self.name)), self.identity)
        if total is None:
            raise ValueError("a window of no element")
        if isinstance(total[0].owner, tensor.ExtractSliceOp):  # a window of one element still moves in steps
            total = self._add(*step(total, self.shape, "add", 0)), self.identity
        return self._step(total, self.edge)[0] if self.edge else total[0]

    def _loops_of_data(self) -> Loops:
        """For each dimension of the data, the loop over the result that moves it."""
        places = dict(zip(self.pooling.data_dims, self.pooling.result_dims, strict=True))
        return tuple(places[dim] for dim in range(len(places)))

    def _is_neutral(self, start: int) -> bool:
        """Whether what the pooling starts from changes nothing."""
        if self.name == "add":
            return start == 0
        return start <= (-(1 << 7) if element_of(self.source) == i8 else -(1 << 31))

    def _step(self, source: Tensor, number: int) -> Tensor:
        return self._add(*step(source, self.shape, self.name, number)), self.identity

    def _tiles(self) -> SSAValue:
        """The data in 32 bits, with its padding."""
        value = self._padded()
        if element_of(value) == i8:
            value = self._add(*widened(value, shape_of(value), 1))
        elif value is self.source and isinstance(value, BlockArgument):
            value = self._add(*copied(value, shape_of(value)))
        for axis, dim in enumerate(self.pooling.data_dims[2:]):
            low, high = self.pads.low[axis], self.pads.high[axis]
            if self.edge and (low or high):
                value = self._bordered(value, dim, low, high)
        return value

    def _padded(self) -> SSAValue:
        """The data with zeros around it."""
        if not any((*self.pads.low, *self.pads.high)):
            return self.source
        shape = shape_of(self.source)
        before, after = [0] * len(shape), [0] * len(shape)
        for dim, low, high in zip(self.pooling.data_dims[2:], self.pads.low, self.pads.high, strict=True):
            before[dim], after[dim] = low, high
        element = i8 if element_of(self.source) == i8 else i32
        zero = self._add(ConstantOp(IntegerAttr(0, element)))
        body = Block(arg_types=[IndexType()] * len(shape))
        append(tensor.YieldOp(zero), body)
        kind = TensorType(element, [a + n + z for a, n, z in zip(before, shape, after, strict=True)])
        return self._add(tensor.PadOp(self.source, [], [], Region(body), before, after, kind))

    def _bordered(self, value: SSAValue, dim: int, low: int, high: int) -> SSAValue:
        """The sum of a tensor and the padding's number at both ends of one dimension."""
        shape = shape_of(value)
        numbers = [0 if low <= index < shape[dim] - high else self.edge for index in range(shape[dim])]
        contents = DenseIntOrFPElementsAttr.from_list(TensorType(i32, [len(numbers)]), numbers)
        border = self._add(ConstantOp(contents))
        border.name_hint = "border"
        return self._add(*combine((value, tuple(range(len(shape)))), (border, (dim,)), shape, "add"))

    def _own_row(self) -> int | None:
        """A row that each window has alone, in whose place the largest of its rows can be, where that saves steps."""
        rows, columns = self.pooling.windows
        own = max(0, rows.size - rows.stride)
        saves = rows.size > 1 and columns.size > columns.stride
        if not saves or self.name != "max" or rows.dilation * columns.dilation > 1 or own >= rows.stride:
            return None
        return own

    def _largest_of_rows(self, tiles: SSAValue, loops: Loops, own: int) -> SSAValue:
        """The largest elements of the windows' rows, for all columns that windows need, in the result's order."""
        (rows, columns), dims = self.pooling.windows, self.pooling.data_dims
        shape = list(self.shape)
        column = self.pooling.result_dims[3]
        shape[column] = (shape[column] - 1) * columns.stride + columns.size
        sizes = [shape[loop] for loop in loops]
        found: list[SSAValue] = []
        for row in range(rows.size):
            offsets, strides = [0] * len(dims), [1] * len(dims)
            offsets[dims[2]], strides[dims[2]] = row, rows.stride
            found.append(self._add(tensor.ExtractSliceOp.from_static_parameters(tiles, offsets, sizes, strides)))
        total: Tensor = (found.pop(own), loops)
        for one in found:
            total = self._add(*combine(total, (one, loops), tuple(shape), self.name)), self.identity
        return total[0]

    def _columns(self, rows: SSAValue) -> Iterator[SSAValue]:
        """For each column of the window, what it holds of the rows' maxima."""
        window, place = self.pooling.windows[1], self.pooling.result_dims[3]
        for column in range(window.size):
            offsets, strides = [0] * len(self.shape), [1] * len(self.shape)
            offsets[place], strides[place] = column, window.stride
            yield self._add(tensor.ExtractSliceOp.from_static_parameters(rows, offsets, list(self.shape), strides))

    def _windows(self, tiles: SSAValue) -> Iterator[SSAValue]:
        """For each element of the window, what the tiles hold of it for the whole result."""
        dims, places = self.pooling.data_dims, self.pooling.result_dims
        rows, columns = self.pooling.windows
        sizes = [0] * len(dims)
        for dim, place in zip(dims, places, strict=True):
            sizes[dim] = self.shape[place]
        for row in range(rows.size):
            for column in range(columns.size):
                offsets, strides = [0] * len(dims), [1] * len(dims)
                for dim, window, tap in zip(dims[2:], (rows, columns), (row, column), strict=True):
                    offsets[dim], strides[dim] = tap * window.dilation, window.stride
                yield self._add(tensor.ExtractSliceOp.from_static_parameters(tiles, offsets, sizes, strides))

    def _add(self, *ops: Operation) -> SSAValue:
        for op in ops:
            op.location = self.pooling.op.location
        self.insert(ops)
        return ops[-1].results[0]
