"""Products and poolings of the integer level that one device function can compute."""

from __future__ import annotations

from xdsl.dialects.builtin import i8, i32
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.partition.convolutions import Convolution, match_convolution
from vtac.partition.pads import Pads, no_pads, unpadded

LEAST = -(1 << 7)
"""The least number of i8: around data, a maximum never takes it."""
MAX_WINDOW = 64
"""Elements of a pooling window that are taken one ALU operation each."""


def match_anchor(op: Operation) -> Convolution | str:
    """The product or pooling that an operation is, in the form that device functions hold; or why it is none.

    Its operands have the dimensions of their roles alone, and its sum starts from zeros.
    """
    found = match_convolution(op)
    if isinstance(found, str):
        return found
    return found if not (reason := _difference(found)) else reason


def _difference(found: Convolution) -> str:
    if found.zero_points:
        return "it has zero points, which stand in a bias at this level"
    if any(len(dims) != len(shape_of(value)) for value, dims in _operands(found)):
        return "an operand has dimensions that are no rows, channels, features or window"
    if is_by_alu(found):
        return _pooling_difference(found)
    for value, _ in _operands(found)[:-1]:
        if element_of(value) != i8:
            kind = element_of(value)
            return f"its factor is {kind}; GEMM multiplies i8 by i8 (sign-extend i8 operands with arith.extsi)"
    if element_of(found.op.res[0]) != i32:
        return f"it accumulates in {element_of(found.op.res[0])}; GEMM accumulates in i32"
    return "" if start_of(found) == 0 else "its sum starts from a tensor"


def _pooling_difference(found: Convolution) -> str:
    if found.terms > MAX_WINDOW:
        return f"its window has {found.terms} elements; at most {MAX_WINDOW} are taken one by one"
    if start_of(found) is None:
        return "it starts from a tensor; a constant fill is required"
    if element_of(found.data) not in (i8, i32):
        return f"it pools {element_of(found.data)}; the VTA loads i8 and i32"
    return ""


def _operands(found: Convolution) -> list[tuple[SSAValue, tuple[int, ...]]]:
    """Data, kernel and result, each with the dimensions that have a role."""
    kernel = [] if found.kernel is None else [(found.kernel, found.kernel_dims)]
    return [(found.data, found.data_dims), *kernel, (found.op.res[0], found.result_kept)]


def is_by_alu(found: Convolution) -> bool:
    """Whether a pooling takes one ALU operation per element of its window: maxima, and sums of i32."""
    return found.kind == "max" or (found.kind == "sum" and element_of(found.data) != i8)


def start_of(found: Convolution) -> int | None:
    """The number that a sum or maximum starts from; None for a tensor."""
    owner = found.op.outputs[0].owner
    return number_of(owner.inputs[0]) if isinstance(owner, FillOp) else None


def source_of(found: Convolution) -> tuple[SSAValue, Pads, int]:
    """The data of a product or pooling without the padding that its loads put around it, that, and its number.

    Loads put zeros there; a maximum may be over other padding, which is added to them.
    """
    spatial = found.data_dims[2:]
    value, pads, edge = unpadded(found.data, spatial)
    if edge == 0:
        return value, pads, 0
    if edge == LEAST and found.kind == "max" and element_of(value) == i8 and every_window_holds_data(found):
        return value, pads, LEAST
    return found.data, no_pads(spatial), 0


def every_window_holds_data(found: Convolution) -> bool:
    """Whether no window lies in the padding alone."""
    source, pads, _ = unpadded(found.data, found.data_dims[2:])
    for axis, window in enumerate(found.windows):
        first = pads.low[axis]
        data = range(first, first + shape_of(source)[found.data_dims[2 + axis]])
        for place in range(shape_of(found.op.res[0])[found.result_kept[found.result_dims[2 + axis]]]):
            if not any(place * window.stride + tap * window.dilation in data for tap in range(window.size)):
                return False
    return True


def is_somewhere_untouched(found: Convolution) -> bool:
    """Whether some window lies in the padding alone, so that GEMM may skip what it would compute there."""
    if is_by_alu(found) or not found.windows:
        return False
    _, pads, _ = source_of(found)
    return any((*pads.low, *pads.high)) and not every_window_holds_data(found)
