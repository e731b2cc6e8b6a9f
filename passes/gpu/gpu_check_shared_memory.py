"""gpu-check-shared-memory: what a kernel keeps in shared memory fits, buffer by buffer."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.passes import ModulePass

from vtac.analysis.locations import location_of
from vtac.analysis.nest import buffer_name, element_type_of, scope_of, shape_of, strides_of
from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architecture, gpu_architectures
from vtac.dialects.wmma import FragmentsOp
from vtac.dialects.wmma.attributes import Fragment
from vtac.dialects.wmma.declared import ARCHITECTURE, BLOCK, DYNAMIC_BYTES, KERNEL, SHARED_OFFSET
from vtac.errors import CompileError
from vtac.passes.gpu.convert_blocks_to_memory import ELEMENT_BYTES

_ALIGNMENT = 128


@dataclass(frozen=True)
class GpuCheckSharedMemory(ModulePass):
    """Compare kernels with the limits of the module's architecture.

    requires: kernels (convert-loops-to-gpu).
    ensures:  shared buffers fit a block of the architecture, or of the roomiest one when the
              module names none. Beyond the static 48 KiB they get offsets in one dynamic
              array, whose size the kernel carries as `wmma.dynamic_shared_bytes`. The
              architecture has the kernel's fragments, and registers for them.
    declines: a kernel that does not fit, listing its buffers or fragments. What else of a
              thread lives in registers only the compiler knows.
    """

    name = "gpu-check-shared-memory"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        architecture = architecture_of(op)
        for function in op.ops:
            if isinstance(function, FuncOp) and KERNEL.is_on(function):
                _check_capacity(function, architecture)
                _check_fragments(function, architecture)
                _check_registers(function, architecture)


def architecture_of(module: ModuleOp) -> GpuArchitecture | None:
    """The architecture that a module names."""
    given = ARCHITECTURE.get(module)
    return gpu_architecture(given) if given is not None else None


def _check_capacity(kernel: FuncOp, architecture: GpuArchitecture | None) -> None:
    buffers = [op for op in kernel.walk() if isinstance(op, AllocOp) and scope_of(op.memref) == "shared"]
    records = [architecture] if architecture is not None else list(gpu_architectures().values())
    roomiest = max(records, key=lambda record: record.shared_bytes_per_block)
    limit = roomiest.shared_bytes_per_block
    used = sum(_aligned_bytes(op) for op in buffers[:-1]) + sum(_bytes(op) for op in buffers[-1:])
    if used <= limit:
        if used > min(record.static_shared_bytes_per_block for record in records):
            _place_dynamically(kernel, buffers)
        return
    lines = [f"\n  {buffer_name(op.memref)}: {_shown(op)}, {_bytes(op):,} bytes{_place(op)}" for op in buffers]
    raise CompileError(
        f"kernel '{kernel.sym_name.data}' keeps {used:,} bytes in shared memory; a block has at most {limit:,} bytes "
        f"on {architecture.name if architecture else 'any architecture'}:{''.join(lines)}\n"
        "use smaller tiles, or copy to shared memory in an inner loop",
        location_of(kernel),
    )


def _place_dynamically(kernel: FuncOp, buffers: list[AllocOp]) -> None:
    """Give each buffer a 128-byte aligned offset in the kernel's dynamic shared memory."""
    offset = end = 0
    for op in buffers:
        SHARED_OFFSET.set(op, offset)
        end = offset + _bytes(op)
        offset += _aligned_bytes(op)
    DYNAMIC_BYTES.set(kernel, end)


def _aligned_bytes(op: AllocOp) -> int:
    """Bytes from the start of a buffer to that of the next."""
    return -(-_bytes(op) // _ALIGNMENT) * _ALIGNMENT


def _bytes(op: AllocOp) -> int:
    width = ELEMENT_BYTES[str(element_type_of(op.memref))]
    return shape_of(op.memref)[0] * strides_of(op.memref)[0] * width


def _shown(op: AllocOp) -> str:
    return f"{'x'.join(map(str, shape_of(op.memref)))} {element_type_of(op.memref)}"


def _place(op: AllocOp) -> str:
    place = location_of(op)
    return f" ({place})" if place else ""


def _check_fragments(kernel: FuncOp, architecture: GpuArchitecture | None) -> None:
    if architecture is None:
        return
    for op in kernel.walk():
        if isinstance(op, FragmentsOp) and not _supports(architecture, op.fragments.type.data):
            fragment = op.fragments.type.data
            raise CompileError(
                f"{architecture.name} has no {fragment.role} fragment of {fragment.m}x{fragment.n}x{fragment.k} "
                f"{fragment.element}: its operands are {', '.join(_operands(architecture))}",
                location_of(op),
            )


def _supports(architecture: GpuArchitecture, fragment: Fragment) -> bool:
    return any(
        (operation.m, operation.n, operation.k) == (fragment.m, fragment.n, fragment.k)
        and fragment.element in (operation.operand, operation.accumulator)
        for operation in architecture.operations
    )


def _check_registers(kernel: FuncOp, architecture: GpuArchitecture | None) -> None:
    """Fragments alone must leave a thread some registers: the rest is for the compiler to find out."""
    records = [architecture] if architecture is not None else list(gpu_architectures().values())
    threads = prod(BLOCK.get(kernel) or ())
    limit = max(min(record.registers_per_thread, record.registers_per_sm // threads) for record in records)
    fragments = [op for op in kernel.walk() if isinstance(op, FragmentsOp)]
    used = sum(op.fragments.type.data.registers for op in fragments)
    if used < limit:
        return
    lines = [
        f"\n  {buffer_name(op.fragments)}: {op.fragments.type.data.shown}, {op.fragments.type.data.registers} registers"
        for op in fragments
    ]
    raise CompileError(
        f"fragments of kernel '{kernel.sym_name.data}' take {used} registers of each thread or more; with {threads} "
        f"threads per block a thread has {limit} on {architecture.name if architecture else 'any architecture'}, for "
        f"all it computes:{''.join(lines)}\nuse fewer tiles per warp, fewer warps, or no double_buffer",
        location_of(kernel),
    )


def _operands(architecture: GpuArchitecture) -> list[str]:
    return sorted({operation.operand for operation in architecture.operations})
