"""Numbers of a kernel that a reader looks for: stages and steps of its pipeline, its tiles, pitches of its buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import gcd

from xdsl.dialects import gpu, memref, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import MemRefType
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineBinaryOpExpr, AffineBinaryOpKind, AffineConstantExpr, AffineExpr

from vtac.analysis.kernels.gpu_indices import own_accesses, whole
from vtac.analysis.nests.nest import shape_of, strides_of
from vtac.dialects.wgmma.declared import IN_FLIGHT
from vtac.dialects.wmma import AsyncWaitOp, LoadMatrixSyncOp, StoreMatrixSyncOp, VariableOp
from vtac.dialects.wmma.declared import STAGED
from vtac.dialects.wmma.named import known_number
from vtac.dialects.wmma.ops import fragment_of


@dataclass(frozen=True)
class KernelNumbers:
    """Numbers by what they count; `pitches` and `stage_elements` by buffer. None, or no entry, for what there is not.

    A block computes `tile_rows` x `tile_columns`, and takes `k_step` of the sum in each of the `steps` of `loop`, whose
    copies are `stages` deep.
    """

    loop: scf.ForOp | None
    stages: int | None
    steps: int | None
    tile_rows: int | None
    tile_columns: int | None
    k_step: int | None
    pitches: Mapping[SSAValue, int]
    stage_elements: Mapping[SSAValue, int]

    @property
    def stages_name(self) -> str:
        """Stages of the pipeline, or those of them that copies are ahead of, where products are under way in more."""
        return "stages" if self.loop is None or not IN_FLIGHT.is_on(self.loop) else "copy_stages"


def kernel_numbers(kernel: FuncOp) -> KernelNumbers:
    """The numbers of a kernel whose places are few terms each (gpu-hoist-indices)."""
    loop, stages = _pipeline(kernel)
    steps = known_number(loop.ub) if loop is not None else None
    pitches = _pitches(kernel)
    staged = _stage_elements(kernel, stages) if stages else {}
    rows = _sides(kernel, "matrix_a", "row_major", pitches, staged)
    columns = _sides(kernel, "matrix_b", "col_major", pitches, staged) or _block_columns(kernel, pitches)
    depth = _sides(kernel, "matrix_b", "row_major", pitches, staged)
    depth = depth or _sides(kernel, "matrix_a", "col_major", pitches, staged)
    return KernelNumbers(loop, stages, steps, rows, columns, depth, pitches, staged)


def buffers_of(place: SSAValue) -> Iterator[SSAValue]:
    """The buffers in which an index is a place, or a part of one."""
    for use in place.uses:
        op = use.operation
        if isinstance(op, ApplyOp | VariableOp):
            yield from buffers_of(op.results[0])
        yield from (access.buffer for access in own_accesses(op) if access.place is place)


def terms_of(expr: AffineExpr) -> Iterator[tuple[AffineExpr, int]]:
    """The terms of a sum, in order, each with what it is multiplied by; a number is a term of its own."""
    if isinstance(expr, AffineBinaryOpExpr) and expr.kind is AffineBinaryOpKind.Add:
        yield from terms_of(expr.lhs)
        yield from terms_of(expr.rhs)
    elif isinstance(expr, AffineBinaryOpExpr) and expr.kind is AffineBinaryOpKind.Mul:
        if isinstance(expr.rhs, AffineConstantExpr):
            yield expr.lhs, expr.rhs.value
        else:
            yield expr, 1
    else:
        yield expr, 1


def is_of_blocks(expr: AffineExpr, op: ApplyOp) -> bool:
    """Whether a term is made of the block's indices alone."""
    used = expr.used_dims()
    return bool(used) and all(isinstance(op.mapOperands[position].owner, gpu.BlockIdOp) for position in used)


def is_matrix(buffer: SSAValue) -> bool:
    """Whether a buffer is an argument with rows and columns."""
    return (
        isinstance(buffer.type, MemRefType)
        and not isinstance(buffer.owner, memref.AllocOp)
        and len(shape_of(buffer)) == 2
    )


def _pipeline(kernel: FuncOp) -> tuple[scf.ForOp | None, int | None]:
    """The one pipelined loop of a kernel, and its stages."""
    waits = [op for op in kernel.walk() if isinstance(op, AsyncWaitOp)]
    loops = [op.parent_op() for op in waits]
    if len(waits) != 1 or not isinstance(loops[0], scf.ForOp) or known_number(loops[0].ub) is None:
        return None, None
    return loops[0], waits[0].pending.value.data + 2


def _pitches(kernel: FuncOp) -> dict[SSAValue, int]:
    """Elements from row to row of matrices: of the arguments, and of buffers that fragments come from or go to."""
    found: dict[SSAValue, int] = {one: shape_of(one)[1] for one in kernel.body.block.args if is_matrix(one)}
    leading: dict[SSAValue, set[int]] = {}
    for op in kernel.walk():
        if isinstance(op, LoadMatrixSyncOp | StoreMatrixSyncOp):
            leading.setdefault(whole(op.memory), set()).add(op.leading.value.data)
    for buffer, pitches in leading.items():
        is_plain = isinstance(buffer.owner, memref.AllocOp) and len(shape_of(buffer)) <= 2
        if is_plain and len(pitches) == 1 and _elements(buffer) % max(pitches) == 0:
            found[buffer] = max(pitches)
    return {buffer: pitch for buffer, pitch in found.items() if pitch > 1}


def _stage_elements(kernel: FuncOp, stages: int) -> dict[SSAValue, int]:
    buffers = [op.memref for op in kernel.walk() if isinstance(op, memref.AllocOp) and STAGED.is_on(op)]
    return {buffer: _elements(buffer) // stages for buffer in buffers if _elements(buffer) % stages == 0}


def _elements(buffer: SSAValue) -> int:
    return shape_of(buffer)[0] * strides_of(buffer)[0]


def _sides(
    kernel: FuncOp, role: str, layout: str, pitches: Mapping[SSAValue, int], staged: Mapping[SSAValue, int]
) -> int | None:
    """Rows of one stage of the buffer of an operand that lies in a layout; None where they are not one number."""
    found: set[int] = set()
    for op in kernel.walk():
        if isinstance(op, LoadMatrixSyncOp) and fragment_of(op.fragments).role == role:
            buffer = whole(op.memory)
            if fragment_of(op.fragments).layout != layout or buffer not in pitches or buffer not in staged:
                return None
            found.add(staged[buffer] // pitches[buffer])
    return found.pop() if len(found) == 1 else None


def _block_columns(kernel: FuncOp, pitches: Mapping[SSAValue, int]) -> int | None:
    """Columns from block to block of the matrices that fragments are stored to."""
    stored = {whole(op.memory) for op in kernel.walk() if isinstance(op, StoreMatrixSyncOp)}
    found = 0
    for op in kernel.walk():
        buffers = set(buffers_of(op.results[0])) if isinstance(op, ApplyOp) else set[SSAValue]()
        if not isinstance(op, ApplyOp) or len(buffers) != 1 or not buffers <= stored:
            continue
        (buffer,) = buffers
        for expr, factor in terms_of(op.map.data.results[0]):
            if is_matrix(buffer) and is_of_blocks(expr, op) and factor % pitches.get(buffer, factor):
                found = gcd(found, factor)
    return found if found > 1 else None
