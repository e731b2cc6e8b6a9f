"""Hardware records of GPU architectures with tensor cores, and all that follows from them.

Plain Python, so that every floor of the compiler can read it without cost. The figures are
those of the CUDA programming guide's tables of compute capabilities and of the occupancy
calculator that ships with CUDA.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType
from typing import Literal

from vtac.errors import ConfigError

OperandType = Literal["f16", "bf16", "tf32", "s8", "u8"]
AccumulatorType = Literal["f16", "f32", "s32"]

_KIB = 1024
STATIC_SHARED_BYTES = 48 * _KIB
"""Shared memory that a kernel has without asking for more, on every architecture: CUDA's rule."""
WARP_SIZE = 32
"""Threads of a warp, the same on every architecture with tensor cores."""
_NAME = re.compile(r"sm_(\d{2,3})a?")
_ACCUMULATORS: Mapping[str, tuple[AccumulatorType, ...]] = MappingProxyType(
    {"f16": ("f16", "f32"), "bf16": ("f32",), "tf32": ("f32",), "s8": ("s32",), "u8": ("s32",)}
)
Shape = tuple[int, int, int]
"""m, n and k of a fragment."""
_SHAPES_16: tuple[Shape, ...] = ((16, 16, 16), (32, 8, 16), (8, 32, 16))
SHAPES: Mapping[OperandType, tuple[Shape, ...]] = MappingProxyType(
    {"f16": _SHAPES_16, "bf16": _SHAPES_16, "tf32": ((16, 16, 8),), "s8": _SHAPES_16, "u8": _SHAPES_16}
)
"""The m x n x k of `nvcuda::wmma` by operand type, most even first: all that needs to know a shape asks here."""
ELEMENT_BYTES: Mapping[str, int] = MappingProxyType(
    {"f16": 2, "bf16": 2, "tf32": 4, "f32": 4, "s8": 1, "u8": 1, "s32": 4}
)
"""Bytes of one element in memory, by the name that fragments have for its type."""
INTEGER_COLUMNS = (8, 16, 24, *range(32, 257, 16))
"""n of products of a warpgroup with integers."""
WARPGROUP_SHAPES: tuple[str, ...] = (
    *(f"m64n{n}k{k}" for k in (16, 8) for n in range(8, 257, 8)),
    *(f"m64n{n}k32" for n in INTEGER_COLUMNS),
)
"""Shapes of `wgmma`, of 16 bits, tf32 and integers, as PTX writes them."""
TILE_BYTES = 32
"""A tile in memory starts at a multiple of so many bytes (the CUDA programming guide's rule for wmma loads)."""


@dataclass(frozen=True, slots=True)
class TensorCoreOperation:
    """One warp-wide D = A * B + C: A is m x k, B is k x n, C and D are m x n.

    `operand` is the element type of A and B, `accumulator` that of C and D. Raises
    `ConfigError` for a combination that CUDA's `nvcuda::wmma` does not have.
    """

    m: int
    n: int
    k: int
    operand: OperandType
    accumulator: AccumulatorType

    def __post_init__(self) -> None:
        accumulators = _ACCUMULATORS.get(self.operand)
        if accumulators is None:
            raise ConfigError(f"fragment operands of type {self.operand}: the types are {', '.join(_ACCUMULATORS)}")
        shapes = SHAPES[self.operand]
        if (self.m, self.n, self.k) not in shapes:
            known = ", ".join("x".join(map(str, shape)) for shape in shapes)
            raise ConfigError(f"fragments of {self.m}x{self.n}x{self.k} {self.operand}: the m x n x k are {known}")
        if self.accumulator not in accumulators:
            raise ConfigError(
                f"{self.operand} operands with {self.accumulator} accumulators: "
                f"{self.operand} accumulates in {' or '.join(accumulators)}"
            )


def _operations(*operands: OperandType) -> tuple[TensorCoreOperation, ...]:
    return tuple(
        TensorCoreOperation(m, n, k, operand, accumulator)
        for operand in operands
        for m, n, k in SHAPES[operand]
        for accumulator in _ACCUMULATORS[operand]
    )


