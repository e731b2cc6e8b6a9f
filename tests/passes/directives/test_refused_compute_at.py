"""Refusals of compute_at: full text, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable

from copy_programs import MIRRORED_COPY
from directive_programs import GEMM, ROW_SUMS, chain
from refusals import refuses
from storage_programs import REUSED_STORAGE

from vtac.schedule import Schedule

CHAIN = chain((14,), "a", "b", "c")
UNUSED = chain((14,), "a").replace(
    "  func.return",
    "  %unused = linalg.copy ins(%x : tensor<14xi32>) outs(%a_empty : tensor<14xi32>) -> tensor<14xi32>\n  func.return",
)


@refuses(
    CHAIN,
    "compute_at: block 'a' already stands in loop 'i0' (extent 14); nothing needs to move",
)
def test_compute_at_where_it_stands(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    (i,) = s.get_loops(a)
    return lambda: s.compute_at(a, i)


@refuses(
    GEMM,
    "compute_at: loop 'i' (extent 1) is annotated tensorize with all it holds; move blocks before "
    "dma_copy, alu and tensorize",
)
def test_compute_at_into_a_hardware_loop(s: Schedule) -> Callable[[], object]:
    inp = s.get_block("inp")
    _, i, *_ = s.get_loops(s.get_block("acc"))
    s.tensorize(i, "vta.gemm")
    return lambda: s.compute_at(inp, i)


@refuses(
    CHAIN,
    "compute_at: block 'c' writes the argument 'c', all of which is a result; move the blocks that "
    "feed it instead, or use reverse_compute_at",
)
def test_compute_at_of_the_result(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    c = s.get_block("c")
    return lambda: s.compute_at(c, i)


@refuses(
    UNUSED,
    "compute_at: block 'unused' writes 'unused', which no block reads; move the blocks that feed it instead",
)
def test_compute_at_of_what_nobody_reads(s: Schedule) -> Callable[[], object]:
    unused = s.get_block("unused")
    (i,) = s.get_loops(s.get_block("a"))
    return lambda: s.compute_at(unused, i)


@refuses(GEMM, "compute_at: block 'shr' updates 'acc' in place; leave it where it is")
def test_compute_at_of_an_update_in_place(s: Schedule) -> Callable[[], object]:
    shr = s.get_block("shr")
    n, *_ = s.get_loops(s.get_block("y"))
    return lambda: s.compute_at(shr, n)


@refuses(
    CHAIN,
    "compute_at: loop 'i0' (extent 14) does not enclose all consumers of block 'a': 'b' stands "
    "outside; move the consumers there first, last stage first",
)
def test_compute_at_outside_of_a_consumer(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    (i,) = s.get_loops(s.get_block("c"))
    return lambda: s.compute_at(a, i)


@refuses(
    ROW_SUMS,
    "compute_at: 'product' is written by several blocks; move it before decompose_reduction",
)
def test_compute_at_after_decompose_reduction(s: Schedule) -> Callable[[], object]:
    product = s.get_block("product")
    *_, k = s.get_loops(product)
    s.decompose_reduction(product, k)
    i, _ = s.get_loops(s.get_block("sums"))
    return lambda: s.compute_at(product, i)


@refuses(
    MIRRORED_COPY,
    "compute_at: block 't' does not write its output by plain indices; inline it or leave it in place",
)
def test_compute_at_of_an_output_by_other_indices(s: Schedule) -> Callable[[], object]:
    t = s.get_block("t")
    (i,) = s.get_loops(s.get_block("y"))
    return lambda: s.compute_at(t, i)


@refuses(
    REUSED_STORAGE,
    "compute_at: block 's' reads 'x', which block 'x' overwrites after it; let the program write a "
    "buffer of its own there",
)
def test_compute_at_past_an_overwrite(s: Schedule) -> Callable[[], object]:
    block = s.get_block("s")
    (i,) = s.get_loops(s.get_block("out"))
    return lambda: s.compute_at(block, i)
