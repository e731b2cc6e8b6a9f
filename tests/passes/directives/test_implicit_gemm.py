"""implicit_gemm, fuse_variables, and splits beyond the extent: refusals, and programs that stay right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from contraction_programs import convolution, matmul
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.text.source import parse

PRODUCT = matmul(20, 12, 30, bias=True).text()


@settings(max_examples=10)
@given(
    st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(3, 6), st.integers(3, 6)),
    st.integers(1, 5),
    st.integers(1, 2),
    st.tuples(st.integers(1, 20), st.integers(1, 9), st.integers(1, 17)),
    st.sampled_from(("nchw_fchw", "nhwc_hwcf")),
)
def test_products_of_any_tile(
    sizes: tuple[int, int, int, int], features: int, stride: int, tile: tuple[int, int, int], layout: str
) -> None:
    layer = convolution(layout, sizes, features, (3, 2), "i8", stride, 1, bias=True)
    schedule = Schedule(layer.text())
    schedule.compute_inline(schedule.get_block("padded"))
    *_, store = schedule.implicit_gemm(schedule.get_block("product"), tile)
    schedule.compute_inline(store)
    biased = schedule.get_block("biased")
    schedule.fuse_variables(biased, [[0, 2, 3], [1]] if layout == "nchw_fchw" else [[0, 1, 2], [3]])
    for loop in schedule.get_loops(biased):
        schedule.split(loop, factor=loop.extent + 3, tail="guard")
    inputs = layer.inputs()
    assert np.array_equal(evaluate(schedule.module, *inputs), evaluate(parse(layer.text()), *inputs))


@refuses(
    PRODUCT,
    "implicit_gemm: block 'biased' is no contraction: expected two inputs and a reduction, found 2 "
    "inputs; choose a block that multiplies and adds up",
)
def test_elementwise_blocks_are_no_products(s: Schedule) -> Callable[[], object]:
    biased = s.get_block("biased")
    return lambda: s.implicit_gemm(biased, [16, 16, 16])


@refuses(
    PRODUCT,
    "implicit_gemm: block 'product' does not stand in its own nest as it was; use implicit_gemm before "
    "other directives",
)
def test_products_are_formed_first(s: Schedule) -> Callable[[], object]:
    product = s.get_block("product")
    s.split(s.get_loops(product)[0], factor=4)
    return lambda: s.implicit_gemm(product, [16, 16, 16])


@refuses(PRODUCT, "implicit_gemm: tile [16, 0, 16]; three positive sizes, m, n and k, are required")
def test_tiles_are_positive(s: Schedule) -> Callable[[], object]:
    product = s.get_block("product")
    return lambda: s.implicit_gemm(product, [16, 0, 16])


@refuses(PRODUCT, "implicit_gemm: order [0, 2, 2] is no permutation of the variables 0 to 2")
def test_an_order_names_each_variable_once(s: Schedule) -> Callable[[], object]:
    product = s.get_block("product")
    return lambda: s.implicit_gemm(product, [16, 16, 16], [0, 2, 2])


@refuses(
    PRODUCT,
    "implicit_gemm: block 'product' has 3 iteration variables, and the order [0, 1] names 2; name each of them",
)
def test_an_order_names_every_variable(s: Schedule) -> Callable[[], object]:
    product = s.get_block("product")
    return lambda: s.implicit_gemm(product, [16, 16, 16], [0, 1])


@refuses(PRODUCT, "fuse_variables: groups [[0]] of the 2 variables of block 'biased'; name each once")
def test_all_variables_are_named(s: Schedule) -> Callable[[], object]:
    biased = s.get_block("biased")
    return lambda: s.fuse_variables(biased, [[0]])


@refuses(PRODUCT, "fuse_variables: [1, 2] holds spatial and reduction variables of block 'product'; keep them apart")
def test_reductions_are_fused_with_their_like(s: Schedule) -> Callable[[], object]:
    product = s.get_block("product")
    return lambda: s.fuse_variables(product, [[0], [1, 2]])


@refuses(
    PRODUCT,
    "implicit_gemm: tiles of 16x1099511627776x16 make a loop of 1,099,511,627,776 iterations; 32-bit loop variables "
    "of a kernel count to 2,147,483,647; choose smaller tiles",
)
def test_tiles_beyond_loop_variables_are_refused(s: Schedule) -> Callable[[], object]:
    product = s.get_block("product")
    return lambda: s.implicit_gemm(product, [16, 1 << 40, 16])
