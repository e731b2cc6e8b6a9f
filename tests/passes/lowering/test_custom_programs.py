"""Programs that are none of the three workloads, executed and proven safe."""

from __future__ import annotations

from io import StringIO

import numpy as np
from product_programs import (
    COLUMN,
    PRODUCT,
    TILE,
    clipped,
    multiply,
    pointwise,
    product,
    requantised,
    schedule_product,
    tiles,
    weights,
)
from run_checks import random_int8, run_checked
from xdsl.printer import Printer

import vtac
from vtac.workloads.linalg_text import MULTIPLY_ACCUMULATE, affine_map, iterators, tensor
from vtac.workloads.matmul import Matmul, MatmulTiling


def test_two_layers_with_an_intermediate_in_dram() -> None:
    text = f"""func.func @layers(%data: {tiles(2, 4)}, %weight: {weights(3, 4)}, %v: {weights(2, 3)})
    -> {tiles(2, 2)} {{
{product("first", "data", "weight", 2, 4, 3)}{requantised("hidden", "first", (2, 3, 1, 16))}
{product("second", "hidden", "v", 2, 3, 2)}{requantised("out", "second", (2, 2, 1, 16))}
  func.return %out : {tiles(2, 2)}
}}
"""
    schedule = vtac.Schedule(text)
    schedule_product(schedule, "first", ("hidden_shift", "hidden_clip"), "hidden")
    schedule_product(schedule, "second", ("out_shift", "out_clip"), "out")
    program = vtac.compile(text, schedule=schedule)
    x, w, v = random_int8(4, (2, 4, 1, 16), (3, 4, 16, 16), (2, 3, 16, 16))
    expected = clipped(multiply(clipped(multiply(x, w)), v))
    assert np.array_equal(run_checked(program, x, w, v), expected)
    assert [buffer.role for buffer in program.stream.buffers] == ["input"] * 3 + ["output", "scratch", "uop"]


def test_bias_is_broadcast_over_rows() -> None:
    wide = tiles(4, 3, "i32")
    bias = tensor((3, 1, 16), "i32")
    row = affine_map("n, i, j", "n, i, j")
    copy = f"""
  %b_empty = tensor.empty() : {bias}
  %b = linalg.generic {{indexing_maps = [{row}, {row}], {iterators(3)}}}
    ins(%bias : {bias}) outs(%b_empty : {bias}) {{
  ^bb0(%x0: i32, %o: i32):
    linalg.yield %x0 : i32
  }} -> {bias}"""
    text = f"""func.func @biased(%data: {tiles(4, 2)}, %weight: {weights(3, 2)}, %bias: {bias})
    -> {tiles(4, 3)} {{{copy}{product("sums", "data", "weight", 4, 2, 3)}
{pointwise("total", ["sums", "b"], [wide, bias], [TILE, COLUMN], "%y = arith.addi %x0, %x1 : i32", wide)}
{requantised("out", "total", (4, 3, 1, 16))}
  func.return %out : {tiles(4, 3)}
}}
"""
    schedule = vtac.Schedule(text)
    staged = schedule.get_block("b")
    schedule.set_scope(staged, "vta.acc")
    schedule.dma_copy(schedule.get_loops(staged)[0])
    schedule_product(schedule, "sums", ("total", "out_shift", "out_clip"), "out")
    x, w = random_int8(5, (4, 2, 1, 16), (3, 2, 16, 16))
    added = np.random.default_rng(6).integers(-9999, 9999, (3, 1, 16), dtype=np.int32)
    result = run_checked(vtac.compile(text, schedule=schedule), x, w, added)
    assert np.array_equal(result, clipped(multiply(x, w) + added[None]))


def test_residual_is_added_in_the_accumulator() -> None:
    wide = tiles(2, 3, "i32")
    text = f"""func.func @residual(%data: {tiles(2, 2)}, %weight: {weights(3, 2)}, %skip: {wide})
    -> {tiles(2, 3)} {{
{pointwise("s", ["skip"], [wide], [TILE], "", wide)}{product("sums", "data", "weight", 2, 2, 3)}
{pointwise("total", ["sums", "s"], [wide, wide], [TILE, TILE], "%y = arith.addi %x0, %x1 : i32", wide)}
{requantised("out", "total", (2, 3, 1, 16))}
  func.return %out : {tiles(2, 3)}
}}
"""
    schedule = vtac.Schedule(text)
    staged = schedule.get_block("s")
    schedule.set_scope(staged, "vta.acc")
    schedule.dma_copy(schedule.get_loops(staged)[0])
    schedule_product(schedule, "sums", ("total", "out_shift", "out_clip"), "out")
    x, w = random_int8(7, (2, 2, 1, 16), (3, 2, 16, 16))
    skip = np.random.default_rng(8).integers(-9999, 9999, (2, 3, 1, 16), dtype=np.int32)
    result = run_checked(vtac.compile(text, schedule=schedule), x, w, skip)
    assert np.array_equal(result, clipped(multiply(x, w) + skip))


