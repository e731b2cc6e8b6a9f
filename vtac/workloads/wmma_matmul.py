"""Matrix multiplication for tensor cores: row-major a, b and c."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING

from vtac.dialects.diagnostics import CompileError
from vtac.workloads.linalg_text import affine_map, iterators, require_multiple, tensor

if TYPE_CHECKING:
    from vtac.dialects.gpu_hardware import GpuArchitecture
    from vtac.schedule import Schedule

WARP = 32
VECTOR_BYTES = 16
_GROUP = 8
"""Most rows of blocks that share what the cache holds of b."""
COPY_BYTES = 4
"""The least that an asynchronous copy moves."""
FRAGMENTS = {"f16": (16, 16, 16), "bf16": (16, 16, 16), "s8": (8, 32, 16)}
"""Operand types, and the m x n x k of their fragments.

A tile in memory starts at a multiple of 32 bytes: 16 columns of two bytes, or 32 of one.
"""


@dataclass(frozen=True)
class MatmulTiling:
    """Warps per block, tiles per warp, tiles of k per step, and steps whose copies are under way.

    One stage copies and multiplies in turn; several copy in the background, to shared tiles
    whose rows keep out of each other's banks. `double_buffer` loads the fragments of the next
    tile of k while the last ones multiply; blocks take their tiles in groups of `group` rows
    of blocks.
    """

    row_warps: int = 2
    column_warps: int = 2
    row_tiles: int = 2
    column_tiles: int = 2
    chunk: int = 2
    stages: int = 1
    double_buffer: bool = False
    group: int = 1

    @property
    def threads(self) -> int:
        """Threads per block."""
        return self.row_warps * self.column_warps * WARP


@dataclass(frozen=True)
class WmmaMatmul:
    """c = a x b, with a m x k, b k x n; sizes count scalars.

    `bias` adds a row of n numbers, `relu` takes the maximum with zero afterwards. A k that is
    no multiple of a fragment's is padded with zeros, in the program; m and n must be
    multiples, because an accumulator is stored as a whole tile.
    """

    m: int = 1024
    n: int = 1024
    k: int = 1024
    element: str = "f16"
    bias: bool = False
    relu: bool = False

    def __post_init__(self) -> None:
        if self.element not in FRAGMENTS:
            raise CompileError(f"operands of type '{self.element}'; the types are {', '.join(FRAGMENTS)}")
        for name, size, tile in (("m", self.m, self.fragment[0]), ("n", self.n, self.fragment[1])):
            require_multiple(name, size, tile, f"the {self.element} fragment's {name}")
        if self.k < 1:
            raise CompileError(f"k is {self.k}; it must be positive")

    @property
    def padded_k(self) -> int:
        """k, rounded up to whole tiles."""
        depth = self.fragment[2]
        return -(-self.k // depth) * depth

    @property
    def fragment(self) -> tuple[int, int, int]:
        """m, n and k of a fragment."""
        return FRAGMENTS[self.element]

    @property
    def has_epilogue(self) -> bool:
        return self.bias or self.relu

    def default_tiling(self) -> MatmulTiling:
        """Two warps by two of 4 x 2 tiles where the shape divides by them, fewer where it does not.

        A block's tiles and its staged product then fit 48 KiB of shared memory.
        """
        m, n, k = self.fragment
        rows, columns, steps = self.m // m, self.n // n, self.padded_k // k
        row_tiles, column_tiles = gcd(rows, 4), gcd(columns, 2)
        chunk = 1 if self.element == "s8" else gcd(steps, 2)
        return MatmulTiling(gcd(rows // row_tiles, 2), gcd(columns // column_tiles, 2), row_tiles, column_tiles, chunk)

    def text(self) -> str:
        """The program as linalg text."""
        narrow, wide = self._types()
        shapes = ((self.m, self.k), (self.k, self.n), (self.m, self.n))
        a, b, c = tensor(shapes[0], narrow), tensor(shapes[1], narrow), tensor(shapes[2], wide)
        bias = f", %bias: {tensor((self.n,), wide)}" if self.bias else ""
        product = "product" if self.has_epilogue else "c"
        lines = [f"func.func @matmul(%a: {a}, %b: {b}{bias}) -> {c} {{"]
        left, right = self._pad(lines, "a", 1), self._pad(lines, "b", 0)
        zero = "0" if wide == "i32" else "0.0"
        maps = ", ".join(affine_map("i, j, k", it) for it in ("i, k", "k, j", "i, j"))
        lines += [
            f"  %zero = arith.constant {zero} : {wide}",
            f"  %empty = tensor.empty() : {c}",
            f"  %init = linalg.fill ins(%zero : {wide}) outs(%empty : {c}) -> {c}",
            f"  %{product} = linalg.generic {{indexing_maps = [{maps}], {iterators(2, 1)}}}",
            f"    ins(%{left[0]}, %{right[0]} : {left[1]}, {right[1]}) outs(%init : {c}) {{",
            *self._multiply(narrow, wide),
            f"  }} -> {c}",
        ]
        if self.has_epilogue:
            lines += self._epilogue(c, wide)
        return "\n".join([*lines, f"  func.return %c : {c}", "}"]) + "\n"

    def _types(self) -> tuple[str, str]:
        return ("i8", "i32") if self.element == "s8" else (self.element, "f32")

    def _pad(self, lines: list[str], name: str, dimension: int) -> tuple[str, str]:
        """Zeros along k up to a whole tile; the name and type of what is multiplied."""
        narrow, _ = self._types()
        shape = [self.m, self.k] if dimension == 1 else [self.k, self.n]
        source = tensor(shape, narrow)
        if self.k == self.padded_k:
            return name, source
        high = [0, 0]
        high[dimension] = self.padded_k - self.k
        shape[dimension] = self.padded_k
        padded = tensor(shape, narrow)
        value = "0" if narrow == "i8" else "0.0"
        lines += [
            f"  %{name}_zero = arith.constant {value} : {narrow}",
            f"  %{name}_pad = tensor.pad %{name} low[0, 0] high{high} {{",
            "  ^bb0(%p0: index, %p1: index):",
            f"    tensor.yield %{name}_zero : {narrow}",
            f"  }} : {source} to {padded}",
        ]
        return f"{name}_pad", padded

    def _multiply(self, narrow: str, wide: str) -> list[str]:
        extend, multiply, add = ("extsi", "muli", "addi") if self.element == "s8" else ("extf", "mulf", "addf")
        return [
            f"  ^bb0(%x: {narrow}, %w: {narrow}, %acc: {wide}):",
            f"    %xw = arith.{extend} %x : {narrow} to {wide}",
            f"    %ww = arith.{extend} %w : {narrow} to {wide}",
            f"    %mul = arith.{multiply} %xw, %ww : {wide}",
            f"    %sum = arith.{add} %acc, %mul : {wide}",
            f"    linalg.yield %sum : {wide}",
        ]

    def _epilogue(self, c: str, wide: str) -> list[str]:
        row, same = affine_map("i, j", "j"), affine_map("i, j", "i, j")
        maps = [same, row, same] if self.bias else [same, same]
        inputs = f"%product, %bias : {c}, {tensor((self.n,), wide)}" if self.bias else f"%product : {c}"
        arguments = f"%x: {wide}, %y: {wide}, %o: {wide}" if self.bias else f"%x: {wide}, %o: {wide}"
        integer = wide == "i32"
        lines = [
            f"  %c_empty = tensor.empty() : {c}",
            f"  %c = linalg.generic {{indexing_maps = [{', '.join(maps)}], {iterators(2)}}}",
            f"    ins({inputs}) outs(%c_empty : {c}) {{",
            f"  ^bb0({arguments}):",
        ]
        result = "%x"
        if self.bias:
            lines.append(f"    %biased = arith.{'addi' if integer else 'addf'} %x, %y : {wide}")
            result = "%biased"
        if self.relu:
            lines.append(f"    %least = arith.constant {'0' if integer else '0.0'} : {wide}")
            lines.append(f"    %relu = arith.{'maxsi' if integer else 'maximumf'} {result}, %least : {wide}")
            result = "%relu"
        return [*lines, f"    linalg.yield {result} : {wide}", f"  }} -> {c}"]

    def schedule(self, tiling: MatmulTiling | None = None) -> Schedule:
        """Shared tiles of a and b per step; the epilogue reads the product from shared memory."""
        from vtac.workloads.wmma_matmul_schedule import MatmulScheduler

        tiling = self.default_tiling() if tiling is None else tiling
        self._check(tiling)
        return MatmulScheduler(self, tiling).schedule()

    def fast_tiling(self, architecture: GpuArchitecture) -> MatmulTiling:
        """The largest pipelined tiling that the shape divides into and the architecture has room for.

        Raises `CompileError` when there is none; a padded k has none, because it is copied
        element by element.
        """
        if self.k == self.padded_k:
            for row_tiles, column_tiles, warps in ((4, 4, 2), (4, 2, 2), (2, 2, 2), (2, 2, 1), (1, 1, 1)):
                for stages in (4, 3, 2):
                    chunk = 1 if self.element == "s8" else 2
                    tiling = MatmulTiling(warps, warps, row_tiles, column_tiles, chunk, stages)
                    if self._fits(tiling, architecture):
                        row_blocks = self.m // self._parts(tiling)[0]
                        return replace(tiling, double_buffer=chunk > 1, group=gcd(row_blocks, _GROUP))
        raise CompileError(
            f"no pipelined tiling divides {self.m} x {self.n} x {self.k} of {self.element} on {architecture.name}: use "
            "the seed schedule"
        )

    def _fits(self, tiling: MatmulTiling, architecture: GpuArchitecture) -> bool:
        parts, width = self._parts(tiling), 1 if self.element == "s8" else 2
        sizes = (self.m, self.n, self.padded_k)
        divides = all(size % part == 0 for size, part in zip(sizes, parts, strict=True))
        rows, columns, depth = parts
        least = COPY_BYTES // width * tiling.threads
        staged = tiling.stages * width * (rows * (depth + VECTOR_BYTES) + depth * (columns + VECTOR_BYTES))
        shared = staged + (4 * rows * columns if self.has_epilogue else 0)
        return (
            divides
            and rows * depth % least == 0
            and depth * columns % least == 0
            and self.k // depth >= tiling.stages
            and shared <= architecture.shared_bytes_per_block
        )

    def _parts(self, tiling: MatmulTiling) -> tuple[int, int, int]:
        """What a block computes at a time: rows, columns, and elements of k."""
        m, n, k = self.fragment
        return m * tiling.row_warps * tiling.row_tiles, n * tiling.column_warps * tiling.column_tiles, k * tiling.chunk

    def _check(self, tiling: MatmulTiling) -> None:
        sizes = (self.m, self.n, self.padded_k)
        for name, size, part in zip("mnk", sizes, self._parts(tiling), strict=True):
            if size % part:
                raise CompileError(
                    f"{name} is {size}, no multiple of the {part} that a block computes at a time: choose fewer "
                    "warps or tiles, or a shape that divides"
                )
