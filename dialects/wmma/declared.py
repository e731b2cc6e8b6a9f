"""Attributes of the wmma dialect: a kernel's launch, its shared memory, the module's architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Attribute

from vtac.dialects.declared import MARK, TEXT, Declared, Kind, declare, integer, integers

_KERNEL = ("func.func",)
_ALLOCATION = ("memref.alloc",)


def _are_positive(values: Sequence[int]) -> bool:
    return all(value >= 1 for value in values)


_EXTENTS = integers(3, "an array of three positive sizes, x, y and z,", _are_positive)

ARCHITECTURE = declare(
    Declared("wmma.architecture", TEXT, ("builtin.module",), 'the architecture to compile for, such as "sm_90"')
)

ALLOW_TF32 = declare(
    Declared(
        "wmma.allow_tf32",
        MARK,
        ("builtin.module",),
        "tensor cores may multiply f32, rounded to tf32's 10 bits of mantissa",
    )
)

CUT_TF32 = declare(
    Declared(
        "wmma.cut_tf32",
        MARK,
        ("builtin.module",),
        "kernels of mma.sync need not round f32 to tf32: the hardware cuts off the 13 bits of mantissa that tf32 lacks",
    )
)

Instructions: TypeAlias = Literal["wmma", "mma.sync", "wgmma", "tma", "estimated"]
INSTRUCTION_NAMES: tuple[Instructions, ...] = ("wmma", "mma.sync", "wgmma", "tma", "estimated")


def _read_instructions(attribute: Attribute) -> Instructions | None:
    return next((name for name in INSTRUCTION_NAMES if attribute == StringAttr(name)), None)


INSTRUCTIONS = declare(
    Declared(
        "wmma.instructions",
        Kind[Instructions]("one of wmma, mma.sync, wgmma, tma, estimated", _read_instructions, StringAttr),
        ("builtin.module",),
        "which instructions default schedules multiply with: fragments of WMMA, which is the default, tiles in the "
        "registers of lanes, warpgroups, either of the latter with operands in bulk copies, or whichever is estimated "
        "to take least time on the module's architecture",
    )
)

KERNEL = declare(Declared("gpu.kernel", MARK, (), "the function runs on the GPU; MLIR's own name"))

GRID = declare(Declared("wmma.grid", _EXTENTS, _KERNEL, "blocks of the kernel's launch"))

BLOCK = declare(Declared("wmma.block", _EXTENTS, _KERNEL, "threads of each block"))

CLUSTER_DIMENSIONS = declare(
    Declared("wmma.cluster", _EXTENTS, _KERNEL, "blocks of each cluster of the kernel's launch")
)

DYNAMIC_BYTES = declare(
    Declared("wmma.dynamic_shared_bytes", integer(0), _KERNEL, "dynamic shared memory of the kernel's launch")
)

SHARED_OFFSET = declare(
    Declared("wmma.shared_offset", integer(0), _ALLOCATION, "the byte of dynamic shared memory where a buffer starts")
)

STAGED = declare(
    Declared("wmma.staged", MARK, _ALLOCATION, "a pipeline's own waits and barriers guard the buffer's slots")
)

AHEAD = declare(
    Declared("wmma.ahead", MARK, ("scf.if",), "copies for a later iteration of the loop, which no statement here reads")
)

COPIES = declare(
    Declared(
        "wmma.copies",
        integer(1),
        ("memref.alloc", "wmma.fragments"),
        "copies of an array of fragments that iterations use in turn",
        "double_buffer",
    )
)

SPLIT = declare(
    Declared("wmma.split", integer(2), (), "parts that a product's sums are taken in, each by blocks of its own")
)

DYNAMIC_SIZE = declare(
    Declared("wmma.dynamic_size", integer(1), ("builtin.module",), "the number that stands for a dynamic size")
)

DYNAMIC_GRID = declare(
    Declared(
        "wmma.dynamic_grid",
        integers(
            4, "an array of a dimension of the grid, and three positive sizes,", lambda given: min(given[1:]) >= 1
        ),
        _KERNEL,
        "the dimension of the grid that depends on the dynamic size n: times * ceil(n * row / step) blocks, said as "
        "[dimension, times, row, step]",
    )
)

FUSED = declare(
    Declared("wmma.fused", MARK, (), "the product and the softmax that it multiplies are computed by one kernel")
)

COMMENT = declare(
    Declared(
        "wmma.comment",
        TEXT,
        ("scf.for", "scf.if", "wmma.routine", "wmma.variable"),
        "what a part of a kernel does, for its readers",
    )
)
