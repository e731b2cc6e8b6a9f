"""The records of what lies where against the formulas of the PTX manual; layouts of shared memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtac.dialects.mma.layouts import INSTRUCTIONS, LaneLayout, MmaInstruction, instruction_of
from vtac.dialects.mma.shared_layouts import CHUNK, SharedLayout
from vtac.errors import ConfigError


def of_a_16_bits(lane: int, i: int) -> tuple[int, int]:
    return lane // 4 + (8 if i in (2, 3, 6, 7) else 0), lane % 4 * 2 + i % 2 + (8 if i >= 4 else 0)


def of_b_16_bits(lane: int, i: int) -> tuple[int, int]:
    return lane % 4 * 2 + i % 2 + (8 if i >= 2 else 0), lane // 4


def of_a_8_bits(lane: int, i: int) -> tuple[int, int]:
    return lane // 4 + (0 if i < 4 or 8 <= i < 12 else 8), lane % 4 * 4 + i % 4 + (16 if i >= 8 else 0)


def of_b_8_bits(lane: int, i: int) -> tuple[int, int]:
    return lane % 4 * 4 + i % 4 + (16 if i >= 4 else 0), lane // 4


def of_a_tf32(lane: int, i: int) -> tuple[int, int]:
    return lane // 4 + (8 if i in (1, 3) else 0), lane % 4 + (4 if i >= 2 else 0)


def of_b_tf32(lane: int, i: int) -> tuple[int, int]:
    return lane % 4 + 4 * i, lane // 4


def of_sums(lane: int, i: int) -> tuple[int, int]:
    return lane // 4 + (8 if i >= 2 else 0), lane % 4 * 2 + i % 2


FORMULAS = {
    "f16": (of_a_16_bits, of_b_16_bits),
    "bf16": (of_a_16_bits, of_b_16_bits),
    "tf32": (of_a_tf32, of_b_tf32),
    "s8": (of_a_8_bits, of_b_8_bits),
    "u8": (of_a_8_bits, of_b_8_bits),
}


@pytest.mark.parametrize("one", INSTRUCTIONS, ids=lambda one: f"{one.shape}-{one.operand}-{one.accumulator}")
def test_places_are_those_of_the_manual(one: MmaInstruction) -> None:
    formulas = (*FORMULAS[one.operand], of_sums)
    for role, formula in zip(("matrix_a", "matrix_b", "accumulator"), formulas, strict=True):
        layout = one.layout(role)
        for lane, places in enumerate(layout.places):
            assert places == tuple(formula(lane, i) for i in range(layout.elements)), (role, lane)


def test_a_layout_that_leaves_an_element_out() -> None:
    message = "a layout of 16 x 8 elements over 32 lanes: 64 of its 128 places are different ones of the tile's"
    with pytest.raises(ConfigError, match=message):
        LaneLayout(16, 8, 2, ((0, 0), (0, 0)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((16, 8, 16, "f32", "f32"), "mma.sync of f32: the operand types are f16, bf16, tf32, s8, u8"),
        ((16, 8, 16, "bf16", "f16"), "mma.sync of bf16 added up in f16: bf16 is added up in f32"),
        ((16, 8, 16, "s8", "s32"), "mma.sync of s8 in m16n8k16: its shape is m16n8k32"),
    ],
)
def test_instructions_that_there_are_not(arguments: tuple[int, int, int, str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MmaInstruction(*arguments)
    m, n, k, operand, accumulator = arguments
    assert instruction_of(f"m{m}n{n}k{k}", operand, accumulator) is None


PITCHES = (32, 64, 128, 256, 384)


@given(st.sampled_from(PITCHES), st.sampled_from((0, 32, 64, 128)))
def test_a_layout_puts_each_chunk_of_a_period_in_one_place(pitch: int, swizzle: int) -> None:
    layout = SharedLayout(pitch, swizzle)
    if layout.problem():
        return
    places = {layout.place(byte) for byte in range(layout.period)}
    assert places == set(range(layout.period))
    assert all(layout.place(chunk + 5) == layout.place(chunk) + 5 for chunk in range(0, layout.period, CHUNK))


@pytest.mark.parametrize("pitch", [32, 64, 128, 256, 512])
def test_eight_rows_at_one_column_meet_all_banks(pitch: int) -> None:
    layout = SharedLayout(pitch, min(pitch, 128))
    for column in range(0, min(pitch, 128), CHUNK):
        chunks = {layout.place(row * pitch + column) % 128 // CHUNK for row in range(8)}
        assert len(chunks) == 8


@pytest.mark.parametrize("pitch", [32, 128, 512])
def test_eight_rows_of_panels_of_one_chunk_are_neighbours(pitch: int) -> None:
    layout = SharedLayout(pitch, CHUNK, 16)
    assert {layout.place(byte) for byte in range(16 * pitch)} == set(range(16 * pitch))
    for column in range(0, pitch, CHUNK):
        first = layout.place(column)
        assert [layout.place(row * pitch + column) - first for row in range(8)] == list(range(0, 128, CHUNK))


@pytest.mark.parametrize("swizzle", [32, 64, 128])
def test_short_rows_are_swizzled_as_the_hardware_does(swizzle: int) -> None:
    layout, bits = SharedLayout(swizzle, swizzle), {32: 1, 64: 2, 128: 3}[swizzle]
    mask = (1 << bits) - 1
    assert all(layout.place(byte) == byte ^ ((byte >> 7 & mask) << 4) for byte in range(4096))
