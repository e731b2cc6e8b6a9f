"""Matrix multiplication for tensor cores: row-major a, b and c."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

from vtac.dialects.diagnostics import CompileError
from vtac.workloads.linalg_text import affine_map, iterators, require_multiple, tensor

if TYPE_CHECKING:
    from vtac.schedule import BlockRef, LoopRef, Schedule

WARP = 32
VECTOR_BYTES = 16
FRAGMENTS = {"f16": (16, 16, 16), "bf16": (16, 16, 16), "s8": (8, 32, 16)}
"""Operand types, and the m x n x k of their fragments.

A tile in memory starts at a multiple of 32 bytes: 16 columns of two bytes, or 32 of one.
"""


@dataclass(frozen=True)
class MatmulTiling:
    """Warps per block, tiles per warp, and tiles of k per step."""

    row_warps: int = 2
    column_warps: int = 2
    row_tiles: int = 2
    column_tiles: int = 2
    chunk: int = 2

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
        tiling = self.default_tiling() if tiling is None else tiling
        self._check(tiling)
        return _Scheduler(self, tiling).schedule()

    def _check(self, tiling: MatmulTiling) -> None:
        m, n, k = self.fragment
        wanted = (
            ("m", self.m, m * tiling.row_warps * tiling.row_tiles),
            ("n", self.n, n * tiling.column_warps * tiling.column_tiles),
            ("k", self.padded_k, k * tiling.chunk),
        )
        for name, size, part in wanted:
            if size % part:
                raise CompileError(
                    f"{name} is {size}, no multiple of the {part} that a block computes at a time: choose fewer "
                    "warps or tiles, or a shape that divides"
                )


class _Scheduler:
    """Schedules one product with one tiling."""

    def __init__(self, layer: WmmaMatmul, tiling: MatmulTiling) -> None:
        from vtac.schedule import Schedule

        self.layer = layer
        self.tiling = tiling
        self.script = Schedule(layer.text())

    def schedule(self) -> Schedule:
        script, layer = self.script, self.layer
        padded = layer.k != layer.padded_k
        for name in ("a_pad", "b_pad") if padded else ():
            script.compute_inline(script.get_block(name))
        product = script.get_block("product" if layer.has_epilogue else "c")
        shared = [script.cache_read(product, index, "shared") for index in (0, 1)]
        a = script.cache_read(product, 0, "wmma.matrix_a")
        b = script.cache_read(product, 1, "wmma.matrix_b")
        store = script.cache_write(product, 0, "wmma.accumulator")
        if layer.has_epilogue:
            rows, columns = self._share_product(store)
        else:
            rows, columns = self._block_loops(*script.get_loops(store))
        script.compute_at(product, self._warp_loops(rows, columns))
        step = self._multiply_loops(product, a, b)
        # Where k is padded, every element decides for itself whether it is a zero.
        lanes = 1 if padded else VECTOR_BYTES // (1 if layer.element == "s8" else 2)
        for copy in shared:
            script.compute_at(copy, step)
            self._share_copy(copy, lanes)
        return script

    def _block_loops(self, rows: LoopRef, columns: LoopRef) -> tuple[LoopRef, LoopRef]:
        """Give blocks their part of c; the loops over one block's rows and columns."""
        script, tiling = self.script, self.tiling
        m, n, _ = self.layer.fragment
        row_block, rows = script.split(rows, factor=m * tiling.row_warps * tiling.row_tiles)
        column_block, columns = script.split(columns, factor=n * tiling.column_warps * tiling.column_tiles)
        script.reorder(row_block, column_block, rows, columns)
        script.bind(row_block, "blockIdx.y")
        script.bind(column_block, "blockIdx.x")
        return rows, columns

    def _warp_loops(self, rows: LoopRef, columns: LoopRef) -> LoopRef:
        """Give warps their fragments and store those; the innermost loop over warps."""
        script, tiling = self.script, self.tiling
        m, n, _ = self.layer.fragment
        row_warp, rows = script.split(rows, factor=m * tiling.row_tiles)
        column_warp, columns = script.split(columns, factor=n * tiling.column_tiles)
        rows, row = script.split(rows, factor=m)
        columns, column = script.split(columns, factor=n)
        script.reorder(row_warp, column_warp, rows, columns, row, column)
        script.bind(row_warp, "threadIdx.y")
        script.bind(column_warp, "threadIdx.z")
        script.tensorize(row, "wmma.store_matrix_sync")
        return column_warp

    def _share_product(self, store: BlockRef) -> tuple[LoopRef, LoopRef]:
        """Stage a block's product in shared memory for the epilogue's threads."""
        script = self.script
        epilogue = script.get_block("c")
        script.set_scope(store, "shared")
        rows, columns = self._block_loops(*script.get_loops(epilogue))
        _, column_block, *_ = script.get_loops(epilogue)
        script.compute_at(store, column_block)
        self._spread(script.fuse(rows, columns))
        *_, rows, columns = script.get_loops(store)
        return rows, columns

    def _multiply_loops(self, product: BlockRef, a: BlockRef, b: BlockRef) -> LoopRef:
        """One mma_sync per pair of fragments; the loop over steps of k."""
        script = self.script
        m, n, depth = self.layer.fragment
        *_, rows, columns, k = script.get_loops(product)
        rows, row = script.split(rows, factor=m)
        columns, column = script.split(columns, factor=n)
        step, k = script.split(k, factor=depth * self.tiling.chunk)
        k, lane = script.split(k, factor=depth)
        script.reorder(step, k, rows, columns, row, column, lane)
        script.compute_at(a, k)
        *_, outer, _ = script.get_loops(a)
        _, tile = script.split(outer, factor=m)
        script.tensorize(tile, "wmma.load_matrix_sync")
        script.compute_at(b, k)
        *_, outer, inner = script.get_loops(b)
        tiles, tile = script.split(inner, factor=n)
        script.reorder(tiles, outer, tile)
        script.tensorize(outer, "wmma.load_matrix_sync")
        script.tensorize(row, "wmma.mma_sync")
        return step

    def _share_copy(self, copy: BlockRef, lanes: int) -> None:
        """Spread a copy to shared memory over the block's threads, `lanes` elements each at a time."""
        script = self.script
        *_, rows, columns = script.get_loops(copy)
        while lanes > 1 and rows.extent * columns.extent % (lanes * self.tiling.threads):
            lanes //= 2
        if lanes > 1:
            columns, vector = script.split(columns, factor=lanes)
            script.vectorize(vector)
        self._spread(script.fuse(rows, columns))

    def _spread(self, loop: LoopRef) -> None:
        """Let all threads of a block take turns at a loop's iterations."""
        script = self.script
        _, rest = script.split(loop, factor=self.tiling.threads)
        row_warp, rest = script.split(rest, nparts=self.tiling.row_warps)
        column_warp, lane = script.split(rest, factor=WARP)
        script.bind(row_warp, "threadIdx.y")
        script.bind(column_warp, "threadIdx.z")
        script.bind(lane, "threadIdx.x")
