"""gpu-check-shared-memory: what a kernel keeps in shared memory and registers fits, buffer by buffer."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.passes import ModulePass

from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.shared_memory import (
    buffer_bytes,
    placed_bytes,
    records_for,
    shared_buffers,
    shared_offsets,
    static_bytes,
)
from vtac.analysis.nests.nest import buffer_name, element_type_of, shape_of
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.dialects.mma import TilesOp, TilesType
from vtac.dialects.mma.layouts import FIRST_CAPABILITY
from vtac.dialects.wgmma import MmaAsyncOp
from vtac.dialects.wmma import FragmentsOp
from vtac.dialects.wmma.attributes import Fragment, FragmentType
from vtac.dialects.wmma.declared import BLOCK, DYNAMIC_BYTES, KERNEL
from vtac.errors import CompileError


def _check_capacity(kernel: FuncOp, architecture: GpuArchitecture | None) -> None:
    buffers = shared_buffers(kernel)
    used = placed_bytes(kernel, buffers, architecture)
    limit = max(record.shared_bytes_per_block for record in records_for(architecture))
    if used > limit:
        lines = [f"\n  {buffer_name(op.memref)}: {_shown(op)}" for op in buffers]
        raise CompileError(
            f"kernel '{kernel.sym_name.data}' keeps {used:,} bytes in shared memory; a block has at most {limit:,} "
            f"bytes on {_named(architecture)}:{''.join(lines)}\n"
            "use smaller tiles, or copy to shared memory in an inner loop",
            location_of(kernel),
        )
    _, used = shared_offsets(buffers)
    if used > static_bytes(architecture) and not DYNAMIC_BYTES.is_on(kernel):
        raise CompileError(
            f"kernel '{kernel.sym_name.data}' keeps {used:,} bytes in shared memory, and its buffers have no places in "
            f"a dynamic array; without, a block has {static_bytes(architecture):,}: run gpu-place-shared-memory first",
            location_of(kernel),
        )


def _shown(op: AllocOp) -> str:
    place = location_of(op)
    shape = "x".join(map(str, shape_of(op.memref)))
    where = f" ({place})" if place else ""
    return f"{shape} {element_type_of(op.memref)}, {buffer_bytes(op):,} bytes{where}"


def _named(architecture: GpuArchitecture | None) -> str:
    return architecture.name if architecture else "any architecture"


def _check_fragments(kernel: FuncOp, architecture: GpuArchitecture | None) -> None:
    _check_groups(kernel, architecture)
    if architecture is None:
        return
    for op in kernel.walk():
        if isinstance(op, TilesOp) and architecture.compute_capability < FIRST_CAPABILITY:
            raise CompileError(
                f"{architecture.name} has no mma.sync of {op.tiles.type.data.shape}; sm_80 and later have: tensorize "
                "with wmma, or choose another architecture",
                location_of(op),
            )
        if isinstance(op, FragmentsOp) and not _supports(architecture, op.fragments.type.data):
            fragment = op.fragments.type.data
            raise CompileError(
                f"{architecture.name} has no {fragment.role} fragment of {fragment.m}x{fragment.n}x{fragment.k} "
                f"{fragment.element}: its operands are {', '.join(_operands(architecture))}",
                location_of(op),
            )


def _check_groups(kernel: FuncOp, architecture: GpuArchitecture | None) -> None:
    product = next((op for op in kernel.walk() if isinstance(op, MmaAsyncOp)), None)
    if product is not None and (architecture is None or not architecture.warpgroup_products):
        raise CompileError(
            f"{_named(architecture)} has no wgmma; sm_90a has, and no other architecture: compile for sm_90a, or "
            "tensorize with mma",
            location_of(product),
        )


def _supports(architecture: GpuArchitecture, fragment: Fragment) -> bool:
    return any(
        (operation.m, operation.n, operation.k) == (fragment.m, fragment.n, fragment.k)
        and fragment.element in (operation.operand, operation.accumulator)
        for operation in architecture.operations
    )


def _operands(architecture: GpuArchitecture) -> list[str]:
    return sorted({operation.operand for operation in architecture.operations})


def _check_registers(kernel: FuncOp, architecture: GpuArchitecture | None) -> None:
    """Fragments alone must leave a thread some registers: the rest is for the compiler to find out."""
    threads = prod(BLOCK.get(kernel) or ())
    limit = max(
        min(record.registers_per_thread, record.registers_per_sm // threads) for record in records_for(architecture)
    )
    arrays = [
        (op.results[0], op.results[0].type.data)
        for op in kernel.walk()
        if isinstance(op, FragmentsOp | TilesOp) and isinstance(op.results[0].type, FragmentType | TilesType)
    ]
    used = sum(record.registers for _, record in arrays)
    if used < limit:
        return
    lines = [f"\n  {buffer_name(array)}: {record.shown}, {record.registers} registers" for array, record in arrays]
    raise CompileError(
        f"fragments of kernel '{kernel.sym_name.data}' take {used} registers of each thread or more; with {threads} "
        f"threads per block a thread has {limit} on {_named(architecture)}, for all it computes:{''.join(lines)}\n"
        "use fewer tiles per warp, fewer warps, or no double_buffer",
        location_of(kernel),
    )


@dataclass(frozen=True)
class GpuCheckSharedMemory(ModulePass):
    """Compare kernels with the limits of the module's architecture; changes nothing.

    requires: kernels (convert-loops-to-gpu), their shared memory placed (gpu-place-shared-memory).
    ensures:  shared buffers fit a block of the architecture, or of the roomiest one when the
              module names none. The architecture has the kernel's fragments, and registers for them.
    declines: a kernel that does not fit, listing its buffers or fragments, and one with more than
              static shared memory that has no places. What else of a thread lives in registers
              only the compiler knows.
    """

    name = "gpu-check-shared-memory"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        architecture = architecture_of(op)
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            _check_capacity(kernel, architecture)
            _check_fragments(kernel, architecture)
            _check_registers(kernel, architecture)
