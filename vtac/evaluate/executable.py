"""What can be executed at the input level, told without executing it."""

from __future__ import annotations

from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import MemRefType, TensorType, i1
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import IndexOp
from xdsl.dialects.memref import AllocOp, DeallocOp, GetGlobalOp
from xdsl.ir import Attribute, Operation
from xdsl.traits import IsTerminator

from vtac.errors import EvaluationError
from vtac.evaluate.arith import SUPPORTED
from vtac.evaluate.host import LAYOUT_OPS
from vtac.evaluate.numbers import computed_dtype
from vtac.evaluate.slices import pad_widths, places

EXECUTED = (
    "linalg structured ops, tensor.pad, tensor.extract_slice, tensor.insert_slice, tensor.concat, tensor.splat, "
    "tensor.extract, tensor.empty, reshapes, memref.alloc, memref.get_global, and operations of arith and math"
)
EVALUATED = (
    f"{EXECUTED}; tensor.generate, accesses and views of memref and affine, and loops and choices of scf and affine"
)
_PLAIN = (
    LinalgStructuredOperation,
    tensor.EmptyOp,
    tensor.SplatOp,
    tensor.ExtractOp,
    AllocOp,
    DeallocOp,
    GetGlobalOp,
    ConstantOp,
    *LAYOUT_OPS,
)

_DIVISIONS = frozenset(
    f"arith.{name}" for name in ("divsi", "divui", "floordivsi", "ceildivsi", "ceildivui", "remsi", "remui")
)


def why_not_executable(op: Operation) -> str | None:
    """Why numpy cannot execute an operation; None when it can."""
    try:
        for value in (*op.operands, *op.results):
            computed_dtype(_element(value.type))
        if isinstance(op, tensor.PadOp):
            pad_widths(op)
        elif isinstance(op, tensor.ExtractSliceOp | tensor.InsertSliceOp):
            places(op)
        elif not isinstance(op, _PLAIN) and op.name not in SUPPORTED:
            return f"numpy executes {EXECUTED}"
        return next(filter(None, map(_why_not_in_body, _body(op))), None)
    except EvaluationError as error:
        return str(error).removeprefix(f"{error.location}: ").removeprefix(f"{op.name}: ")


def _why_not_in_body(op: Operation) -> str | None:
    for value in op.results:
        computed_dtype(value.type)
    if op.name in _DIVISIONS and op.results[0].type == i1:
        return f"its body has '{op.name}' of i1, which numpy does not execute here"
    if op.has_trait(IsTerminator) or isinstance(op, IndexOp | tensor.ExtractOp) or op.name in SUPPORTED:
        return None
    return f"its body has '{op.name}', which numpy does not execute here"


def _body(op: Operation) -> list[Operation]:
    return [inner for region in op.regions for block in region.blocks for inner in block.ops]


def _element(kind: Attribute) -> Attribute:
    if isinstance(kind, TensorType | MemRefType):
        return cast("TensorType[Attribute]", kind).get_element_type()
    return kind
