"""double_buffer, rotate, skip_padding and gathered cache_read: refusals, and programs that stay right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

import vtac
from vtac.pipelines import Runner
from vtac.schedule import Schedule
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context
from vtac.workloads import reference
from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd

SMALL = Conv2D(1, 6, 6, 64, 48, 3, 1)
CONVOLUTION = SMALL.text()
STRIDED = Conv2D(1, 7, 7, 32, 32, 1, 0, 2).text()


@refuses(
    VectorAdd(64).text(),
    "double_buffer: 'C' lives in global; only buffers in vta.inp, vta.wgt, vta.acc, "
    "wmma.matrix_a, wmma.matrix_b have copies: use cache_read or set_scope first",
)
def test_arguments_have_no_copies(schedule: Schedule) -> Callable[[], object]:
    block = schedule.get_block("C")
    return lambda: schedule.double_buffer(block)


@refuses(CONVOLUTION, "double_buffer: 0 copies; at least 1 is required")
def test_copies_are_counted_from_one(schedule: Schedule) -> Callable[[], object]:
    conv = schedule.get_block("res_conv")
    schedule.set_scope(conv, 0, "vta.acc")
    return lambda: schedule.double_buffer(conv, 0)


@refuses(
    CONVOLUTION,
    "skip_padding: block 'res_conv' starts its sum itself; use decompose_reduction first",
)
def test_a_sum_that_starts_itself_keeps_its_padding(schedule: Schedule) -> Callable[[], object]:
    conv = schedule.get_block("res_conv")
    schedule.compute_inline(schedule.get_block("data_buf"))
    return lambda: schedule.skip_padding(conv)


@refuses(
    CONVOLUTION,
    "skip_padding: block 'res_conv' reads no padding; inline the padding block first, with compute_inline",
)
def test_padding_must_be_in_the_block(schedule: Schedule) -> Callable[[], object]:
    conv = schedule.get_block("res_conv")
    schedule.decompose_reduction(conv, schedule.get_loops(conv)[-4])
    return lambda: schedule.skip_padding(conv)


@refuses(
    CONVOLUTION,
    "skip_padding: block 'res_min' is no multiply-accumulate: expected two inputs and a reduction, found 1 inputs; "
    "zeros can be left out of such sums only",
)
def test_only_sums_skip_padding(schedule: Schedule) -> Callable[[], object]:
    block = schedule.get_block("res_min")
    return lambda: schedule.skip_padding(block)


@refuses(
    CONVOLUTION,
    "rotate: block 'res_conv' starts its sum in loop 'r6' (extent 4); use decompose_reduction first",
)
def test_a_rotated_sum_starts_elsewhere(schedule: Schedule) -> Callable[[], object]:
    loops = schedule.get_loops(schedule.get_block("res_conv"))
    return lambda: schedule.rotate(loops[6], loops[1], 2)


@refuses(
    CONVOLUTION,
    "rotate: loop 'r6' (extent 4) is not around loop 'i1' (extent 3); name a loop outside it",
)
def test_rotation_needs_an_outer_loop(schedule: Schedule) -> Callable[[], object]:
    loops = schedule.get_loops(schedule.get_block("res_conv"))
    return lambda: schedule.rotate(loops[1], loops[6], 1)


@refuses(
    CONVOLUTION,
    "rotate: block 'res_conv_init' does not reduce over loop 'i2' (extent 6); rotate a reduction loop",
)
def test_only_reductions_rotate(schedule: Schedule) -> Callable[[], object]:
    conv = schedule.get_block("res_conv")
    loops = schedule.get_loops(conv)
    schedule.decompose_reduction(conv, loops[6])
    return lambda: schedule.rotate(loops[2], loops[1], 1)


@refuses(
    CONVOLUTION,
    "cache_read: block 'res_conv' reads no dimension of input 1 in steps of one iteration variable; drop gather",
)
def test_nothing_to_gather(schedule: Schedule) -> Callable[[], object]:
    conv = schedule.get_block("res_conv")
    return lambda: schedule.cache_read(conv, 1, "vta.wgt", gather=True)


def test_gathered_copies_hold_what_is_read() -> None:
    schedule = Schedule(STRIDED)
    schedule.cache_read(schedule.get_block("res_conv"), 0, "vta.inp", gather=True)
    assert 'memref<1x2x4x4x1x16xi8, "vta.inp">' in str(schedule.module)


def test_the_script_prints_and_parses() -> None:
    schedule = double_buffered(SMALL, Conv2DTiling(6, 6, 16, 48, vthreads=1), 2, 3, 1)
    again = vtac.compile(SMALL.text() + str(schedule))
    assert again.stream.instructions == vtac.compile(SMALL.text(), schedule=schedule).stream.instructions


def double_buffered(layer: Conv2D, tiling: Conv2DTiling, data: int, kernel: int, acc: int) -> Schedule:
    """The layer's own schedule, with copies of its buffers."""
    schedule = layer.schedule(tiling)
    block = schedule.get_block("data_buf" if layer.padding else "data_vta_inp")
    schedule.double_buffer(block, data)
    schedule.double_buffer(schedule.get_block("kernel_vta_wgt"), kernel)
    schedule.double_buffer(schedule.get_block("res_conv"), acc)
    return schedule