def test_accumulation_onto_a_tensor() -> None:
    """A product whose output starts from an argument is loaded, not reset."""
    wide = tiles(2, 3, "i32")
    inputs = f"{tiles(2, 2)}, {weights(3, 2)}"
    text = f"""func.func @onto(%data: {tiles(2, 2)}, %weight: {weights(3, 2)}, %start: {wide})
    -> {tiles(2, 3)} {{
  %sums = linalg.generic {{indexing_maps = [{", ".join(PRODUCT)}], {iterators(4, 2)}}}
    ins(%data, %weight : {inputs}) outs(%start : {wide}) {{{MULTIPLY_ACCUMULATE}
  }} -> {wide}{requantised("out", "sums", (2, 3, 1, 16))}
  func.return %out : {tiles(2, 3)}
}}
"""
    schedule = vtac.Schedule(text)
    schedule_product(schedule, "sums", ("out_shift", "out_clip"), "out")
    schedule.dma_copy(schedule.get_loops(schedule.get_block("sums_init"))[0])
    x, w = random_int8(9, (2, 2, 1, 16), (3, 2, 16, 16))
    start = np.random.default_rng(10).integers(-9999, 9999, (2, 3, 1, 16), dtype=np.int32)
    program = vtac.compile(text, schedule=schedule)
    assert np.array_equal(run_checked(program, x, w, start), clipped(multiply(x, w) + start))
    assert program.stats["acc_load_nbytes"] == start.nbytes


MEMREFS = """#id = affine_map<(t, b, c) -> (t, b, c)>
func.func @in_place(%a: memref<6x1x16xi32>, %out: memref<6x1x16xi8>, %low: memref<6x1x16xi8>) {
  %staged = memref.alloc() : memref<6x1x16xi32>
  %more = memref.alloc() : memref<6x1x16xi32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%a : memref<6x1x16xi32>) outs(%staged : memref<6x1x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    linalg.yield %x : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%staged : memref<6x1x16xi32>) outs(%more : memref<6x1x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 5 : i32
    %y = arith.addi %x, %c : i32
    linalg.yield %y : i32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%more : memref<6x1x16xi32>) outs(%out : memref<6x1x16xi8>) {
  ^bb0(%x: i32, %o: i8):
    %y = arith.trunci %x : i32 to i8
    linalg.yield %y : i8
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%more : memref<6x1x16xi32>) outs(%low : memref<6x1x16xi8>) {
  ^bb0(%x: i32, %o: i8):
    %y = arith.trunci %x : i32 to i8
    linalg.yield %y : i8
  }
  func.return
}
"""


def memref_schedule() -> vtac.Schedule:
    schedule = vtac.Schedule(MEMREFS)
    for name, scope in (("staged", "vta.acc"), ("more", "vta.acc"), ("out", None), ("low", None)):
        block = schedule.get_block(name)
        if scope is not None:
            schedule.set_scope(block, scope)
        (schedule.alu if name == "more" else schedule.dma_copy)(schedule.get_loops(block)[0])
    return schedule


def test_function_on_memrefs_takes_all_and_returns_what_it_writes() -> None:
    program = vtac.compile(MEMREFS, schedule=memref_schedule())
    a = np.arange(96, dtype=np.int32).reshape(6, 1, 16)
    out, low = np.full((6, 1, 16), 3, np.int8), np.zeros((6, 1, 16), np.int8)
    results = program(a, out, low)
    assert isinstance(results, tuple)
    assert all(np.array_equal(result, (a + 5).astype(np.int8)) for result in results)
    assert np.all(out == 3)
    assert vtac.check(program) == []


def test_generic_syntax_compiles_to_the_same_stream() -> None:
    layer = Matmul(1, 64, 64)
    schedule = layer.schedule(MatmulTiling(1, 32, 32))
    printed = StringIO()
    Printer(printed, print_generic_format=True).print_op(vtac.parse(layer.text()))
    generic = vtac.compile(printed.getvalue() + "\n", schedule=schedule)
    assert generic.stream.instructions == vtac.compile(layer.text(), schedule=schedule).stream.instructions


def test_unrolled_loops_write_their_kernels_out() -> None:
    layer = Matmul(1, 64, 64)
    schedule = layer.schedule(MatmulTiling(1, 32, 32))
    result = schedule.get_block("res")
    _, outer, *_ = schedule.get_loops(result)
    schedule.unroll(outer)
    program = vtac.compile(layer.text(), schedule=schedule)
    data, weight = random_int8(11, (1, 4, 1, 16), (4, 4, 16, 16))
    expected = np.clip(multiply(data, weight) >> 8, 0, 127).astype(np.int8)
    assert np.array_equal(run_checked(program, data, weight), expected)
    plain = vtac.compile(layer.text(), schedule=layer.schedule(MatmulTiling(1, 32, 32)))
    assert len(program.stream.micro_ops) == 2 * len(plain.stream.micro_ops)


