"""Refusals of the directives on loops: full text, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable

from directive_programs import GEMM, ROW_SUMS, chain
from refusals import refuses

from vtac.schedule import Schedule

CHAIN = chain((14,), "a", "b", "c")
GRID = chain((2, 3, 4), "a", "b")


REPEATED = """
func.func @f(%x: memref<6xi32>, %y: memref<1xi32>) {
  schedule.for %n = 0 to 2 {
    schedule.for %k = 0 to 6 {
      schedule.block "y" <spatial 1, reduction 6> = (d0) -> (0, d0)(%k)
        reads %x<(d0, d1) -> (d1)> : memref<6xi32>
        writes %y<(d0, d1) -> (d0)> : memref<1xi32>
        init 0 : i32 {
      ^bb0(%v: i32, %acc: i32):
        %s = arith.addi %acc, %v : i32
        schedule.yield %s : i32
      }
    }
  }
  func.return
}
"""


@refuses(
    CHAIN,
    "split: factor 4 does not divide loop 'i0' (extent 14): 2 iterations would remain; choose a divisor (1, 2, 7, 14), "
    "or a tail strategy: guard or peel",
)
def test_split_with_a_rest(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    return lambda: s.split(i, factor=4)


@refuses(
    CHAIN,
    "split: nparts 8 does not divide loop 'i0' (extent 14): 6 iterations would remain; choose a divisor (1, 2, 7, 14), "
    "or a tail strategy: guard or peel",
)
def test_split_by_parts_with_a_rest(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    return lambda: s.split(i, nparts=8)


@refuses(CHAIN, "split: factor 15 for loop 'i0' (extent 14); 1 to 14 is possible")
def test_split_by_more_than_the_extent(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    return lambda: s.split(i, factor=15, tail="peel")


@refuses(CHAIN, "split: nparts 0 for loop 'i0' (extent 14); 1 to 14 is possible")
def test_split_in_no_parts(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    return lambda: s.split(i, nparts=0)


@refuses(CHAIN, "split: split takes either a factor or nparts")
def test_split_by_factor_and_parts(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    return lambda: s.split(i, factor=7, nparts=2)


@refuses(CHAIN, "split: split takes either a factor or nparts")
def test_split_by_nothing(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    return lambda: s.split(i)


@refuses(CHAIN, "split: unknown tail strategy 'drop'; it is one of error, guard, peel")
def test_split_with_unknown_tail(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    return lambda: s.split(i, factor=7, tail="drop")  # pyright: ignore[reportArgumentType]


@refuses(
    CHAIN,
    "split: loop 'i0' (extent 14) is cthread already; split loops before they are bound or annotated",
)
def test_split_of_a_bound_loop(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    s.bind(i, "cthread")
    return lambda: s.split(i, factor=7)


@refuses(
    CHAIN,
    "split: loop 'i0' (extent 14) is annotated note already; split loops before they are bound or annotated",
)
def test_split_of_an_annotated_loop(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    s.annotate(i, "note", 1)
    return lambda: s.split(i, factor=7)


@refuses(GRID, "fuse: 1 loop given; give two or more loops, outermost first")
def test_fuse_of_one_loop(s: Schedule) -> Callable[[], object]:
    i, _, _ = s.get_loops(s.get_block("a"))
    return lambda: s.fuse(i)


@refuses(GRID, "fuse: loop 'i0' (extent 2) is cthread already; fuse loops before that")
def test_fuse_of_a_bound_loop(s: Schedule) -> Callable[[], object]:
    i, j, _ = s.get_loops(s.get_block("a"))
    s.bind(i, "cthread")
    return lambda: s.fuse(i, j)


@refuses(
    GRID,
    "fuse: loop 'i0' (extent 2) is not the only thing in loop 'i1' (extent 3); fuse takes perfectly "
    "nested neighbours, outermost first",
)
def test_fuse_in_the_wrong_order(s: Schedule) -> Callable[[], object]:
    i, j, _ = s.get_loops(s.get_block("a"))
    return lambda: s.fuse(j, i)


@refuses(
    GRID,
    "fuse: loop 'i1' (extent 3) is not the only thing in loop 'i0' (extent 2); fuse takes perfectly "
    "nested neighbours, outermost first",
)
def test_fuse_around_two_nests(s: Schedule) -> Callable[[], object]:
    a, b = s.get_block("a"), s.get_block("b")
    i, j, _ = s.get_loops(b)
    s.compute_at(a, i)
    return lambda: s.fuse(i, j)


@refuses(GRID, "reorder: 1 loops given, 1 of them different; give two or more, each once")
def test_reorder_of_one_loop(s: Schedule) -> Callable[[], object]:
    i, _, _ = s.get_loops(s.get_block("a"))
    return lambda: s.reorder(i)


@refuses(GRID, "reorder: 3 loops given, 2 of them different; give two or more, each once")
def test_reorder_of_a_loop_twice(s: Schedule) -> Callable[[], object]:
    i, j, _ = s.get_loops(s.get_block("a"))
    return lambda: s.reorder(i, j, i)


@refuses(
    GRID,
    "reorder: loops 'i0' (extent 2) and 'i0' (extent 2) are not in one nest; reorder loops around one block",
)
def test_reorder_of_two_nests(s: Schedule) -> Callable[[], object]:
    i, _, _ = s.get_loops(s.get_block("a"))
    j, _, _ = s.get_loops(s.get_block("b"))
    return lambda: s.reorder(i, j)


@refuses(
    GRID,
    "reorder: loop 'i0' (extent 2) holds more than loop 'i1' (extent 3): a; only perfectly nested "
    "loops can be reordered",
)
def test_reorder_around_two_nests(s: Schedule) -> Callable[[], object]:
    a, b = s.get_block("a"), s.get_block("b")
    i, j, _ = s.get_loops(b)
    s.compute_at(a, i)
    return lambda: s.reorder(j, i)


@refuses(
    ROW_SUMS,
    "reorder: loop 'i0' (extent 4) also holds the init 'sums_init': a reorder cannot cross it; "
    "reorder before decompose_reduction",
)
def test_reorder_across_an_init(s: Schedule) -> Callable[[], object]:
    sums = s.get_block("sums")
    i, k = s.get_loops(sums)
    s.decompose_reduction(sums, k)
    return lambda: s.reorder(k, i)


@refuses(
    GEMM,
    "reorder: loop 'i' (extent 1) is annotated dma_copy with all it holds; reorder before dma_copy, alu and tensorize",
)
def test_reorder_out_of_a_hardware_loop(s: Schedule) -> Callable[[], object]:
    n, i, _ = s.get_loops(s.get_block("inp"))
    s.dma_copy(i)
    return lambda: s.reorder(i, n)


@refuses(
    REPEATED,
    "reorder: loop 'n' (extent 2) computes elements of 'y' more than once, and loop 'k' (extent 6) "
    "reduces into them; keep it outside of the loops that reduce",
)
def test_reorder_of_a_repeating_loop_into_a_reduction(s: Schedule) -> Callable[[], object]:
    n, k = s.get_loops(s.get_block("y"))
    return lambda: s.reorder(k, n)


@refuses(GRID, "bind: loop 'i0' (extent 2) is cthread already; bind a plain serial loop")
def test_bind_twice(s: Schedule) -> Callable[[], object]:
    i, _, _ = s.get_loops(s.get_block("a"))
    s.bind(i, "cthread")
    return lambda: s.bind(i, "blockIdx.x")


@refuses(GRID, "bind: loop 'i0' (extent 2) is annotated note already; bind a plain serial loop")
def test_bind_of_an_annotated_loop(s: Schedule) -> Callable[[], object]:
    i, _, _ = s.get_loops(s.get_block("a"))
    s.annotate(i, "note", "here")
    return lambda: s.bind(i, "cthread")


@refuses(
    ROW_SUMS,
    "bind: loop 'r1' (extent 5) reduces in block 'sums': its iterations add to one result; bind a "
    "loop over spatial variables",
)
def test_bind_of_a_reduction(s: Schedule) -> Callable[[], object]:
    _, k = s.get_loops(s.get_block("sums"))
    return lambda: s.bind(k, "cthread")


@refuses(
    GRID,
    "bind: loop 'i1' (extent 3) of the same nest is bound to threadIdx.x already, and block 'a' "
    "depends on both; choose another index, or let blocks inside share its threads",
)
def test_bind_to_an_index_in_use(s: Schedule) -> Callable[[], object]:
    i, j, _ = s.get_loops(s.get_block("a"))
    s.bind(j, "threadIdx.x")
    return lambda: s.bind(i, "threadIdx.x")


@refuses(
    GRID,
    "bind: unknown thread 'warp'; a loop binds to one of cthread, blockIdx.x, blockIdx.y, "
    "blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z",
)
def test_bind_to_an_unknown_thread(s: Schedule) -> Callable[[], object]:
    i, _, _ = s.get_loops(s.get_block("a"))
    return lambda: s.bind(i, "warp")  # pyright: ignore[reportArgumentType]


@refuses(GRID, "unroll: loop 'i0' (extent 2) is cthread already; choose a plain serial loop")
def test_unroll_of_a_bound_loop(s: Schedule) -> Callable[[], object]:
    i, _, _ = s.get_loops(s.get_block("a"))
    s.bind(i, "cthread")
    return lambda: s.unroll(i)


@refuses(
    GRID,
    "vectorize: loop 'i0' (extent 2) is not an innermost loop over one block; vectorise an innermost loop",
)
def test_vectorize_of_an_outer_loop(s: Schedule) -> Callable[[], object]:
    i, _, _ = s.get_loops(s.get_block("a"))
    return lambda: s.vectorize(i)


@refuses(
    GRID,
    "vectorize: loop 'i2' (extent 4) is unrolled already; choose a plain serial loop",
)
def test_vectorize_of_an_unrolled_loop(s: Schedule) -> Callable[[], object]:
    *_, k = s.get_loops(s.get_block("a"))
    s.unroll(k)
    return lambda: s.vectorize(k)


@refuses(
    GRID,
    "annotate: 'dma_copy' is a directive of its own; use dma_copy, which checks what it applies to",
)
def test_annotate_with_a_directive(s: Schedule) -> Callable[[], object]:
    i, _, _ = s.get_loops(s.get_block("a"))
    return lambda: s.annotate(i, "dma_copy")
