"""Rules of upstream operations that xDSL's own verifiers do not check; MLIR's do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Final

from xdsl.ir import Attribute, Operation, SSAValue

from vtac.text.loop_extents import contradiction
from vtac.text.upstream_global_rules import contents_problem, reference_problem

_DYNAMIC: Final = -(2**63)
"""What stands for an offset, size or stride that is an operand."""


def upstream_problem(operation: Operation) -> str:
    """What is wrong with an operation that its own verifier would let pass, or trip over; empty for nothing."""
    rule = _RULES.get(operation.name)
    problem = rule(operation) if rule is not None else ""
    if problem or not operation.name.startswith("linalg."):
        return problem
    return next((problem for rule in _LINALG if (problem := rule(operation))), "")


_INPUTS: dict[str, int] = {
    **dict.fromkeys(("exp", "log", "sqrt", "copy", "transpose", "broadcast"), 1),
    **dict.fromkeys(("add", "sub", "mul", "max", "min"), 2),
    "quantized_matmul": 4,
}
"""Inputs of the named operations that are xDSL's."""


def _operands(operation: Operation) -> str:
    """A named operation has as many inputs as its name says, and one output."""
    from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation

    from vtac.dialects.named_elementwise import NamedElementwiseOp
    from vtac.dialects.named_operation import NamedOp

    wanted = (
        operation.number_of_inputs()
        if isinstance(operation, NamedOp | NamedElementwiseOp)
        else _INPUTS.get(operation.name[len("linalg.") :])
    )
    if wanted is None or not isinstance(operation, LinalgStructuredOperation):
        return ""
    inputs, outputs = len(operation.inputs), len(operation.outputs)
    if (inputs, outputs) == (wanted, 1):
        return ""
    return f"it has {inputs} ins and {outputs} outs; {wanted} ins and 1 outs are required"


def _windows(operation: Operation) -> str:
    """A window moves by a stride and a dilation along each axis."""
    from xdsl.dialects.builtin import DenseIntElementsAttr, i64
    from xdsl.utils.hints import isa

    from vtac.dialects.named_operation import NamedOp

    if not isinstance(operation, NamedOp) or "strides" not in operation.properties:
        return ""
    axes = operation.number_of_axes()
    each = f"each of its {axes} axes" if axes > 1 else "its axis"
    for name in ("strides", "dilations"):
        found = operation.properties[name]
        if not isa(found, DenseIntElementsAttr) or found.get_shape() != (axes,) or found.get_element_type() != i64:
            return f"its {name} are {found}: one i64 for {each} is required"
        if min(found.get_values()) < 1:
            return f"its {name} are {found}: windows move forward, by 1 or more"
    return ""


def _element_types(operation: Operation) -> str:
    """What is filled has the type of its number; elementwise operations convert nothing, and add no single bits."""
    from xdsl.dialects.builtin import i1
    from xdsl.dialects.linalg.abstract_ops import ElementwiseOperation
    from xdsl.dialects.linalg.ops import FillOp, SelectOp

    if not isinstance(operation, ElementwiseOperation | FillOp) or isinstance(operation, SelectOp):
        return ""
    found = [argument.type for argument in operation.body.block.args]
    if len(set(found)) > 1:
        return f"its elements are {', '.join(map(str, found))}: one type is required; convert them before"
    if found[0] == i1 and any(op.name == "arith.addi" for op in operation.body.block.ops):
        return "MLIR takes the or of single bits: write linalg.generic with arith.ori, or with arith.xori for a sum"
    return ""


def _extents_of_loops(operation: Operation) -> str:
    from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation

    return contradiction(operation) if isinstance(operation, LinalgStructuredOperation) else ""


def _return(operation: Operation) -> str:
    """A function returns what its type says."""
    from xdsl.dialects.func import FuncOp, ReturnOp

    function = operation.parent_op()
    if not isinstance(operation, ReturnOp) or not isinstance(function, FuncOp):
        return ""
    wanted, found = list(function.function_type.outputs), [value.type for value in operation.operands]
    if wanted == found:
        return ""
    shown = [f"({', '.join(map(str, kinds))})" for kinds in (found, wanted)]
    return f"it returns {shown[0]}, the type of '{function.sym_name.data}' says {shown[1]}: change one of them"


def _destinations(operation: Operation) -> str:
    """Results of a structured operation have the types of its `outs`."""
    from xdsl.dialects.builtin import TensorType
    from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation

    if not isinstance(operation, LinalgStructuredOperation):
        return ""
    tensors = [value for value in operation.outputs if isinstance(value.type, TensorType)]
    for number, (output, result) in enumerate(zip(tensors, operation.results, strict=False)):
        if result.type != output.type:
            return f"result #{number} is {result.type}, its outs {output.type}: equal types are required"
    return ""


def _transpose(operation: Operation) -> str:
    """A permutation names each dimension once; xDSL indexes shapes with others."""
    from xdsl.dialects.linalg.ops import TransposeOp

    if not isinstance(operation, TransposeOp):
        return ""
    order = [int(dimension) for dimension in operation.permutation.get_values()]
    if sorted(order) == list(range(len(order))):
        return ""
    return f"permutation = {order}: each of the dimensions 0 to {len(order) - 1} is required once"


