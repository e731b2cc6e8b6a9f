"""Operations that the host executes, with the reason why the VTA does not."""

from __future__ import annotations

from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Block, Operation, Region

from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.dialects.packing import HostOp, YieldOp
from vtac.partition.alu_legalizing import legalized
from vtac.rewriting.edits import append, discard


def segment_of(op: Operation, reason: str) -> HostOp:
    """A host segment that does what an operation does."""
    body = Block()
    clone = op.clone()
    clone.location = op.location
    append([clone, YieldOp(operands=[list(clone.results)])], body)
    text = f"'{op.name}' cannot run on the VTA: {reason}"
    segment = HostOp.get(text, [result.type for result in op.results], Region(body))
    segment.location = op.location
    for old, new in zip(op.results, segment.outputs, strict=True):
        new.name_hint = old.name_hint
    return segment


def reason_of(op: Operation, ranges: TensorRanges, otherwise: str) -> str:
    """Why an operation cannot run on the VTA: of an elementwise one what of its body, of others what is known."""
    if not isinstance(op, LinalgStructuredOperation) or not is_elementwise(op):
        return otherwise
    found = legalized(op, ranges)
    if isinstance(found, str):
        return found
    for made in reversed(found):  # what is not put anywhere must not count among the readers of its operands
        discard(made)
    return otherwise