def test_virtual_threads_share_what_is_loaded_outside_them() -> None:
    text = f"""func.func @shared(%data: {tiles(2, 2)}, %weight: {weights(4, 2)})
    -> {tiles(2, 4)} {{{product("sums", "data", "weight", 2, 2, 4)}
{requantised("out", "sums", (2, 4, 1, 16))}
  func.return %out : {tiles(2, 4)}
}}
"""
    schedule = vtac.Schedule(text)
    out, sums = schedule.get_block("out"), schedule.get_block("sums")
    m, n, i, j = schedule.get_loops(out)
    n_out, n_in = schedule.split(n, factor=2)
    schedule.reorder(n_out, m, n_in, i, j)
    elementwise = [schedule.get_block(name) for name in ("out_clip", "out_shift")]
    for block in (*elementwise, sums):
        schedule.compute_at(block, n_out)
    *_, rows, columns, row, column, depth, k = schedule.get_loops(sums)
    schedule.reorder(depth, rows, columns, row, column, k)
    schedule.bind(n_out, "cthread")
    data, weight = schedule.cache_read(sums, 0, "vta.inp"), schedule.cache_read(sums, 1, "vta.wgt")
    schedule.compute_at(weight, n_out)
    for block in (sums, *elementwise):
        schedule.set_scope(block, "vta.acc")
    for block in (data, weight):
        schedule.dma_copy(schedule.get_loop(block, "i0"))
    schedule.tensorize(row, "vta.gemm")
    for block in elementwise:
        schedule.alu(schedule.get_loop(block, "i0"))
    schedule.dma_copy(m)
    program = vtac.compile(text, schedule=schedule)
    x, w = random_int8(12, (2, 2, 1, 16), (4, 2, 16, 16))
    assert np.array_equal(run_checked(program, x, w), clipped(multiply(x, w)))
    assert program.stats["inp_load_nbytes"] == x.nbytes
    assert program.stats["wgt_load_nbytes"] == w.nbytes


def test_copies_of_three_dimensions_that_do_not_fold() -> None:
    """A window of 2 x 3 x 5 out of 4 x 6 x 10 tiles moves by one transfer per outer row."""
    wide, narrow = tensor((4, 6, 10, 1, 16), "i32"), tensor((4, 6, 10, 1, 16), "i8")
    steps = (
        ("in", "x", "i32", ""),
        ("more", "in", "i32", "%c = arith.constant 1 : i32\n    %y = arith.addi %v, %c : i32"),
        ("out", "more", "i8", "%y = arith.trunci %v : i32 to i8"),
    )
    lines = [
        f"""  %e_{name} = tensor.empty() : {wide if kind == "i32" else narrow}
  %{name} = linalg.generic {{indexing_maps = [#id, #id], {iterators(5)}}}
    ins(%{source} : {wide}) outs(%e_{name} : {wide if kind == "i32" else narrow}) {{
  ^bb0(%v: i32, %o: {kind}):
    {body}
    linalg.yield {"%y" if body else "%v"} : {kind}
  }} -> {wide if kind == "i32" else narrow}"""
        for name, source, kind, body in steps
    ]
    text = f"""#id = {affine_map("a, b, c, i, j", "a, b, c, i, j")}
func.func @windows(%x: {wide}) -> {narrow} {{
{chr(10).join(lines)}
  func.return %out : {narrow}
}}
"""
    schedule = vtac.Schedule(text)
    out = schedule.get_block("out")
    a, b, c, i, j = schedule.get_loops(out)
    pairs = [schedule.split(loop, factor=factor) for loop, factor in ((a, 2), (b, 3), (c, 5))]
    schedule.reorder(*(outer for outer, _ in pairs), *(inner for _, inner in pairs), i, j)
    blocks = {name: schedule.get_block(name) for name in ("more", "in")}
    for block in blocks.values():
        schedule.set_scope(block, "vta.acc")
    for name, block in blocks.items():
        schedule.compute_at(block, pairs[-1][0])
        (schedule.alu if name == "more" else schedule.dma_copy)(schedule.get_loop(block, "i0"))
    schedule.dma_copy(pairs[0][1])
    x = np.random.default_rng(13).integers(-99, 99, (4, 6, 10, 1, 16), dtype=np.int32)
    program = vtac.compile(text, schedule=schedule)
    assert np.array_equal(run_checked(program, x), (x + 1).astype(np.int8))
    instructions = program.disassemble()
    assert instructions.count("3 x 5 stride 10") == 2 * 2 * 8
