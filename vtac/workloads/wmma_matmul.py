"""Matrix multiplication for tensor cores: row-major a, b and c."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import gcd
from typing import TYPE_CHECKING

from vtac.dialects.diagnostics import CompileError
from vtac.workloads.linalg_text import affine_map, iterators, tensor

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

    `bias` adds a row of n numbers, `relu` takes the maximum with zero afterwards. Sizes that
    are no multiples of a fragment's are padded with zeros, in the program; where m or n is, the
    product is one tile of the padded size, which `packing.unpack` crops.
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
        for name, size in (("m", self.m), ("n", self.n), ("k", self.k)):
            if size < 1:
                raise CompileError(f"{name} is {size}; it must be positive")

    @property
    def padded(self) -> tuple[int, int, int]:
        """m, n and k, rounded up to whole tiles."""
        m, n, k = self.fragment
        return _rounded(self.m, m), _rounded(self.n, n), -(-self.k // k) * k

    @property
    def lanes(self) -> int:
        """Elements of a or b that one 16-byte copy moves."""
        return VECTOR_BYTES // (1 if self.element == "s8" else 2)

    @property
    def cropped(self) -> bool:
        """Whether the padded product is larger than c."""
        return (self.m, self.n) != self.padded[:2]

    @property
    def staged(self) -> bool:
        """Whether the product passes through shared memory, for an epilogue or to be cropped."""
        return self.has_epilogue or self.cropped

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
        rows, columns, steps = (size // tile for size, tile in zip(self.padded, (m, n, k), strict=True))
        row_tiles, column_tiles = gcd(rows, 4), gcd(columns, 2)
        chunk = 1 if self.element == "s8" else gcd(steps, 2)
        return MatmulTiling(gcd(rows // row_tiles, 2), gcd(columns // column_tiles, 2), row_tiles, column_tiles, chunk)

    def text(self) -> str:
        """The program as linalg text."""
        narrow, wide = self._types()
        a, b = tensor((self.m, self.k), narrow), tensor((self.k, self.n), narrow)
        c = tensor((self.m, self.n), wide)
        bias = f", %bias: {tensor((self.n,), wide)}" if self.bias else ""
        m, n, k = self.padded
        lines = [f"func.func @matmul(%a: {a}, %b: {b}{bias}) -> {c} {{"]
        left, right = self._pad(lines, "a", (self.m, self.k), (m, k)), self._pad(lines, "b", (self.k, self.n), (k, n))
        whole, loops = self._whole()
        zero = "0" if wide == "i32" else "0.0"
        maps = ", ".join(affine_map(f"{loops}, k", it) for it in ("i, k", "k, j", loops))
        product = "product" if self.staged else "c"
        lines += [
            f"  %zero = arith.constant {zero} : {wide}",
            f"  %empty = tensor.empty() : {whole}",
            f"  %init = linalg.fill ins(%zero : {wide}) outs(%empty : {whole}) -> {whole}",
            f"  %{product} = linalg.generic {{indexing_maps = [{maps}], {iterators(loops.count(',') + 1, 1)}}}",
            f"    ins(%{left[0]}, %{right[0]} : {left[1]}, {right[1]}) outs(%init : {whole}) {{",
            *self._multiply(narrow, wide),
            f"  }} -> {whole}",
        ]
        if self.has_epilogue:
            lines += self._epilogue(lines, wide)
        if self.cropped:
            layout = f"dims [0, 1] tiles [{m}, {n}] order [0, 1]"
            source = "epilogue" if self.has_epilogue else "product"
            lines.append(f"  %c = packing.unpack %{source} {layout} : {whole} to {c}")
        return "\n".join([*lines, f"  func.return %c : {c}", "}"]) + "\n"

    def _whole(self) -> tuple[str, str]:
        """Type of the padded product, and its loops: as one tile where it is cropped."""
        m, n, _ = self.padded
        wide = self._types()[1]
        return (tensor((1, 1, m, n), wide), "u, v, i, j") if self.cropped else (tensor((m, n), wide), "i, j")

    def _types(self) -> tuple[str, str]:
        return ("i8", "i32") if self.element == "s8" else (self.element, "f32")

    def _pad(
        self, lines: list[str], name: str, shape: tuple[int, ...], padded: tuple[int, ...], kind: str = ""
    ) -> tuple[str, str]:
        """Zeros up to whole tiles; the name and type of what is computed with."""
        element = kind or self._types()[0]
        source, result = tensor(shape, element), tensor(padded, element)
        if shape == padded:
            return name, source
        high = [new - old for new, old in zip(padded, shape, strict=True)]
        indices = ", ".join(f"%p{dimension}: index" for dimension in range(len(shape)))
        lines += [
            f"  %{name}_zero = arith.constant {'0' if element.startswith('i') else '0.0'} : {element}",
            f"  %{name}_pad = tensor.pad %{name} low{[0] * len(shape)} high{high} {{",
            f"  ^bb0({indices}):",
            f"    tensor.yield %{name}_zero : {element}",
            f"  }} : {source} to {result}",
        ]
        return f"{name}_pad", result

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

    @property
    def pads(self) -> tuple[str, ...]:
        """The blocks that pad a and b."""
        m, n, k = self.padded
        left, right = (self.m, self.k) != (m, k), (self.k, self.n) != (k, n)
        return tuple(name for name, pads in (("a_pad", left), ("b_pad", right)) if pads)

    def _epilogue(self, before: list[str], wide: str) -> list[str]:
        c, loops = self._whole()
        row, same = affine_map(loops, "j"), affine_map(loops, loops)
        maps = [same, row, same] if self.bias else [same, same]
        inputs = f"%product : {c}"
        if self.bias:
            bias, kind = self._pad(before, "bias", (self.n,), self.padded[1:2], wide)
            inputs = f"%product, %{bias} : {c}, {kind}"
        arguments = f"%x: {wide}, %y: {wide}, %o: {wide}" if self.bias else f"%x: {wide}, %o: {wide}"
        integer = wide == "i32"
        lines = [
            f"  %c_empty = tensor.empty() : {c}",
            f"  %{'epilogue' if self.cropped else 'c'} = linalg.generic {{indexing_maps = [{', '.join(maps)}], "
            f"{iterators(loops.count(',') + 1)}}}",
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

        Raises `CompileError` when there is none; a k or n that ends within a vector has none,
        because such rows are copied element by element.
        """
        if self.n % self.lanes == 0 and self.k % self.lanes == 0:
            shapes = ((4, 4, 2), (4, 2, 2), (2, 2, 2), (2, 2, 1), (1, 1, 1))
            for chunk, (row_tiles, column_tiles, warps) in product((1,) if self.element == "s8" else (2, 1), shapes):
                for stages in (4, 3, 2):
                    tiling = MatmulTiling(warps, warps, row_tiles, column_tiles, chunk, stages)
                    if self._fits(tiling, architecture):
                        row_blocks = self.padded[0] // self._parts(tiling)[0]
                        return replace(tiling, double_buffer=chunk > 1, group=gcd(row_blocks, _GROUP))
        raise CompileError(
            f"no pipelined tiling divides {self.m} x {self.n} x {self.k} of {self.element} on {architecture.name}: use "
            "the seed schedule"
        )

    def _fits(self, tiling: MatmulTiling, architecture: GpuArchitecture) -> bool:
        parts, width = self._parts(tiling), 1 if self.element == "s8" else 2
        divides = all(size % part == 0 for size, part in zip(self.padded, parts, strict=True))
        rows, columns, depth = parts
        least = COPY_BYTES // width * tiling.threads
        staged = tiling.stages * width * (rows * (depth + VECTOR_BYTES) + depth * (columns + VECTOR_BYTES))
        shared = staged + (4 * rows * columns if self.staged else 0)
        return (
            divides
            and rows * depth % least == 0
            and depth * columns % least == 0
            and self.padded[2] // depth >= tiling.stages
            and shared <= architecture.shared_bytes_per_block
        )

    def _parts(self, tiling: MatmulTiling) -> tuple[int, int, int]:
        """What a block computes at a time: rows, columns, and elements of k."""
        m, n, k = self.fragment
        return m * tiling.row_warps * tiling.row_tiles, n * tiling.column_warps * tiling.column_tiles, k * tiling.chunk

    def _check(self, tiling: MatmulTiling) -> None:
        for name, size, part in zip("mnk", self.padded, self._parts(tiling), strict=True):
            if size % part:
                raise CompileError(
                    f"{name} is {size}, no multiple of the {part} that a block computes at a time: choose fewer "
                    "warps or tiles, or a shape that divides"
                )


def _rounded(size: int, tile: int) -> int:
    """A multiple of the tile; where the size is none, of several tiles if that adds no more than an eighth."""
    whole = -(-size // tile) * tile
    if whole == size:
        return size
    groups = (-(-size // (tile * count)) * tile * count for count in (8, 4, 2))
    return next((padded for padded in groups if 8 * padded <= 9 * size), whole)