@settings(max_examples=12)
@given(
    st.sampled_from((1, 3)),
    st.integers(1, 2),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 2),
)
def test_copies_change_no_number(kernel: int, stride: int, data: int, weights: int, acc: int, cut: int) -> None:
    layer = Conv2D(1, 6, 6, 64, 48, kernel, kernel // 2, stride)
    tiling = Conv2DTiling(layer.out_height // (1, 3, 1)[cut], layer.out_width, 16, (48, 16, 16)[cut], vthreads=1)
    program = vtac.compile(layer.text(), schedule=double_buffered(layer, tiling, data, weights, acc))
    assert vtac.check(program) == []
    random = np.random.default_rng(7)
    image = random.integers(-128, 128, (1, 64, 6, 6), dtype=np.int8)
    filters = random.integers(-128, 128, (48, 64, kernel, kernel), dtype=np.int8)
    found = program(
        np.ascontiguousarray(reference.pack_images(image, 1, 16)).astype(np.int8),
        np.ascontiguousarray(reference.pack_images(filters, 16, 16)).astype(np.int8),
    )
    np.testing.assert_array_equal(found, reference.pack_images(reference.conv2d(layer, image, filters), 1, 16))


def test_two_contexts_of_loads_and_one_accumulation_hide_the_loads() -> None:
    layer = Matmul(16, 512, 256)
    plain = layer.schedule(MatmulTiling(16, 64, 256))
    doubled = layer.schedule(MatmulTiling(16, 64, 256))
    for name in ("data_vta_inp", "weight_vta_wgt"):
        doubled.double_buffer(doubled.get_block(name), 2)
    before, after = (vtac.compile(layer.text(), schedule=schedule) for schedule in (plain, doubled))
    cycles = [vtac.simulate_cycles(program.stream.instructions, program.config).cycles for program in (before, after)]
    assert vtac.check(after) == []
    assert cycles[1] < 0.8 * cycles[0]


def test_copies_that_do_not_fit_are_reported() -> None:
    schedule = double_buffered(Conv2D(), Conv2DTiling(14, 14, 16, 128, vthreads=1), 2, 2, 2)
    with pytest.raises(vtac.CompileError) as caught:
        vtac.compile(Conv2D().text(), schedule=schedule)
    assert "overflows ACC" in str(caught.value)
    assert "(2 x 1,568: copies by double_buffer)" in str(caught.value)


def test_the_vta_level_shows_turns_and_no_tokens() -> None:
    schedule = double_buffered(SMALL, Conv2DTiling(6, 6, 16, 48, vthreads=1), 2, 3, 1)
    module = vtac.parse(SMALL.text() + str(schedule))
    Runner(make_context()).run_phases(VTA_PIPELINE.phases, module)
    text = str(module)
    assert "mod 2" in text
    assert "mod 3" in text
    assert "vta.sync dataflow" in text
    assert "vta.dep_push" not in text
