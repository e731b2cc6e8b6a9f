"""Functions of the text itself around single PTX instructions that CUDA C++ has no name for."""

from __future__ import annotations

from vtac.dialects.mma.layouts import CORE_BYTES, MmaInstruction
from vtac.dialects.mma.ops import SORT


def ldmatrix_name(matrices: int, *, transposed: bool) -> str:
    """The function that loads so many matrices."""
    return f"ldmatrix_x{matrices}{'_trans' if transposed else ''}"


def ldmatrix_text(matrices: int, words: int, *, transposed: bool) -> list[str]:
    """The function that loads so many matrices into tiles of `words` registers each."""
    tiles = ["tile"] if matrices == words else [f"tile_{number}" for number in range(matrices // words)]
    registers = [f"{tile}[{word}]" for tile in tiles for word in range(words)]
    parameters = ", ".join(f"unsigned (&{tile})[{words}]" for tile in tiles)
    suffix = ".trans" if transposed else ""
    return [
        f"__device__ __forceinline__ void {ldmatrix_name(matrices, transposed=transposed)}({parameters}, "
        "unsigned row) {",
        f'  asm volatile("ldmatrix.sync.aligned.m8n8.x{matrices}{suffix}.shared.b16 '
        f'{_braces(0, matrices)}, [%{matrices}];"',
        f"               : {_operands('=r', registers)}",
        '               : "r"(row));',
        "}",
    ]


SORTING = "ldmatrix_x4_bytes"
"""The function that loads two tiles of bytes whose neighbours in memory are columns."""


def sorting_text() -> list[str]:
    """The function that transposes pairs of bytes, and sorts them: even columns to the first tile, odd to the second.

    Lanes whose number has bit 1 set have named other rows first, so their bytes come in another order.
    """
    first, second = SORT
    parts = [f"part[{number}]" for number in range(4)]
    sorted_words = [
        f"  tile_{tile}[{word}] = __byte_perm(part[{2 * word}], part[{2 * word + 1}], {name});"
        for tile, name in enumerate(("even", "odd"))
        for word in range(2)
    ]
    return [
        f"__device__ __forceinline__ void {SORTING}(unsigned (&tile_0)[2], unsigned (&tile_1)[2], unsigned row) {{",
        "  unsigned part[4];",
        f'  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {_braces(0, 4)}, [%4];"',
        f"               : {_operands('=r', parts)}",
        '               : "r"(row));',
        f"  const unsigned even = {first:#x} ^ (threadIdx.x & 2) * {(first ^ second) >> 1:#x};",
        "  const unsigned odd = even + 0x1111;",
        *sorted_words,
        "}",
    ]


def copy_name(size: int) -> str:
    """The function that copies so many bytes to shared memory, or zeros."""
    return f"copy_or_zeros_{size}"


def copy_text(size: int) -> list[str]:
    """The function that copies so many bytes in the background, or zeros instead of them."""
    cache = "cg" if size == CORE_BYTES else "ca"
    return [
        f"__device__ __forceinline__ void {copy_name(size)}(unsigned target, const void *source, bool present) {{",
        f'  asm volatile("cp.async.{cache}.shared.global [%0], [%1], {size}, %2;"',
        f'               :: "r"(target), "l"(__cvta_generic_to_global(source)), "r"(present ? {size} : 0)',
        '               : "memory");',
        "}",
    ]


def stmatrix_name(matrices: int, *, transposed: bool) -> str:
    """The function by which the lanes of a warp store so many matrices."""
    return f"stmatrix_x{matrices}{'_trans' if transposed else ''}"


def stmatrix_text(matrices: int, *, transposed: bool) -> list[str]:
    """That function: the row that a lane names, and its two elements of each matrix."""
    parts = [f"part_{number}" for number in range(matrices)]
    parameters = ", ".join(f"unsigned {part}" for part in parts)
    name, suffix = stmatrix_name(matrices, transposed=transposed), ".trans" if transposed else ""
    return [
        f"__device__ __forceinline__ void {name}(unsigned row, {parameters}) {{",
        f'  asm volatile("stmatrix.sync.aligned.m8n8.x{matrices}{suffix}.shared.b16 [%0], {_braces(1, matrices)};"',
        "               :",
        f'               : "r"(row), {_operands("r", parts)}',
        '               : "memory");',
        "}",
    ]


_PAIRED = {
    "f16": ("half", "half2", "__halves2half2"),
    "bf16": ("__nv_bfloat16", "__nv_bfloat162", "__halves2bfloat162"),
}


def paired_name(element: str) -> str:
    """The function that puts two elements of 16 bits into one register."""
    return f"paired_{element}"


def paired_text(element: str) -> list[str]:
    """That function; the first element lies in the lower half."""
    kind, both, make = _PAIRED[element]
    return [
        f"__device__ __forceinline__ unsigned {paired_name(element)}({kind} first, {kind} second) {{",
        f"  const {both} pair = {make}(first, second);",
        "  return *reinterpret_cast<const unsigned *>(&pair);",
        "}",
    ]


ROUND = "round_to_tf32"
"""The function that rounds what one register holds to tf32."""


def round_text() -> list[str]:
    """The function that rounds to 10 bits of mantissa; `mma.sync` alone would cut the others off."""
    return [
        f"__device__ __forceinline__ void {ROUND}(unsigned &word) {{",
        '  asm volatile("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(__uint_as_float(word)));',
        "}",
    ]


_PACKED = {"f16": ("half2", "__floats2half2_rn"), "bf16": ("__nv_bfloat162", "__floats2bfloat162_rn")}


def pack_name(element: str) -> str:
    """The function that rounds two numbers to an element type, in one register."""
    return f"pack_{element}"


def pack_text(element: str) -> list[str]:
    """The function that makes a register of A of two neighbouring sums."""
    kind, make = _PACKED[element]
    return [
        f"__device__ __forceinline__ unsigned {pack_name(element)}(float low, float high) {{",
        f"  const {kind} pair = {make}(low, high);",
        "  return *reinterpret_cast<const unsigned *>(&pair);",
        "}",
    ]


def mma_name(one: MmaInstruction) -> str:
    """The function that multiplies and adds one tile."""
    return f"mma_{one.shape}_{one.operand}_{one.accumulator}"


def mma_text(one: MmaInstruction, words: tuple[int, int, int]) -> list[str]:
    """The function of an instruction, whose operands take so many registers: sums, left, right."""
    kinds = {"f32": ("float", "+f"), "s32": ("int", "+r"), "f16": ("unsigned", "+r")}
    kind, constraint = kinds[one.accumulator]
    names = zip(("sums", "left", "right"), words, strict=True)
    sums, left, right = ([f"{name}[{at}]" for at in range(count)] for name, count in names)
    types = f"{one.accumulator}.{one.operand}.{one.operand}.{one.accumulator}"
    start = len(sums)
    groups = (_braces(0, start), _braces(start, len(left)), _braces(start + len(left), len(right)), _braces(0, start))
    return [
        f"__device__ __forceinline__ void {mma_name(one)}(",
        f"    {kind} (&sums)[{words[0]}], const unsigned (&left)[{words[1]}], const unsigned (&right)[{words[2]}]) {{",
        f'  asm volatile("mma.sync.aligned.{one.shape}.row.col.{types} "',
        f'               "{", ".join(groups)};"',
        f"               : {_operands(constraint, sums)}",
        f"               : {_operands('r', [*left, *right])});",
        "}",
    ]


def _braces(first: int, count: int) -> str:
    return "{" + ", ".join(f"%{number}" for number in range(first, first + count)) + "}"


def _operands(constraint: str, names: list[str]) -> str:
    return ", ".join(f'"{constraint}"({name})' for name in names)