def _pad(operation: Operation) -> str:
    """A padded tensor is as large as the tensor and its padding."""
    from xdsl.dialects.tensor import PadOp

    if not isinstance(operation, PadOp):
        return ""
    source, result = _shape(operation.source), _shape(operation.result)
    low, high = list(operation.static_low.iter_values()), list(operation.static_high.iter_values())
    if not len(source) == len(result) == len(low) == len(high):
        return f"{operation.source.type} padded by low{low} high{high} to {operation.result.type}: one rank is required"
    for dim, (size, before, after, found) in enumerate(zip(source, low, high, result, strict=True)):
        if _DYNAMIC not in (size, before, after, found) and size + before + after != found:
            return f"dimension {dim}: {size} + {before} + {after} is {size + before + after}, the result has {found}"
    return ""


def _collapse(operation: Operation) -> str:
    """A collapsed tensor has as many elements as before."""
    from xdsl.dialects.tensor import CollapseShapeOp

    if not isinstance(operation, CollapseShapeOp):
        return ""
    source, result = _shape(operation.src), _shape(operation.result)
    groups = [[int(dim.value.data) for dim in group] for group in operation.reassociation]
    if not groups and not result and set(source) == {1}:
        return ""
    if [dim for group in groups for dim in group] != list(range(len(source))) or len(groups) != len(result):
        return f"reassociation {groups}: the dimensions 0 to {len(source) - 1} in order, in {len(result)} groups"
    for group, found in zip(groups, result, strict=True):
        sizes = [source[dim] for dim in group]
        if _DYNAMIC not in (*sizes, found) and prod(sizes) != found:
            return f"dimensions {group} of {operation.src.type} make {prod(sizes)}, their one has {found}"
    return ""


def _extract_slice(operation: Operation) -> str:
    from xdsl.dialects.tensor import ExtractSliceOp

    if not isinstance(operation, ExtractSliceOp):
        return ""
    return _slice(operation, operation.source, operation.result.type)


def _insert_slice(operation: Operation) -> str:
    from xdsl.dialects.tensor import InsertSliceOp

    if not isinstance(operation, InsertSliceOp):
        return ""
    return _slice(operation, operation.dest, operation.source.type)


def _slice(operation: Operation, whole: SSAValue, part: Attribute) -> str:
    """A slice lies inside its tensor and has the sizes it says, but for dimensions of 1 that are dropped."""
    offsets, sizes, strides = (_static(operation, name) for name in ("offsets", "sizes", "strides"))
    extents = _shape(whole)
    if not len(offsets) == len(sizes) == len(strides) == len(extents):
        return (
            f"a slice of rank {len(sizes)} of {whole.type}: an offset, a size and a stride per dimension are required"
        )
    for dim, (first, size, stride, extent) in enumerate(zip(offsets, sizes, strides, extents, strict=True)):
        if _DYNAMIC in (size, stride, extent):
            continue
        start, shown = (0, "anywhere") if first == _DYNAMIC else (first, f"from {first}")
        last = start + (size - 1) * stride
        if min(start, size) < 0 or (size and not 0 <= last < extent and (first != _DYNAMIC or stride > 0)):
            return f"dimension {dim}: {size} elements {shown} in steps of {stride} do not lie inside {extent}"
    if not _drops_ones(sizes, _extents(part)):
        return f"a slice of sizes {sizes} is no {part}"
    return ""


def _drops_ones(sizes: Sequence[int], shape: Sequence[int]) -> bool:
    left = list(shape)
    for size in sizes:
        if left and (size == left[0] or _DYNAMIC in (size, left[0])):
            left.pop(0)
        elif size != 1:
            return False
    return not left


def _index(operation: Operation) -> str:
    """An index is that of one of the loops around it."""
    from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
    from xdsl.dialects.linalg.ops import IndexOp

    around = operation.parent_op()
    if not isinstance(operation, IndexOp) or not isinstance(around, LinalgStructuredOperation):
        return ""
    loops, dim = around.get_num_loops(), operation.dim.value.data
    if 0 <= dim < loops:
        return ""
    return f"it names loop {dim}, '{around.name}' has {loops}: one of 0 to {loops - 1} is required"


def _element(operation: Operation) -> str:
    """An element has an index for each dimension of its tensor."""
    from xdsl.dialects.tensor import ExtractOp, InsertOp

    if not isinstance(operation, ExtractOp | InsertOp):
        return ""
    whole = operation.tensor if isinstance(operation, ExtractOp) else operation.dest
    if len(operation.indices) == len(_shape(whole)):
        return ""
    return f"{len(operation.indices)} indices into {whole.type}: one per dimension is required"


def _static(operation: Operation, name: str) -> list[int]:
    from xdsl.dialects.builtin import DenseArrayBase

    found = operation.properties[f"static_{name}"]
    return [int(value) for value in found.iter_values()] if isinstance(found, DenseArrayBase) else []


def _shape(value: SSAValue) -> list[int]:
    return _extents(value.type)


def _extents(kind: Attribute) -> list[int]:
    from xdsl.dialects.builtin import TensorType

    if not isinstance(kind, TensorType):
        return []
    return [_DYNAMIC if extent < 0 else extent for extent in kind.get_shape()]


_LINALG = (_operands, _windows, _element_types, _extents_of_loops, _destinations)
LOOK_AROUND: Final = frozenset(("memref.get_global", "linalg.index"))
"""Operations whose rules look at what is around them, so that one which is right says nothing of an equal one."""
_RULES: dict[str, Callable[[Operation], str]] = {
    "func.return": _return,
    "memref.get_global": reference_problem,
    "memref.global": contents_problem,
    "linalg.index": _index,
    "linalg.transpose": _transpose,
    "tensor.pad": _pad,
    "tensor.collapse_shape": _collapse,
    "tensor.extract_slice": _extract_slice,
    "tensor.insert_slice": _insert_slice,
    "tensor.extract": _element,
    "tensor.insert": _element,
}
