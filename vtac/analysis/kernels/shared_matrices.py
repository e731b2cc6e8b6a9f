"""How far a matrix of `wgmma` reaches in the plain rows of its buffer, and how such buffers have to start."""

from __future__ import annotations

from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue

from vtac.dialects.gpu_hardware import ELEMENT_BYTES
from vtac.dialects.mma.declared import LAYOUT, PLACED
from vtac.dialects.mma.shared_layouts import SharedLayout
from vtac.dialects.wgmma import DescriptorOp, MmaAsyncOp
from vtac.dialects.wgmma.layouts import DEPTH_BYTES, ROWS
from vtac.dialects.wgmma.ops import matrix_of

_BY_ADDRESS = ("wgmma.", "tma.")
"""Dialects whose operations let chunks change places by their addresses."""


def layout_of(buffer: SSAValue) -> SharedLayout | None:
    """How a buffer lies, or is to lie."""
    owner = buffer.owner
    return LAYOUT.get(owner) or PLACED.get(owner) if isinstance(owner, Operation) else None


def start_alignment(op: AllocOp) -> int:
    """Bytes that a buffer's start has to be a multiple of for hardware that finds chunks by their addresses; else 1."""
    layout = layout_of(op.memref)
    by_address = any(use.operation.name.startswith(_BY_ADDRESS) for use in op.memref.uses)
    return layout.period if layout is not None and by_address else 1


def matrix_span(op: DescriptorOp) -> int:
    """Elements from the first to the last of a matrix, in plain rows: 64 of A, n of B, by 32 bytes of k."""
    matrix, layout = matrix_of(op.descriptor), layout_of(op.memory)
    width = ELEMENT_BYTES[matrix.element]
    pitch, depth = (layout.pitch // width if layout is not None else 1), DEPTH_BYTES // width
    rows = max((_rows(use.operation, op.descriptor) for use in op.descriptor.uses), default=ROWS)
    along, across = (depth, rows) if matrix.major == "k_major" else (rows, depth)
    return (across - 1) * pitch + along


def _rows(user: Operation, descriptor: SSAValue) -> int:
    if not isinstance(user, MmaAsyncOp):
        return ROWS
    return ROWS if user.a is descriptor else user.n.value.data
