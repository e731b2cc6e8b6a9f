"""Products that add to the same tiles: which join, and that runs give what the reference gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_streams import ACC_AT, INP_AT, OUT_AT, WGT_AT, assert_paths_agree, program
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import Alu, AluOpcode, Finish, Gemm, Instruction, Load, Memory, MicroOp, Store, encode
from vtac.targets.vta.machine import ExecutionError, execute
from vtac.targets.vta.machine.fast_joined import Joined, product_of
from vtac.targets.vta.machine.fast_nest import Loop, Nest
from vtac.targets.vta.machine.fast_plan import PlanBuilder
from vtac.targets.vta.machine.fast_sums import Sums
from vtac.targets.vta.machine.fast_workspace import Step, Workspace
from vtac.targets.vta.machine.prepare import prepare

DEFAULT = VTAConfig()
WIDE = VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16, log_acc_buff_size=18)


def _nest(start: tuple[int, int, int], *loops: tuple[int, int, int, int]) -> Nest:
    return Nest((), np.array([start]), tuple(Loop(*loop) for loop in loops))


def _tap(dy: int, dx: int, *, channel: int = 0) -> Nest:
    """A tap of a 3x3 convolution of a 14x14 image into 8 blocks of channels, at its borders only what it reads."""
    rows, columns = 14 - abs(dy), 14 - abs(dx)
    dst = 14 * max(-dy, 0) + max(-dx, 0)
    src = 14 * max(dy, 0) + max(dx, 0) + 196 * channel
    weight = 72 * channel + 3 * (dy + 1) + dx + 1
    return _nest((dst, src, weight), (rows, 14, 14, 0), (columns, 1, 1, 0), (8, 196, 0, 9))


def _joined(*nests: Nest) -> Joined | None:
    first, *others = [product_of(nest) for nest in nests]
    assert first is not None
    joined: Joined | None = Joined.of(first)
    for other in others:
        assert joined is not None
        assert other is not None
        joined = joined.with_product(other)
    return joined


def test_the_taps_of_a_convolution_join_whichever_comes_first() -> None:
    taps = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    for order in (taps, taps[::-1], taps[4:] + taps[:4]):
        joined = _joined(*[_tap(*tap) for tap in order])
        assert joined is not None
        assert (joined.start, joined.end, joined.height, joined.columns) == (0, 8 * 196, 196, 8)
        assert (joined.terms, joined.has_gaps) == (9, True)


def test_blocks_of_channels_join_without_gaps() -> None:
    joined = _joined(_tap(0, 0), _tap(0, 0, channel=1))
    assert joined is not None
    assert (joined.terms, joined.has_gaps) == (2, False)


@pytest.mark.parametrize(
    ("nest", "why"),
    [
        (_nest((0, 0, 0), (14, 14, 14, 0), (14, 1, 1, 0), (4, 196, 0, 9)), "fewer columns"),
        (_nest((0, 0, 0), (14, 14, 14, 0), (14, 1, 1, 0), (8, 200, 0, 9)), "columns elsewhere"),
        (_nest((0, 0, 0), (7, 28, 28, 0), (14, 1, 1, 0), (8, 196, 0, 9)), "rows with another step"),
        (_nest((7, 0, 0), (14, 14, 14, 0), (14, 1, 1, 0), (8, 196, 0, 9)), "rows that would overlap"),
        (_nest((196 * 8, 0, 0), (14, 14, 14, 0), (14, 1, 1, 0), (8, 196, 0, 9)), "other tiles"),
        (_nest((0, 0, 0), (2, 14, 14, 0), (2, 1, 1, 0), (8, 196, 0, 9)), "mostly zeros"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_others_do_not_join(nest: Nest, why: str) -> None:
    assert product_of(nest) is not None, why
    assert _joined(_tap(0, 0), nest) is None


@pytest.mark.parametrize(
    "nest",
    [
        _nest((0, 0, 0), (4, 1, 1, 1)),
        _nest((0, 0, 0), (4, 0, 0, 0), (4, 1, 1, 0)),
        _nest((9, 0, 0), (4, -1, 1, 0)),
        _nest((0, 0, 0), (4, 1, 1, 0), (4, 2, 4, 0)),
        Nest((), np.array([[0, 0, 0], [3, 1, 1]]), (Loop(4, 1, 1, 0),)),
    ],
    ids=["independent products", "the same again", "falling tiles", "overlapping tiles", "a list"],
)
def test_what_is_no_product_of_two_matrices_never_joins(nest: Nest) -> None:
    assert product_of(nest) is None


def _steps(*nests: Nest) -> list[Step]:
    sums = Sums(Workspace(DEFAULT), [])
    for nest in nests:
        sums.add(nest)
    sums.finish()
    return sums.steps


def test_products_join_while_float32_counts_by_ones() -> None:
    """64 tiles of 16 terms are 1024 products of at most 2**14: 2**24 in all."""
    halves = [_nest((0, 0, 0), (4, 1, 0, 32), (32, 0, 1, 1)), _nest((0, 32, 128), (4, 1, 0, 32), (32, 0, 1, 1))]
    assert len(_steps(*halves)) == 3
    assert len(_steps(*halves, _nest((0, 0, 0), (4, 1, 0, 1)))) == 4
    assert len(_steps(_nest((0, 0, 0), (4, 1, 0, 33), (33, 0, 1, 1)), halves[0])) == 2


def test_a_product_that_would_reach_behind_the_memory_does_not_join() -> None:
    last = _nest((2046, 0, 0), (2, 1, 1, 0))
    assert len(_steps(_nest((2044, 0, 0), (2, 2, 2, 0)), last)) == 2


def _plan_length(*kernels: Instruction) -> int:
    data, _ = program(DEFAULT, [MicroOp(0, 0, 0)], *kernels, stored=4)
    prepared = prepare(data, DEFAULT, strict=False)
    return len(PlanBuilder(prepared.stream, prepared.order, bytes(4), strict=False).build().steps)


PRODUCT = Gemm(False, 0, 1, 4, 4, 1, 0, 1, 0, 0, 1)


@pytest.mark.parametrize(
    ("between", "joins"),
    [
        (Alu(AluOpcode.ADD, True, 1, 0, 1, 4, 1, 1, 0, 1, 0), False),
        (Alu(AluOpcode.ADD, False, 0, 0, 1, 4, 1, 1, 0, 0, 0), False),
        (Gemm(True, 0, 1, 2, 1, 1, 0, 0, 0, 0, 0), False),
        (Load(Memory.ACC, 3, 0, 1, 4, 4), False),
        (Store(Memory.OUT, 2, OUT_AT // 16, 1, 4, 4), False),
        (Load(Memory.ACC, 4, 0, 1, 4, 4), True),
        (Load(Memory.INP, 0, 0, 1, 4, 4), True),
        (Load(Memory.WGT, 0, 0, 1, 4, 4), True),
        (Store(Memory.OUT, 4, OUT_AT // 16, 1, 4, 4), True),
    ],
    ids=["immediate", "tensor", "reset", "load", "store", "other tiles", "inputs", "weights", "store of others"],
)
def test_what_touches_the_tiles_comes_after_the_sum(between: Instruction, joins: bool) -> None:
    elsewhere = Gemm(True, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0)
    apart = _plan_length(elsewhere, between, elsewhere)
    assert _plan_length(PRODUCT, between, PRODUCT) == apart + joins
    data, image = program(DEFAULT, [MicroOp(0, 0, 0)], PRODUCT, between, PRODUCT, between, stored=8)
    assert_paths_agree(data, image, DEFAULT)


@st.composite
def _kernels(draw: st.DrawFn) -> Instruction:
    """A product or something else, on few tiles so that they meet."""
    small = st.integers(0, 3)
    match draw(
        st.sampled_from(["product", "product", "product", "reset", "alu", "load", "inputs", "weights", "store"])
    ):
        case "reset":
            return Gemm(True, draw(small), 4, draw(st.integers(1, 3)), 1, draw(small), 0, 0, 0, 0, 0)
        case "alu":
            opcode = draw(st.sampled_from([AluOpcode.ADD, AluOpcode.MAX, AluOpcode.SHR]))
            use_imm = draw(st.booleans()) or opcode is AluOpcode.SHR
            return Alu(opcode, use_imm, draw(small), draw(small), 4, draw(st.integers(1, 3)), 1, draw(small), 0, 1, 0)
        case "load":
            return Load(Memory.ACC, draw(st.integers(0, 40)), ACC_AT // 64, 1, 4, 4)
        case "inputs":
            return Load(Memory.INP, draw(small), INP_AT // 16 + draw(small), 1, 8, 8)
        case "weights":
            return Load(Memory.WGT, draw(small), WGT_AT // 256 + draw(small), 1, 8, 8)
        case "store":
            return Store(Memory.OUT, draw(st.integers(0, 40)), OUT_AT // 16 + 256, 1, 4, 4)
        case _:
            dst = draw(st.sampled_from([(6, 1), (1, 6), (1, 0), (6, 0), (12, 1), (0, 1), (0, 0)]))
            src = draw(st.sampled_from([(1, 0), (6, 1), (0, 1), (1, 1)]))
            wgt = draw(st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1)]))
            first = draw(small)
            trips = draw(st.tuples(st.integers(1, 5), st.integers(1, 6)))
            return Gemm(False, first, first + draw(st.integers(1, 2)), *trips, *dst, *src, *wgt)


@settings(max_examples=150)
@given(st.lists(_kernels(), min_size=2, max_size=14))
def test_any_order_of_kernels_gives_what_the_reference_gives(kernels: list[Instruction]) -> None:
    ops = [MicroOp(0, 0, 0), MicroOp(1, 3, 2), MicroOp(7, 1, 1), MicroOp(12, 0, 4), MicroOp(12, 2, 5)]
    data, image = program(DEFAULT, ops, *kernels, stored=64)
    assert_paths_agree(data, image, DEFAULT)


@pytest.mark.parametrize("config", [DEFAULT, WIDE], ids=["default", "wide"])
def test_border_taps_leave_zeros_where_they_read_nothing(config: VTAConfig) -> None:
    """Twice in a stream: what the first sums left in the buffers is not there for the second."""
    taps: list[Instruction] = []
    ops: list[MicroOp] = []
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            ops.append(MicroOp(4 * max(-dy, 0) + max(-dx, 0), 4 * max(dy, 0) + max(dx, 0), len(ops)))
            trips = 4 - abs(dy), 4 - abs(dx)
            taps.append(Gemm(False, len(ops) - 1, len(ops), *trips, 4, 1, 4, 1, 0, 0))
    shifted = Alu(AluOpcode.SHR, True, 3, 0, 1, 16, 1, 1, 0, 1, 0)
    data, image = program(config, ops, *taps, shifted, *taps[3:], shifted, *taps, stored=16)
    assert_paths_agree(data, image, config)


def test_sums_of_joined_products_are_exact() -> None:
    """Of 64 tiles of -128 and one of -127 side by side: 2**24 less 127, which float32 still tells apart."""
    half = Gemm(False, 0, 1, 1, 32, 0, 0, 0, 1, 0, 1)
    data, image = program(DEFAULT, [MicroOp(0, 0, 0)], half, half, half, stored=1)
    image[INP_AT:ACC_AT] = 0x80
    image[INP_AT] = 0x81
    assert_paths_agree(data, image, DEFAULT)


def _two_blocks_of_weights(config: VTAConfig) -> tuple[bytes, NDArray[np.uint8]]:
    """One row times 4 columns of 4 tiles, twice, with weights from two places in memory, then both again."""
    product = Gemm(False, 0, 1, 4, 4, 1, 0, 0, 1, 4, 1)
    tiles = WGT_AT // config.element_bytes("wgt")
    others = Load(Memory.WGT, 0, tiles + 16, 1, 16, 16)
    same = Load(Memory.WGT, 0, tiles, 1, 16, 16)
    shifted = Alu(AluOpcode.SHR, True, 1, 0, 1, 4, 1, 1, 0, 1, 0)
    ops = [MicroOp(0, 0, 0)]
    return program(config, ops, product, others, product, shifted, same, product, others, product, stored=4)


@pytest.mark.parametrize("config", [DEFAULT, WIDE], ids=["one row", "four rows"])
def test_weights_that_stay_are_those_of_the_run(config: VTAConfig) -> None:
    data, image = _two_blocks_of_weights(config)
    changed = image.copy()
    changed[WGT_AT + 300] ^= 0x55
    for memory in (image, image, changed, image):
        assert_paths_agree(data, memory, config)


def test_weights_of_a_run_that_was_stopped_are_widened_in_the_next() -> None:
    data, image = _two_blocks_of_weights(DEFAULT)
    other = image.copy()
    other[WGT_AT:ACC_AT] ^= 0x55
    execute(data, image.copy(), DEFAULT)
    for last in range(1, 12):

        def stop(done: int, _: int, last: int = last) -> None:
            if done >= last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            execute(data, other.copy(), DEFAULT, progress=stop)
        assert_paths_agree(data, image, DEFAULT)


def test_a_product_that_joins_must_read_what_was_written() -> None:
    ops = [MicroOp(0, 0, 0)]
    fills = [Load(Memory.UOP, 0, 0, 1, 1, 1), Load(Memory.INP, 0, INP_AT // 16, 1, 4, 4)]
    fills += [Load(Memory.WGT, 0, WGT_AT // 256, 1, 4, 4), Load(Memory.ACC, 0, ACC_AT // 64, 1, 4, 4)]
    beyond = Gemm(False, 0, 1, 5, 4, 0, 1, 1, 0, 0, 1)
    _, image = program(DEFAULT, ops, stored=1)
    data = encode([*fills, PRODUCT, beyond, Finish()], DEFAULT)
    with pytest.raises(ExecutionError, match=r"instruction 5 .*reads INP element 4"):
        execute(data, image, DEFAULT, strict=True)
