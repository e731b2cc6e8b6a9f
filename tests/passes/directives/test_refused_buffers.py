"""Refusals of the directives on buffers, reductions and hardware units: full text, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable

from directive_programs import GEMM, HALO, PREFIX, ROW_SUMS, chain
from refusals import refuses
from storage_programs import REUSED_STORAGE

from vtac.schedule import Schedule

CHAIN = chain((14,), "a", "b")

EVERY_SECOND = PREFIX.replace("affine_map<(i) -> (i + 3)>", "affine_map<(i) -> (i * 2 + 1)>").replace("6x", "5x")
COMPUTING_LOAD = GEMM.replace("schedule.yield %v : i8", "%d = arith.addi %v, %v : i8\n          schedule.yield %d : i8")
COMPUTING_STORE = GEMM.replace("arith.trunci %v :", "arith.trunci %c :").replace(
    "%t = arith.trunci", "%c = arith.addi %v, %v : i32\n          %t = arith.trunci"
)
DIVISION = GEMM.replace("arith.shrsi %v, %c", "arith.divsi %v, %c")
ONE_SCOPE = GEMM.replace('"vta.wgt"', '"vta.inp"')

OVERLAPPING = """
func.func @f(%x: memref<9xi32>, %y: memref<7xi32>) {
  schedule.for %o = 0 to 2 {
    schedule.for %i = 0 to 4 {
      schedule.for %k = 0 to 3 {
        schedule.block "y" <spatial 7, reduction 3> = (d0, d1, d2) -> (d0 * 3 + d1, d2)(%o, %i, %k)
          reads %x<(d0, d1) -> (d0 + d1)> : memref<9xi32>
          writes %y<(d0, d1) -> (d0)> : memref<7xi32>
          init 0 : i32 {
        ^bb0(%v: i32, %acc: i32):
          %s = arith.addi %acc, %v : i32
          schedule.yield %s : i32
        }
      }
    }
  }
  func.return
}
"""


@refuses(CHAIN, "cache_read: block 'a' has no input 1; its inputs are x, from 0")
def test_cache_read_of_an_unknown_input(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    return lambda: s.cache_read(a, 1, "vta.inp")


@refuses(REUSED_STORAGE, "cache_read: block 'out' also writes 'out'; cache another input")
def test_cache_read_of_what_is_written_in_place(s: Schedule) -> Callable[[], object]:
    out = s.get_block("out")
    return lambda: s.cache_read(out, 2, "vta.acc")


@refuses(
    CHAIN,
    "cache_read: unknown scope 'vta.out'; the scopes are global, vta.inp, vta.wgt, vta.acc, shared, "
    "wmma.matrix_a, wmma.matrix_b, wmma.accumulator, local",
)
def test_cache_read_in_an_unknown_scope(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    return lambda: s.cache_read(a, 0, "vta.out")


@refuses(CHAIN, "cache_write: output 1 of block 'a'; a block has one output, index 0")
def test_cache_write_of_a_second_output(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    return lambda: s.cache_write(a, 1, "vta.acc")


@refuses(
    ROW_SUMS,
    "cache_write: 'sums' is written by several blocks; use it before decompose_reduction",
)
def test_cache_write_of_a_decomposed_block(s: Schedule) -> Callable[[], object]:
    sums = s.get_block("sums")
    _, k = s.get_loops(sums)
    s.decompose_reduction(sums, k)
    return lambda: s.cache_write(sums, 0, "vta.acc")


@refuses(PREFIX, "cache_write: block 'sum' continues from what 'sum' holds; give it an init")
def test_cache_write_of_a_running_sum(s: Schedule) -> Callable[[], object]:
    total = s.get_block("sum")
    return lambda: s.cache_write(total, 0, "vta.acc")


@refuses(
    CHAIN,
    "cache_write: block 'b' reads 'a' in the nest that writes it, before the copy; use cache_write before compute_at",
)
def test_cache_write_inside_the_nest_of_a_reader(s: Schedule) -> Callable[[], object]:
    a, b = s.get_block("a"), s.get_block("b")
    (i,) = s.get_loops(b)
    s.compute_at(a, i)
    return lambda: s.cache_write(a, 0, "vta.acc")


@refuses(
    EVERY_SECOND,
    "cache_write: block 't' writes 't' with gaps, which a copy would overwrite; use cache_write "
    "before fuse and split with guard, on a block that writes a box",
)
def test_cache_write_of_a_part_with_gaps(s: Schedule) -> Callable[[], object]:
    t = s.get_block("t")
    return lambda: s.cache_write(t, 0, "vta.acc")


@refuses(
    CHAIN,
    "set_scope: 'b' is an argument and lives in global memory; use cache_read or cache_write to stage it on chip",
)
def test_set_scope_of_an_argument(s: Schedule) -> Callable[[], object]:
    b = s.get_block("b")
    return lambda: s.set_scope(b, 0, "vta.acc")


@refuses(CHAIN, "set_scope: output 1 of a block; a block has one output, index 0")
def test_set_scope_of_a_second_output(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    return lambda: s.set_scope(a, 1, "vta.acc")


@refuses(
    CHAIN,
    "set_scope: unknown scope 'dram'; the scopes are global, vta.inp, vta.wgt, vta.acc, shared, "
    "wmma.matrix_a, wmma.matrix_b, wmma.accumulator, local",
)
def test_set_scope_to_an_unknown_scope(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    return lambda: s.set_scope(a, 0, "dram")


@refuses(
    CHAIN,
    "decompose_reduction: block 'a' has no init; only a reduction that starts from a constant can be decomposed",
)
def test_decompose_without_an_init(s: Schedule) -> Callable[[], object]:
    a = s.get_block("a")
    (i,) = s.get_loops(a)
    return lambda: s.decompose_reduction(a, i)


@refuses(
    ROW_SUMS,
    "decompose_reduction: loop 'i0' (extent 4) is not around block 'sums'; choose one of its loops",
)
def test_decompose_at_a_loop_elsewhere(s: Schedule) -> Callable[[], object]:
    sums = s.get_block("sums")
    i, *_ = s.get_loops(s.get_block("product"))
    return lambda: s.decompose_reduction(sums, i)


@refuses(
    ROW_SUMS,
    "decompose_reduction: loop 'r1' (extent 5) outside 'i0' (extent 4) reduces in block 'sums'; "
    "decompose at 'r1' (extent 5)",
)
def test_decompose_inside_a_reduction(s: Schedule) -> Callable[[], object]:
    sums = s.get_block("sums")
    i, k = s.get_loops(sums)
    s.reorder(k, i)
    return lambda: s.decompose_reduction(sums, i)


@refuses(
    ROW_SUMS,
    "decompose_reduction: loop 'i0_r1_fused' (extent 20) is spatial and reducing at once; do not fuse across the kinds",
)
def test_decompose_of_a_loop_fused_across_the_kinds(s: Schedule) -> Callable[[], object]:
    sums = s.get_block("sums")
    fused = s.fuse(*s.get_loops(sums))
    return lambda: s.decompose_reduction(sums, fused)


@refuses(
    OVERLAPPING,
    "decompose_reduction: loop 'o' (extent 2) computes elements of 'y' more than once, and would "
    "start them once; choose the outermost loop that reduces",
)
def test_decompose_around_overlapping_tiles(s: Schedule) -> Callable[[], object]:
    y = s.get_block("y")
    outer, _, _ = s.get_loops(y)
    return lambda: s.decompose_reduction(y, outer)


@refuses(
    HALO,
    "dma_copy: block 'a' copies from global to global; DMA moves global to vta.inp, vta.wgt, "
    "vta.acc, and vta.acc to global: use set_scope first",
)
def test_dma_copy_between_the_wrong_scopes(s: Schedule) -> Callable[[], object]:
    i, _ = s.get_loops(s.get_block("a"))
    return lambda: s.dma_copy(i)


@refuses(
    COMPUTING_LOAD,
    "dma_copy: block 'inp' computes, the load unit only copies; move the computation to a block of its own",
)
def test_dma_copy_of_a_computation_on_load(s: Schedule) -> Callable[[], object]:
    n, *_ = s.get_loops(s.get_block("inp"))
    return lambda: s.dma_copy(n)


@refuses(
    COMPUTING_STORE,
    "dma_copy: block 'y' computes, the store unit only truncates; move the computation to a block of its own",
)
def test_dma_copy_of_a_computation_on_store(s: Schedule) -> Callable[[], object]:
    n, *_ = s.get_loops(s.get_block("y"))
    return lambda: s.dma_copy(n)


@refuses(
    GEMM,
    "dma_copy: loop 'n' (extent 2) holds more than one statement; choose a loop over one block",
)
def test_dma_copy_of_two_statements(s: Schedule) -> Callable[[], object]:
    acc, inp = s.get_block("acc"), s.get_block("inp")
    n, *_ = s.get_loops(acc)
    s.compute_at(inp, n)
    return lambda: s.dma_copy(n)


@refuses(GEMM, "dma_copy: loop 'n' (extent 2) is dma_copy already; map each loop once")
def test_dma_copy_twice(s: Schedule) -> Callable[[], object]:
    n, i, _ = s.get_loops(s.get_block("inp"))
    s.dma_copy(n)
    return lambda: s.dma_copy(i)


@refuses(
    DIVISION,
    "alu: block 'shr': expected one of arith.minsi, maxsi, addi, subi, shrsi, shli, found "
    "arith.divsi; the vector ALU computes min, max, add and shifts",
)
def test_alu_of_another_operation(s: Schedule) -> Callable[[], object]:
    n, *_ = s.get_loops(s.get_block("shr"))
    return lambda: s.alu(n)


@refuses(
    CHAIN,
    "alu: 'x' of block 'a' lives in global; the ALU works on vta.acc: use set_scope, cache_read or cache_write first",
)
def test_alu_in_global_memory(s: Schedule) -> Callable[[], object]:
    (i,) = s.get_loops(s.get_block("a"))
    return lambda: s.alu(i)


@refuses(
    GEMM,
    "tensorize: no intrinsic 'vta.conv'; the intrinsics are vta.gemm, wmma.load_matrix_sync, "
    "wmma.mma_sync, wmma.store_matrix_sync, wmma.fill_fragment, mma.m16n8k16, mma.m16n8k8, "
    "mma.m16n8k32, mma.ldmatrix, mma.store, mma.stmatrix, wgmma.m64nNk16, wgmma.m64nNk8, "
    "wgmma.m64nNk32, tma.load, tma.store",
)
def test_tensorize_with_an_unknown_intrinsic(s: Schedule) -> Callable[[], object]:
    n, *_ = s.get_loops(s.get_block("acc"))
    return lambda: s.tensorize(n, "vta.conv")


@refuses(
    GEMM,
    "tensorize: loop 'n' (extent 2) is not vta.gemm: expected one tile of 'acc', found loop 'n' "
    "moving between tiles; change the schedule or the program to match",
)
def test_tensorize_of_more_than_a_tile(s: Schedule) -> Callable[[], object]:
    n, *_ = s.get_loops(s.get_block("acc"))
    return lambda: s.tensorize(n, "vta.gemm")


@refuses(
    ONE_SCOPE,
    "tensorize: loop 'i' (extent 1) is not vta.gemm: expected 'wgt' in scope vta.wgt, found vta.inp; "
    "copy the data with cache_read into 'vta.inp', the weights into 'vta.wgt'",
)
def test_tensorize_in_the_wrong_scope(s: Schedule) -> Callable[[], object]:
    _, i, *_ = s.get_loops(s.get_block("acc"))
    return lambda: s.tensorize(i, "vta.gemm")


@refuses(
    GEMM,
    "tensorize: loop 'n' (extent 2) is not vta.gemm: expected two inputs and a reduction, found 1 "
    "inputs; change the schedule or the program to match",
)
def test_tensorize_of_another_statement(s: Schedule) -> Callable[[], object]:
    n, *_ = s.get_loops(s.get_block("shr"))
    return lambda: s.tensorize(n, "vta.gemm")


@refuses(GEMM, "tensorize: loop 'i' (extent 1) is tensorize already; map each loop once")
def test_tensorize_twice(s: Schedule) -> Callable[[], object]:
    _, i, o, _ = s.get_loops(s.get_block("acc"))
    s.tensorize(i, "vta.gemm")
    return lambda: s.tensorize(o, "vta.gemm")
