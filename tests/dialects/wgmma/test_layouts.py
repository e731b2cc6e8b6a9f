"""The records of a warpgroup's sums and of matrices in shared memory against the formulas of the PTX manual."""

from __future__ import annotations

from itertools import product

import pytest

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARPGROUP_SHAPES
from vtac.dialects.mma.attributes import Tiles
from vtac.dialects.mma.shared_layouts import SharedLayout
from vtac.dialects.wgmma.layouts import WarpgroupLayout, WgmmaInstruction, columns_of, instruction_of
from vtac.dialects.wgmma.matrices import SharedMatrix, decode
from vtac.errors import ConfigError


@pytest.mark.parametrize("n", [8, 24, 96, 256])
@pytest.mark.parametrize(("operand", "accumulator"), [("f16", "f32"), ("f16", "f16"), ("tf32", "f32"), ("bf16", "f32")])
def test_the_sums_lie_as_in_the_manual(n: int, operand: str, accumulator: str) -> None:
    places = WgmmaInstruction(n, operand, accumulator).layout.places
    assert len(places) == 128
    for thread, own in enumerate(places):
        warp, lane = divmod(thread, 32)
        wanted = [
            (16 * warp + lane // 4 + 8 * (i // 2 % 2), 8 * (i // 4) + lane % 4 * 2 + i % 2) for i in range(n // 2)
        ]
        assert list(own) == wanted


def test_instructions_by_their_names() -> None:
    assert instruction_of("m64n256k16", "f16", "f32") == WgmmaInstruction(256, "f16", "f32")
    assert instruction_of("m64n64k32", "u8", "s32") == WgmmaInstruction(64, "u8", "s32")
    assert instruction_of("m64n40k32", "s8", "s32") is None
    assert instruction_of("m64n64k8", "f16", "f32") is None
    assert instruction_of("m64n264k16", "f16", "f32") is None
    assert columns_of("m16n8k16") is None
    shapes = {
        WgmmaInstruction(n, operand, sums).shape
        for n in range(8, 257, 8)
        for operand, sums in (("f16", "f32"), ("tf32", "f32"), ("s8", "s32"))
        if operand != "s8" or n in (8, 24) or n % 16 == 0
    }
    assert set(WARPGROUP_SHAPES) == shapes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((256, "f64", "f32"), "wgmma of f64: the operand types are f16, bf16, tf32, s8, u8"),
        ((256, "bf16", "f16"), "wgmma of bf16 added up in f16: bf16 is added up in f32"),
        ((264, "f16", "f32"), "wgmma with n 264: n is a multiple of 8 from 8 to 256"),
        ((12, "f16", "f32"), "wgmma with n 12: n is a multiple of 8 from 8 to 256"),
        ((40, "s8", "s32"), "wgmma of s8 with n 40: n is 8, 24 or a multiple of 16"),
    ],
)
def test_what_ptx_does_not_have(arguments: tuple[int, str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        WgmmaInstruction(*arguments)
    assert str(caught.value) == message


def test_sums_with_two_places_are_no_layout() -> None:
    with pytest.raises(ConfigError, match="a layout of 64 x 16 sums over a warpgroup: 512 of its 512 places"):
        WarpgroupLayout(Tiles("accumulator", "m16n8k16", "f32", 1), 16)


@pytest.mark.parametrize("swizzle", [0, 32, 64, 128])
def test_descriptors_are_read_back(swizzle: int) -> None:
    matrix = SharedMatrix("f16", "mn_major", swizzle, 8192, 1024)
    assert decode(matrix.encode(0x2C400), "f16", "mn_major") == (0x2C400, matrix)


def test_the_bits_of_a_descriptor() -> None:
    bits = SharedMatrix("bf16", "k_major", 128, 16, 1024).encode(2048)
    assert bits == 1 << 62 | 64 << 32 | 1 << 16 | 128


@pytest.mark.parametrize(("element", "swizzle"), list(product(("f16", "tf32", "s8"), (32, 64, 128))))
def test_rows_along_k_lie_where_swizzled_copies_put_them(element: str, swizzle: int) -> None:
    width = ELEMENT_BYTES[element]
    layout, matrix = SharedLayout(swizzle, swizzle), SharedMatrix(element, "k_major", swizzle, 16, 8 * swizzle)
    for row, k in product(range(64), range(swizzle // width)):
        assert matrix.swizzled(matrix.place(row, k)) == layout.place(row * swizzle + k * width)


@pytest.mark.parametrize("swizzle", [32, 64, 128])
def test_rows_along_n_lie_where_panels_of_copies_put_them(swizzle: int) -> None:
    rows, columns = 64, 256
    layout = SharedLayout(2 * columns, swizzle, rows)
    assert not layout.problem()
    matrix = SharedMatrix("f16", "mn_major", swizzle, rows * swizzle, 8 * swizzle)
    for n, k in product(range(columns), range(rows)):
        assert matrix.swizzled(matrix.place(n, k)) == layout.place(2 * (k * columns + n))


def test_matrices_without_a_swizzle_are_blocks_of_eight_rows() -> None:
    by_k = SharedMatrix("f16", "k_major", 0, 128, 256)
    assert [by_k.place(0, 8), by_k.place(1, 0), by_k.place(8, 0), by_k.place(0, 3)] == [128, 16, 256, 6]
    by_n = SharedMatrix("f16", "mn_major", 0, 128, 256)
    assert [by_n.place(0, 8), by_n.place(0, 1), by_n.place(8, 0), by_n.place(3, 0)] == [128, 16, 256, 6]


def test_panels_are_whole_periods() -> None:
    assert SharedLayout(512, 128, 12).problem() == (
        "panels of 12 rows; the orders of chunks begin anew every 1024 bytes"
    )
    assert SharedLayout(512, 0, 16).problem() == "panels without a swizzle; a panel has rows of 16, 32, 64 or 128 bytes"
    assert SharedLayout(512, 16).problem() == "a swizzle of 16 bytes; 32, 64 or 128 are possible, or 0 for none"
    assert SharedLayout(64, 16, 12).problem() == ("panels of 12 rows; the orders of chunks begin anew every 128 bytes")


@pytest.mark.parametrize("major", ["k_major", "mn_major"])
def test_panels_of_one_chunk_are_matrices_without_a_swizzle(major: str) -> None:
    """Of 64 rows: by k_major chunks of k lie a panel apart, by mn_major those of n."""
    rows, columns = 64, 128
    layout = SharedLayout(2 * columns, 16, rows)
    assert not layout.problem()
    assert (layout.span, layout.period) == (0, 128)
    by_k = major == "k_major"
    matrix = SharedMatrix("f16", major, 0, *((16 * rows, 128) if by_k else (128, 16 * rows)))
    for row, column in product(range(rows), range(columns)):
        place = matrix.place(row, column) if by_k else matrix.place(column, row)
        assert matrix.swizzled(place) == layout.place(2 * (row * columns + column))
