"""Functions of linalg operations on tensors of numbers and z3 terms, one point of the iteration space at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from operator import index
from typing import SupportsIndex, TypeAlias, cast

import numpy as np
import z3
from numpy.typing import NDArray
from symbolic_scalars import Scalar, Scalars, constant, settled, term
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ShapedType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import IndexOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import IsTerminator

from vtac.dialects.packing import InterleaveOp
from vtac.evaluate.buffers import shape_of_type
from vtac.evaluate.functions import function_named
from vtac.evaluate.host import LAYOUT_OPS, change_layout

Symbols: TypeAlias = NDArray[np.object_]
"""Elements are of `symbolic_scalars.Scalar`."""
Callee: TypeAlias = Callable[[str, Sequence[Symbols]], Sequence[Symbols]]


def symbols(shape: Sequence[int], elements: Sequence[Scalar | None]) -> Symbols:
    """A tensor of elements in row-major order."""
    array = np.empty(len(elements), np.object_)
    array[:] = elements
    return array.reshape(tuple(shape))


def evaluate_symbols(
    function: FuncOp, arguments: Sequence[Symbols], scalars: Scalars, call: Callee | None = None
) -> tuple[Symbols, ...]:
    """What a function returns; `call` stands for the functions that it calls, which are evaluated without."""
    body = function.body.block
    evaluation = _Evaluation(scalars, call)
    evaluation.tensors.update(zip(body.args, arguments, strict=True))
    for op in body.ops:
        if isinstance(op, ReturnOp):
            return tuple(evaluation.tensors[value] for value in op.operands)
        evaluation.run(op)
    raise ValueError("a function without return")


class _Evaluation:
    def __init__(self, scalars: Scalars, call: Callee | None) -> None:
        self.scalars = scalars
        self.call = call
        self.tensors: dict[SSAValue, Symbols] = {}
        self.numbers: dict[SSAValue, Scalar] = {}

    def run(self, op: Operation) -> None:
        if isinstance(op, CallOp):
            self.tensors.update(zip(op.results, self._called(op), strict=True))
        elif isinstance(op, ConstantOp) and not isinstance(op.value, DenseIntOrFPElementsAttr):
            self.numbers[op.result] = constant(op.value)
        elif isinstance(op, LinalgStructuredOperation):
            self._structured(op)
        else:
            self.tensors[op.results[0]] = self._tensor(op)

    def _called(self, op: CallOp) -> Sequence[Symbols]:
        name, arguments = op.callee.string_value(), [self.tensors[value] for value in op.arguments]
        if self.call is not None:
            return self.call(name, arguments)
        return evaluate_symbols(function_named(op, name), arguments, self.scalars)

    def _tensor(self, op: Operation) -> Symbols:
        shape = shape_of_type(op.results[0].type)
        if isinstance(op, ConstantOp):
            return _dense(cast(DenseIntOrFPElementsAttr, op.value), shape)
        if isinstance(op, tensor.EmptyOp):
            return np.empty(shape, np.object_)
        if isinstance(op, tensor.PadOp):
            return self._padded(op, shape)
        if isinstance(op, tensor.ExtractSliceOp):
            parts = (op.static_offsets, op.static_sizes, op.static_strides)
            places = zip(*(part.get_values() for part in parts), strict=True)
            source = self.tensors[op.source]
            return source[tuple(slice(low, low + size * step, step) for low, size, step in places)].reshape(shape)
        if isinstance(op, InterleaveOp):
            planes = [self.tensors[value] for value in op.operands]
            words = [_word(parts) for parts in zip(*(plane.reshape(-1) for plane in planes), strict=True)]
            return symbols(shape, words)
        if isinstance(op, LAYOUT_OPS):
            operands = [self.tensors[value] for value in op.operands if value in self.tensors]
            moved = change_layout(op, operands)
            elements = [_element(one) for one in cast("list[object]", moved.reshape(-1).tolist())]
            return symbols(moved.shape, elements)  # numpy fills incomplete tiles with numbers of its own
        raise NotImplementedError(f"'{op.name}' has no symbolic meaning")

    def _padded(self, op: tensor.PadOp, shape: Sequence[int]) -> Symbols:
        result = np.empty(tuple(shape), np.object_)
        yielded = cast(Operation, op.region.block.last_op).operands[0]
        owner = yielded.owner
        number = constant(owner.value) if isinstance(owner, ConstantOp) else self.numbers[yielded]
        result.reshape(-1)[:] = [number] * result.size
        source = self.tensors[op.source]
        lows = op.static_low.get_values()
        result[tuple(slice(low, low + extent) for low, extent in zip(lows, source.shape, strict=True))] = source
        return result

    def _structured(self, op: LinalgStructuredOperation) -> None:
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        outputs = [self.tensors[value].copy() for value in op.outputs]
        operands = [self.tensors[v] if isinstance(v.type, ShapedType) else self.numbers[v] for v in op.inputs]
        operands += outputs
        kinds = op.get_iterator_types()
        is_parallel = [kind.data is IteratorType.PARALLEL for kind in kinds]
        places = maps[len(op.inputs) :]
        known: dict[tuple[Scalar, ...], list[Scalar]] = {}  # most elements are the same numbers
        indexed = any(isinstance(inner, IndexOp) for inner in op.body.block.ops)
        for point in _points(op.get_static_loop_ranges(), is_parallel):
            values = [
                operand[indices.eval(point, [])] if isinstance(operand, np.ndarray) else operand
                for operand, indices in zip(operands, maps, strict=True)
            ]
            key = tuple(values) if all(isinstance(one, int | None) for one in values) else None
            if key is None or key not in known:
                results = self._body(op.body.block, values, point)
                known |= {} if key is None or indexed else {key: results}
            else:
                results = known[key]
            for output, indices, value in zip(outputs, places, results, strict=True):
                output[indices.eval(point, [])] = value
        self.tensors.update(zip(op.res, outputs, strict=True))

    def _body(self, block: Block, arguments: Sequence[Scalar], point: Sequence[int]) -> list[Scalar]:
        known: dict[SSAValue, Scalar] = dict(zip(block.args, arguments, strict=True))
        for op in block.ops:
            operands = [known[value] if value in known else self.numbers[value] for value in op.operands]
            if op.has_trait(IsTerminator):
                return operands
            found = point[op.dim.value.data] if isinstance(op, IndexOp) else self.scalars.apply(op, operands)
            known[op.results[0]] = found
        raise ValueError("a body without terminator")


def _element(value: object) -> Scalar | None:
    """An element of a numpy array, which may be a number of numpy."""
    if value is None or isinstance(value, int | z3.BitVecRef | z3.FPRef):
        return value
    return index(cast(SupportsIndex, value))


def _points(extents: Sequence[int], is_parallel: Sequence[bool]) -> list[tuple[int, ...]]:
    """All points, those of reductions in order for each result."""
    order = sorted(range(len(extents)), key=lambda dim: not is_parallel[dim])
    places = [order.index(dim) for dim in range(len(extents))]
    return [tuple(point[place] for place in places) for point in product(*(range(extents[dim]) for dim in order))]


def _dense(contents: DenseIntOrFPElementsAttr, shape: Sequence[int]) -> Symbols:
    values = contents.get_attrs()
    numbers = [constant(value) for value in values]
    size = int(np.prod(tuple(shape)))
    return symbols(shape, numbers * size if len(numbers) == 1 else numbers)


def _word(parts: Sequence[Scalar]) -> Scalar:
    """Bytes, lowest first, as one integer."""
    return settled(z3.Concat(*(term(part, 8) for part in reversed(parts))))
