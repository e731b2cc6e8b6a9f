"""The part of a transposed convolution that belongs to one remainder of each spatial index, and of what follows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    AffineMapAttr,
    AnyFloat,
    ArrayAttr,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    TensorType,
)
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.operations.elementwise import index_loops, is_elementwise
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import BlockDiagonalOp
from vtac.partition.convolutions import Convolution
from vtac.partition.zero_insertion import Insertion, Phase
from vtac.rewriting.edits import append


@dataclass
class PhasePart:
    """What belongs to one phase along each axis; new operations are appended to `made`."""

    found: Convolution
    insertion: Insertion
    phases: Sequence[Phase]
    made: list[Operation]
    parts: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])

    def of_chain(self, chain: Sequence[Operation]) -> SSAValue:
        """The convolution and the operations behind it."""
        first, *others = chain
        result = first.results[0]
        self.parts[result] = self._convolution()
        self._name(result)
        for op in others:
            if isinstance(op, GenericOp):
                self._elementwise(op)
        return self.parts[chain[-1].results[0]]

    @property
    def spatial(self) -> tuple[int, ...]:
        """The dimensions of the results that are the spatial axes."""
        return tuple(self.found.result_kept[dim] for dim in self.found.result_dims[-2:])

    def _add(self, op: Operation) -> SSAValue:
        self.made.append(op)
        return op.results[0]

    def _name(self, value: SSAValue) -> None:
        place = "x".join(str(phase.first) for phase in self.phases)
        self.parts[value].name_hint = f"{value.name_hint}_at{place}" if value.name_hint else None

    def _convolution(self) -> SSAValue:
        op = self.found.op
        start = self._operand(op.outputs[0], self.spatial)
        extents = [shape_of(self.insertion.source)[dim] for dim in self.found.data_dims[-2:]]
        if not all(phase.meets(extent) for phase, extent in zip(self.phases, extents, strict=True)):
            return start
        data, kernel = self._data(), self._kernel()
        inputs = [data if v is self.found.data else kernel if v is self.found.kernel else v for v in op.inputs]
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        position = list(op.inputs).index(self.found.data)
        maps[position] = self._moved(maps)
        return self._add(_with_body_of(op, inputs, start, maps))

    def _moved(self, maps: Sequence[AffineMap]) -> AffineMap:
        """How the data is read: by the strides and dilations of the phases."""
        found = self.found
        positions = list(found.op.inputs)
        data, kernel = (maps[positions.index(value)] for value in (found.data, self._given_kernel()))
        indices: list[AffineExpr] = list(data.results)
        for axis, phase in enumerate(self.phases):
            loop = maps[-1].results[self.spatial[axis]]
            tap = kernel.results[found.kernel_dims[axis - 2]]
            indices[found.data_dims[axis - 2]] = loop * phase.stride + tap * phase.dilation
        return AffineMap(data.num_dims, 0, tuple(indices))

    def _data(self) -> SSAValue:
        """The source from the first element that the phases meet, padded to the last one."""
        value, spatial = self.insertion.source, self.found.data_dims[-2:]
        shape = list(shape_of(value))
        low, high, begin = [0] * len(shape), [0] * len(shape), [0] * len(shape)
        for dim, phase in zip(spatial, self.phases, strict=True):
            begin[dim], low[dim], high[dim] = max(0, phase.start), max(0, -phase.start), max(0, phase.end - shape[dim])
        if any(begin):
            shape = [extent - first for extent, first in zip(shape, begin, strict=True)]
            value = self._add(tensor.ExtractSliceOp.from_static_parameters(value, begin, shape, [1] * len(shape)))
        if not any((*low, *high)):
            return value
        return self._add(_padded(value, low, high, self.insertion.number, self.made))

    def _kernel(self) -> SSAValue:
        """The taps of the phases, of each block of a kernel that is block-diagonal."""
        kernel = self._given_kernel()
        taps = {dim: (phase.tap, phase.taps, phase.tap_step) for dim, phase in self._taps()}
        owner = kernel.owner
        if not isinstance(owner, BlockDiagonalOp):
            return self._sliced(kernel, taps)
        source = self._sliced(owner.source, {dim + 1: found for dim, found in taps.items()})
        shape = [taps[dim][1] if dim in taps else extent for dim, extent in enumerate(shape_of(kernel))]
        return self._add(BlockDiagonalOp(operands=[source], result_types=[TensorType(element_of(kernel), shape)]))

    def _given_kernel(self) -> SSAValue:
        if self.found.kernel is None:
            raise ValueError("a convolution has a kernel")
        return self.found.kernel

    def _taps(self) -> list[tuple[int, Phase]]:
        return list(zip(self.found.kernel_dims[-2:], self.phases, strict=True))

    def _sliced(self, value: SSAValue, taken: dict[int, tuple[int, int, int]]) -> SSAValue:
        shape = shape_of(value)
        parts = [taken.get(dim, (0, extent, 1)) for dim, extent in enumerate(shape)]
        first, count, step = (list(each) for each in zip(*parts, strict=True))
        if tuple(count) == tuple(shape):
            return value
        return self._add(tensor.ExtractSliceOp.from_static_parameters(value, first, count, step))

    def _elementwise(self, op: GenericOp) -> None:
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        operands = [
            self._operand(value, self._along(indices)) for value, indices in zip(op.operands, maps, strict=True)
        ]
        self.parts[op.res[0]] = self._add(_with_body_of(op, operands[:-1], operands[-1], maps))
        self._name(op.res[0])

    def _along(self, indices: AffineMap) -> tuple[int, ...]:
        """The dimensions of an operand that the spatial loops are the indices of; -1 for none."""
        loops = index_loops(indices) or []
        return tuple(loops.index(loop) if loop in loops else -1 for loop in self.spatial)

    def _operand(self, value: SSAValue, spatial: Sequence[int]) -> SSAValue:
        """What of an operand belongs to the phases, whose axes are these dimensions of it."""
        if value in self.parts or max(spatial, default=-1) < 0:
            return self.parts.get(value, value)
        self.parts[value] = self._made_again(value, spatial) or self._sliced(
            value,
            {d: (p.first, p.count, p.step) for d, p in zip(spatial, self.phases, strict=True) if d >= 0},
        )
        return self.parts[value]

    def _made_again(self, value: SSAValue, spatial: Sequence[int]) -> SSAValue | None:
        """An operand that nothing of the axes goes into, in the shape of the phases."""
        shape = list(shape_of(value))
        for dim, phase in zip(spatial, self.phases, strict=True):
            if dim >= 0:
                shape[dim] = phase.count
        kind: TensorType[Attribute] = TensorType(element_of(value), shape)
        match value.owner:
            case tensor.EmptyOp():
                return self._add(tensor.EmptyOp([], kind))
            case FillOp() as fill:
                empty = self._add(tensor.EmptyOp([], kind))
                return self._add(FillOp([fill.inputs[0]], [empty], [kind]))
            case BroadcastOp() as spread if set(spatial) <= {-1, *spread.dimensions.get_values()}:
                empty = self._add(tensor.EmptyOp([], kind))
                return self._add(BroadcastOp(spread.input, empty, spread.dimensions, kind))
            case GenericOp() as op if is_elementwise(op) and self._is_spread(op, spatial):
                maps = [attribute.data for attribute in op.get_indexing_maps()]
                empty = self._add(tensor.EmptyOp([], kind))
                return self._add(_with_body_of(op, op.inputs, empty, maps))
            case _:
                return None

    def _is_spread(self, op: GenericOp, spatial: Sequence[int]) -> bool:
        """Whether an operation gives the same along the axes: none of its inputs is read by their loops."""
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        written = index_loops(maps[-1]) or []
        loops = {written[dim] for dim in spatial if dim >= 0}
        return not op.body.block.args[-1].uses and not any(loops & set(index_loops(m) or []) for m in maps[:-1])


def _with_body_of(
    op: LinalgStructuredOperation, inputs: Sequence[SSAValue], output: SSAValue, maps: Sequence[AffineMap]
) -> GenericOp:
    """The same computation of other operands."""
    attributes = ArrayAttr([AffineMapAttr(indices) for indices in maps])
    return GenericOp(inputs, [output], op.body.clone(), attributes, op.get_iterator_types(), [output.type])


def _padded(
    value: SSAValue, low: Sequence[int], high: Sequence[int], number: float, made: list[Operation]
) -> Operation:
    """A tensor with a number around it; what makes the number is appended to `made`."""
    element = element_of(value)
    is_float = isinstance(element, AnyFloat)
    constant = ConstantOp(FloatAttr(float(number), element) if is_float else _integer(int(number), element))
    made.append(constant)
    body = Block(arg_types=[IndexType()] * len(low))
    append(tensor.YieldOp(constant.result), body)
    shape = [a + extent + b for a, extent, b in zip(low, shape_of(value), high, strict=True)]
    return tensor.PadOp(value, [], [], Region(body), list(low), list(high), TensorType(element, shape))


def _integer(value: int, element: Attribute) -> IntegerAttr[IntegerType]:
    return IntegerAttr(value, cast(IntegerType, element))