def shape_for_tiles(operand: OperandType, *, of_rows: bool) -> Shape:
    """The first shape whose tiles can lie side by side in memory, each at a multiple of 32 bytes.

    `of_rows`: neighbours in memory are neighbouring rows of A, so a tile is m elements wide; else they are
    columns of B, n elements wide. Raises `ConfigError` for an operand type without such a shape.
    """
    for shape in SHAPES.get(operand, ()):
        if shape[0 if of_rows else 1] * ELEMENT_BYTES[operand] % TILE_BYTES == 0:
            return shape
    raise ConfigError(f"no fragment of {operand} operands has tiles that start at multiples of {TILE_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class GpuArchitecture:
    """What one GPU architecture offers a kernel; sizes in bytes, registers of 32 bits.

    `shared_bytes_per_block` needs the opt-in launch attribute; without it a block has
    `static_shared_bytes_per_block`. `asynchronous_copy` says whether the hardware has cp.async;
    without it the same calls copy through registers. `warpgroup_products` says whether four warps multiply together
    (`wgmma`); an `a` at the end of a name stands for instructions that later architectures do not have. Raises
    `ConfigError` when a field contradicts another.
    """

    name: str
    shared_bytes_per_sm: int
    shared_bytes_per_block: int
    threads_per_sm: int
    blocks_per_sm: int
    operations: tuple[TensorCoreOperation, ...]
    asynchronous_copy: bool = True
    reserved_shared_bytes_per_block: int = _KIB
    shared_granularity: int = 128
    static_shared_bytes_per_block: int = STATIC_SHARED_BYTES
    threads_per_block: int = 1024
    registers_per_sm: int = 65536
    registers_per_thread: int = 255
    register_granularity_per_warp: int = 256
    partitions_per_sm: int = 4
    warp_size: int = WARP_SIZE
    warpgroup_products: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"architecture {self.name!r}: the name is sm_ and the compute capability, as in sm_90 or sm_90a"
            )
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and field.name != "reserved_shared_bytes_per_block" and value < 0:
                raise ConfigError(f"{self.name}: {field.name} is {value}; it cannot be negative")
        if self.shared_bytes_per_block + self.reserved_shared_bytes_per_block > self.shared_bytes_per_sm:
            raise ConfigError(
                f"{self.name}: a block's {self.shared_bytes_per_block} bytes of shared memory and the "
                f"{self.reserved_shared_bytes_per_block} reserved exceed the multiprocessor's "
                f"{self.shared_bytes_per_sm}"
            )
        if self.static_shared_bytes_per_block > self.shared_bytes_per_block:
            raise ConfigError(f"{self.name}: a block's static shared memory exceeds its opt-in maximum")
        if self.threads_per_sm % self.warp_size or self.threads_per_block % self.warp_size:
            raise ConfigError(f"{self.name}: thread limits must be multiples of the warp size {self.warp_size}")
        if not self.operations:
            raise ConfigError(f"{self.name}: no tensor-core operation; such an architecture is no target")

    def __repr__(self) -> str:
        return f"<GpuArchitecture {self.name}>"

    @property
    def compute_capability(self) -> tuple[int, int]:
        """(major, minor): sm_90 and sm_90a are (9, 0)."""
        digits = self.name.removeprefix("sm_").removesuffix("a")
        return int(digits[:-1]), int(digits[-1])

    def supports(self, operation: TensorCoreOperation) -> bool:
        return operation in self.operations

    def resident_blocks(self, threads: int, registers: int, shared_bytes: int) -> int:
        """Blocks that one multiprocessor holds at once; 0 when a single one does not fit.

        `registers` are per thread, `shared_bytes` static and dynamic together. The rule is
        the occupancy calculator's: registers are given to warps and shared memory to blocks
        in granules, and each partition of the multiprocessor has its own registers.
        """
        too_large = threads > self.threads_per_block or shared_bytes > self.shared_bytes_per_block
        if too_large or threads < 1 or registers > self.registers_per_thread:
            return 0
        warps = -(-threads // self.warp_size)
        limits = [self.blocks_per_sm, self.threads_per_sm // (warps * self.warp_size)]
        if registers:
            limits.append(self._resident_warps(registers) // warps)
        reserved = shared_bytes + self.reserved_shared_bytes_per_block
        if reserved:
            limits.append(self.shared_bytes_per_sm // _round_up(reserved, self.shared_granularity))
        return min(limits)

    def _resident_warps(self, registers: int) -> int:
        per_warp = _round_up(registers * self.warp_size, self.register_granularity_per_warp)
        return self.registers_per_sm // self.partitions_per_sm // per_warp * self.partitions_per_sm


def _round_up(value: int, granule: int) -> int:
    return -(-value // granule) * granule


@cache
def gpu_architectures() -> Mapping[str, GpuArchitecture]:
    """Every known architecture by name, oldest first."""
    all_types = _operations("f16", "bf16", "tf32", "s8", "u8")
    turing = GpuArchitecture(
        "sm_75",
        64 * _KIB,
        64 * _KIB,
        1024,
        16,
        _operations("f16", "s8", "u8"),
        asynchronous_copy=False,
        reserved_shared_bytes_per_block=0,
        shared_granularity=256,
    )
    # name, shared KiB per multiprocessor, shared KiB per block, threads, blocks
    later = (
        ("sm_80", 164, 163, 2048, 32),
        ("sm_86", 100, 99, 1536, 16),
        ("sm_87", 164, 163, 1536, 16),
        ("sm_89", 100, 99, 1536, 24),
        ("sm_90", 228, 227, 2048, 32),
        ("sm_90a", 228, 227, 2048, 32),
        ("sm_100", 228, 227, 2048, 32),
        ("sm_100a", 228, 227, 2048, 32),
        ("sm_103", 228, 227, 2048, 32),
        ("sm_110", 228, 227, 1536, 24),
        ("sm_120", 100, 99, 1536, 24),
        ("sm_120a", 100, 99, 1536, 24),
        ("sm_121", 100, 99, 1536, 24),
    )
    records = [turing] + [
        GpuArchitecture(
            name, shared * _KIB, block * _KIB, threads, blocks, all_types, warpgroup_products=name == "sm_90a"
        )
        for name, shared, block, threads, blocks in later
    ]
    return MappingProxyType({record.name: record for record in records})


def gpu_architecture(name: str) -> GpuArchitecture:
    """The record of an architecture such as `sm_90`; `ConfigError` lists the known ones."""
    record = gpu_architectures().get(name)
    if record is None:
        raise ConfigError(f"architecture {name!r} is not known; the known ones are {', '.join(gpu_architectures())}")
    return record
