"""Refusals of reverse_compute_at: full text, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable

from directive_programs import GEMM, HALO, POOL, PREFIX, ROW_SUMS, chain
from refusals import refuses
from storage_programs import REUSED_STORAGE, UPDATED

from vtac.schedule import Schedule

CHAIN = chain((14,), "a", "b", "c")
GRID = chain((2, 12), "a", "b", "c")
OLD_CONTENTS = REUSED_STORAGE.replace("ins(%out : memref<8xi32>) outs(%x", "ins(%last : memref<8xi32>) outs(%x")


OUTER_SUM = """
func.func @f(%x: memref<8xi32>, %y: memref<8x8xi32>) {
  %s = memref.alloc() : memref<8xi32>
  %t = memref.alloc() : memref<8xi32>
  schedule.for %o = 0 to 2 {
    schedule.for %i = 0 to 4 {
      schedule.block "s" <spatial 8> = (d0, d1) -> (d0 * 4 + d1)(%o, %i)
        reads %x<(d0) -> (d0)> : memref<8xi32>
        writes %s<(d0) -> (d0)> : memref<8xi32> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
    schedule.for %i = 0 to 4 {
      schedule.block "t" <spatial 8> = (d0, d1) -> (d0 * 4 + d1)(%o, %i)
        reads %x<(d0) -> (7 - d0)> : memref<8xi32>
        writes %t<(d0) -> (d0)> : memref<8xi32> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  schedule.for %i = 0 to 8 {
    schedule.for %j = 0 to 8 {
      schedule.block "y" <spatial 8, spatial 8> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %s<(d0, d1) -> (d0)> : memref<8xi32>
        reads %t<(d0, d1) -> (d1)> : memref<8xi32>
        writes %y<(d0, d1) -> (d0, d1)> : memref<8x8xi32> {
      ^bb0(%v: i32, %w: i32):
        %p = arith.addi %v, %w : i32
        schedule.yield %p : i32
      }
    }
  }
  func.return
}
"""


@refuses(
    CHAIN,
    "reverse_compute_at: block 'b' already stands in loop 'i0' (extent 14); nothing needs to move",
)
def test_reverse_compute_at_where_it_stands(s: Schedule) -> Callable[[], object]:
    b = s.get_block("b")
    (i,) = s.get_loops(b)
    return lambda: s.reverse_compute_at(b, i)


@refuses(
    GEMM,
    "reverse_compute_at: loop 'n' (extent 2) is annotated alu with all it holds; move blocks before "
    "dma_copy, alu and tensorize",
)
def test_reverse_compute_at_into_a_hardware_loop(s: Schedule) -> Callable[[], object]:
    n, *_ = s.get_loops(s.get_block("shr"))
    s.alu(n)
    y = s.get_block("y")
    return lambda: s.reverse_compute_at(y, n)


@refuses(
    CHAIN,
    "reverse_compute_at: loop 'i0' (extent 14) produces nothing that block 'c' reads; choose a loop of its producers",
)
def test_reverse_compute_at_of_a_later_consumer(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    c = s.get_block("c")
    return lambda: s.reverse_compute_at(c, i)


@refuses(
    ROW_SUMS,
    "reverse_compute_at: 'sums' is written by several blocks; move it before decompose_reduction",
)
def test_reverse_compute_at_of_a_decomposed_block(s: Schedule) -> Callable[[], object]:
    sums = s.get_block("sums")
    _, k = s.get_loops(sums)
    s.decompose_reduction(sums, k)
    i, *_ = s.get_loops(s.get_block("product"))
    return lambda: s.reverse_compute_at(sums, i)


@refuses(
    PREFIX,
    "reverse_compute_at: block 'sum' continues from what 'sum' holds and may run once only; compute "
    "into a buffer of its own",
)
def test_reverse_compute_at_of_a_running_sum(s: Schedule) -> Callable[[], object]:
    total = s.get_block("sum")
    (i,) = s.get_loops(s.get_block("out"))
    return lambda: s.reverse_compute_at(total, i)


@refuses(
    OLD_CONTENTS,
    "reverse_compute_at: block 'x' reads 'last' before block 'last' overwrites it; let the program "
    "write a buffer of its own there",
)
def test_reverse_compute_at_before_a_reader_of_old_contents(s: Schedule) -> Callable[[], object]:
    last = s.get_block("last")
    (i,) = s.get_loops(s.get_block("out"))
    return lambda: s.reverse_compute_at(last, i)


@refuses(
    ROW_SUMS,
    "reverse_compute_at: loop 'r2' (extent 6) reduces in 'product': its result is not complete "
    "there; choose a loop outside every reduction",
)
def test_reverse_compute_at_into_a_reduction(s: Schedule) -> Callable[[], object]:
    *_, k = s.get_loops(s.get_block("product"))
    sums = s.get_block("sums")
    return lambda: s.reverse_compute_at(sums, k)


@refuses(
    ROW_SUMS,
    "reverse_compute_at: block 'sums' reduces over 5 values, of which one iteration of loop 'i1' "
    "(extent 5) produces 1; choose a loop outside those over what it reduces",
)
def test_reverse_compute_at_of_a_reduction_over_the_loop(s: Schedule) -> Callable[[], object]:
    _, j, _ = s.get_loops(s.get_block("product"))
    sums = s.get_block("sums")
    return lambda: s.reverse_compute_at(sums, j)


@refuses(
    REUSED_STORAGE,
    "reverse_compute_at: block 's' reads 'x' before block 'x' overwrites it; let the program write a "
    "buffer of its own there",
)
def test_reverse_compute_at_before_an_overwrite(s: Schedule) -> Callable[[], object]:
    block = s.get_block("s")
    (i,) = s.get_loops(s.get_block("x"))
    return lambda: s.reverse_compute_at(block, i)


@refuses(
    HALO,
    "reverse_compute_at: block 'd' also reads 'b', which block 'b' writes outside loop 'i0' (extent "
    "9), not before its nest; move its producers before it",
)
def test_reverse_compute_at_before_another_producer(s: Schedule) -> Callable[[], object]:
    d = s.get_block("d")
    i, _ = s.get_loops(s.get_block("a"))
    return lambda: s.reverse_compute_at(d, i)


@refuses(
    POOL,
    "reverse_compute_at: block 'p' reads with padding; use compute_at on its producer instead",
)
def test_reverse_compute_at_of_a_padded_read(s: Schedule) -> Callable[[], object]:
    p = s.get_block("p")
    c, *_ = s.get_loops(s.get_block("a"))
    return lambda: s.reverse_compute_at(p, c)


@refuses(
    POOL,
    "reverse_compute_at: block 'm' reads index ((d1 * 2) + d3), so what it needs is not what was "
    "just produced; use compute_at on its producer instead",
)
def test_reverse_compute_at_of_a_window(s: Schedule) -> Callable[[], object]:
    m = s.get_block("m")
    c, *_ = s.get_loops(s.get_block("p"))
    return lambda: s.reverse_compute_at(m, c)


@refuses(
    GRID,
    "reverse_compute_at: 'a' writes 'a' in loop 'i1_inner' (extent 4) with gaps: what one iteration "
    "produces is no box; choose an outer loop, or do not fuse or guard the producer's loops",
)
def test_reverse_compute_at_of_what_has_gaps(s: Schedule) -> Callable[[], object]:
    a, b = s.get_block("a"), s.get_block("b")
    _, j = s.get_loops(a)
    outer, inner = s.split(j, factor=4)
    s.reorder(inner, outer)
    return lambda: s.reverse_compute_at(b, inner)


@refuses(
    PREFIX,
    "reverse_compute_at: block 'out' reads 't', of which the loop writes only a part; use compute_at "
    "on the producer instead",
)
def test_reverse_compute_at_of_a_part(s: Schedule) -> Callable[[], object]:
    out = s.get_block("out")
    (i,) = s.get_loops(s.get_block("t"))
    return lambda: s.reverse_compute_at(out, i)


@refuses(
    OUTER_SUM,
    "reverse_compute_at: block 'y' needs parts of 't' that other iterations produce; use compute_at "
    "on its producers instead",
)
def test_reverse_compute_at_of_a_product_of_tiles(s: Schedule) -> Callable[[], object]:
    y = s.get_block("y")
    outer, _ = s.get_loops(s.get_block("s"))
    return lambda: s.reverse_compute_at(y, outer)


@refuses(
    UPDATED,
    "reverse_compute_at: block 'second' updates 'first' in loop 'i0_i1_fused' (extent 8), each iteration of which "
    "block 'first' starts afresh; leave it in that loop",
)
def test_what_starts_a_repeated_update_afresh_stays_with_it(s: Schedule) -> Callable[[], object]:
    first, second, both = s.get_block("first"), s.get_block("second"), s.get_block("both")
    loop = s.fuse(*s.get_loops(both))
    copy = s.cache_read(first, 1, "global")
    s.compute_at(second, loop)
    target = s.get_loops(copy)[0]
    return lambda: s.reverse_compute_at(first, target)
