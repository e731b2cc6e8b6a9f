"""A size that is known when a program runs: where it may stand, and the number that stands for it meanwhile.

It is the extent of outermost dimensions, of arguments, results and what lies between, and nothing is reduced, moved or
reshaped along it: elements of one index depend on elements of this index alone. Strides then do not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import TypeAlias, cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    ShapedType,
    TensorType,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import BroadcastOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.stand_ins import PRIMES, STAND_INS, prime_of
from vtac.errors import CompileError

SIZE_CASTS = (arith.IndexCastOp, arith.ExtSIOp, arith.ExtUIOp, arith.TruncIOp)
"""What a size may go through between arrays."""
_BITS = 32
"""What an integer has to have for every size."""
_KNOWN = (tensor.DimOp, tensor.EmptyOp, BroadcastOp, tensor.PadOp, ReturnOp)

Shaped: TypeAlias = "TensorType[Attribute]"


def dynamic_values(function: FuncOp) -> Iterator[SSAValue]:
    """The tensors of a function with an extent that is not known."""
    values = [*function.body.block.args, *(result for op in function.body.block.ops for result in op.results)]
    return (value for value in values if DYNAMIC_INDEX in _shape(value))


def has_dynamic_size(module: ModuleOp) -> bool:
    """Whether a function of a module has a tensor with an extent that is not known."""
    functions = [one for one in module.ops if isinstance(one, FuncOp) and one.body.blocks]
    return any(True for function in functions for _ in dynamic_values(function))


def _shape(value: SSAValue) -> tuple[int, ...]:
    return tuple(value.type.get_shape()) if isinstance(value.type, ShapedType) else ()


def check_dynamic(function: FuncOp) -> None:
    """Raises `CompileError` for a size that is not known anywhere but where it may stand."""
    for value in dynamic_values(function):
        owner = value.owner if isinstance(value.owner, Operation) else function
        shape = _shape(value)
        if DYNAMIC_INDEX in shape[1:]:
            at = shape.index(DYNAMIC_INDEX, 1)
            raise CompileError(
                f"{value.type}: dimension {at} is dynamic; for CUDA the outermost one alone may be, such as a batch: "
                "give the others their extents",
                location_of(owner),
            )
    for op in function.body.block.ops:
        problem = _problem(op)
        if problem:
            raise CompileError(
                f"'{op.name}' {problem}; along a dynamic dimension each element may only be computed from those of the "
                "same index: give it an extent",
                location_of(op),
            )
        if isinstance(op, tensor.EmptyOp):
            _check_empty(op)


def _check_empty(op: tensor.EmptyOp) -> None:
    if not all(map(_is_size, op.dynamic_sizes)):
        raise CompileError(
            f"'{op.name}' of {op.tensor.type} has an extent of its own; a dynamic dimension is that of the arguments, "
            "tensor.dim of dimension 0 of one: take this, or a static type for another extent",
            location_of(op),
        )


def _is_size(value: SSAValue) -> bool:
    """Whether a value is the dynamic size: the outermost extent of a tensor that has it."""
    op = value.owner
    if isinstance(op, arith.IndexCastOp | arith.ExtSIOp | arith.ExtUIOp | arith.TruncIOp):
        return _holds_sizes(value.type) and _is_size(op.input)
    return isinstance(op, tensor.DimOp) and _is_dynamic(op.source) and number_of(op.index) == 0


def _holds_sizes(kind: Attribute) -> bool:
    return not isinstance(kind, IntegerType) or kind.bitwidth >= _BITS


def _is_dynamic(value: SSAValue) -> bool:
    return DYNAMIC_INDEX in _shape(value)


def _problem(op: Operation) -> str:
    """What an operation does along a dynamic dimension that kernels cannot; empty for none of that."""
    if not any(map(_is_dynamic, (*op.operands, *op.results))):
        return ""
    if isinstance(op, LinalgStructuredOperation):
        return _problem_of_loops(op)
    if isinstance(op, tensor.PadOp):
        pads = (*op.static_low.get_values()[:1], *op.static_high.get_values()[:1])
        return "pads a dynamic dimension" if any(pads) else ""
    if isinstance(op, BroadcastOp):
        added = 0 in op.dimensions.get_values()
        return "moves a dynamic dimension" if added and _is_dynamic(op.input) else ""
    if isinstance(op, tensor.CollapseShapeOp | tensor.ExpandShapeOp):
        return _problem_of_reshape(op)
    is_arithmetic = op.name.startswith(("arith.", "math."))
    return "" if is_arithmetic or isinstance(op, _KNOWN) else "takes or gives a tensor of a dynamic size"


def _problem_of_reshape(op: tensor.CollapseShapeOp | tensor.ExpandShapeOp) -> str:
    """Whether the dynamic dimension is alone in its group."""
    first = op.reassociation.data[0]
    return "" if len(first.data) == 1 else "reshapes a dynamic dimension"


def _problem_of_loops(op: LinalgStructuredOperation) -> str:
    kinds = [kind.data for kind in op.get_iterator_types()]
    loops: set[int] = set()
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    for value, indices in zip(op.operands, maps, strict=True):
        if not _is_dynamic(value):
            continue
        index = indices.results[0]
        if not isinstance(index, AffineDimExpr):
            return "reads a window along a dynamic dimension"
        if kinds[index.position] is not IteratorType.PARALLEL:
            return "reduces a dynamic dimension"
        loops.add(index.position)
    for value, indices in zip(op.operands, maps, strict=True):
        for at, index in enumerate(indices.results):
            whole = at == 0 and _is_dynamic(value)
            if not whole and any(dim in loops for dim in index.used_dims()):
                return "moves a dynamic dimension"
    return "" if len(loops) == 1 else "pairs elements of several indices of a dynamic dimension"


def stand_in(function: FuncOp, passed: int = 0) -> int:
    """The number that stands for the size: a multiple of all tiles, and of a prime that divides no other number.

    The first so many such numbers are `passed` over. Raises `CompileError` where each prime divides one.
    """
    values = [*function.body.block.args, *(result for op in function.body.block.ops for result in op.results)]
    numbers = {extent for value in values for extent in _shape(value) if extent > 1}
    numbers.update(number for op in function.walk() for number in _numbers_of(op) if number)
    found = [one for one in STAND_INS if all(number % prime_of(one) for number in numbers)][passed:]
    if not found:
        raise CompileError(
            "no number can stand for the dynamic size: the other extents and the constants are multiples of "
            f"{', '.join(map(str, PRIMES))}",
            location_of(function),
        )
    return found[0]


def _numbers_of(op: Operation) -> Iterator[int]:
    for attribute in (*op.properties.values(), *op.attributes.values()):
        yield from _numbers_in(attribute)


def _numbers_in(attribute: Attribute) -> Iterator[int]:
    """The integers of an attribute, but for those of arrays that kernels load."""
    if isinstance(attribute, IntegerAttr):
        yield attribute.value.data
    elif isinstance(attribute, DenseArrayBase) or (
        isinstance(attribute, DenseIntOrFPElementsAttr) and attribute.is_splat()
    ):
        numbers = cast("Sequence[object]", attribute.get_values())
        yield from (number for number in numbers if isinstance(number, int))
    elif isinstance(attribute, AffineMapAttr):
        parts = (part for result in attribute.data.results for part in result.dfs())
        yield from (part.value for part in parts if isinstance(part, AffineConstantExpr))
    elif isinstance(attribute, ArrayAttr):
        for one in cast("ArrayAttr[Attribute]", attribute):
            yield from _numbers_in(one)


def row_of(shape: tuple[int, ...] | list[int], size: int) -> int | None:
    """Elements for each index of the dynamic dimension of an array, of a shape with the stand-in; None without one."""
    return prod(shape) // size if shape and shape[0] % size == 0 else None


def settled(kind: Attribute, size: int) -> Attribute:
    """A type with the stand-in for the size."""
    if not isinstance(kind, TensorType):
        return kind
    shaped = cast("Shaped", kind)
    shape = [size if extent == DYNAMIC_INDEX else extent for extent in shaped.get_shape()]
    return TensorType(shaped.element_type, shape, shaped.encoding)
