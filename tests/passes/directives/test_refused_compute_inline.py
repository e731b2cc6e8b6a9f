"""Refusals of compute_inline: full text, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable

from copy_programs import MIRRORED_COPY, SMALLER_COPY
from directive_programs import GEMM, POOL, ROW_SUMS, chain
from refusals import refuses
from storage_programs import REUSED_STORAGE

from vtac.schedule import Schedule

CHAIN = chain((14,), "a", "b", "c")


@refuses(
    ROW_SUMS,
    "compute_inline: block 'product' reduces; only blocks without reduction can be inlined",
)
def test_compute_inline_of_a_reduction(s: Schedule) -> Callable[[], object]:
    product = s.get_block("product")
    return lambda: s.compute_inline(product)


@refuses(
    CHAIN,
    "compute_inline: block 'c' writes the result 'c'; only intermediate blocks can be inlined",
)
def test_compute_inline_of_the_result(s: Schedule) -> Callable[[], object]:
    c = s.get_block("c")
    return lambda: s.compute_inline(c)


@refuses(
    GEMM,
    "compute_inline: 'acc' is also read or written in place; inline blocks with one writer",
)
def test_compute_inline_of_an_update_in_place(s: Schedule) -> Callable[[], object]:
    shr = s.get_block("shr")
    return lambda: s.compute_inline(shr)


@refuses(CHAIN, "compute_inline: block 'a' runs under a guard; inline before split with guard")
def test_compute_inline_of_a_guarded_block(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    (i,) = s.get_loops(a)
    s.split(i, factor=4, tail="guard")
    return lambda: s.compute_inline(a)


@refuses(
    MIRRORED_COPY,
    "compute_inline: block 't' does not write its output by plain indices; leave it in place",
)
def test_compute_inline_of_an_output_by_other_indices(s: Schedule) -> Callable[[], object]:
    t = s.get_block("t")
    return lambda: s.compute_inline(t)


@refuses(
    POOL,
    "compute_inline: block 'p' reads 'a' with padding, and block 'a' computes or pads; inline the padded block first",
)
def test_compute_inline_of_a_computation_into_a_padded_read(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    return lambda: s.compute_inline(a)


@refuses(
    SMALLER_COPY,
    "compute_inline: block 'y' reads 't' with padding, and block 't' computes or pads; inline the padded block first",
)
def test_compute_inline_of_a_smaller_copy_into_a_padded_read(s: Schedule) -> Callable[[], object]:
    t = s.get_block("t")
    return lambda: s.compute_inline(t)


@refuses(
    REUSED_STORAGE,
    "compute_inline: block 's' reads 'x', which block 'x' overwrites after it; let the program write "
    "a buffer of its own there",
)
def test_compute_inline_past_an_overwrite(s: Schedule) -> Callable[[], object]:
    block = s.get_block("s")
    return lambda: s.compute_inline(block)
