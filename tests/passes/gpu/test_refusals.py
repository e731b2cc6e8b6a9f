"""Schedules that a GPU cannot run are refused where they are written, or by the pass that meets them."""

from __future__ import annotations

import pytest
from lowering import lower

from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError, ConfigError, ScheduleError
from vtac.schedule import LoopRef, Schedule
from vtac.targets.cuda.schedules import default_schedule
from vtac.text.source import parse
from vtac.workloads.wmma_conv2d import SeedTiling, WmmaConv2D
from vtac.workloads.wmma_matmul import FRAGMENTS, MatmulTiling, WmmaMatmul

COPY = """
func.func @f(%x: tensor<{shape}x{element}>) -> tensor<{shape}x{element}> {{
  %empty = tensor.empty() : tensor<{shape}x{element}>
  %y = linalg.generic {{indexing_maps = [{source}, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}}
    ins(%x : tensor<{shape}x{element}>) outs(%empty : tensor<{shape}x{element}>) {{
  ^bb0(%v: {element}, %o: {element}):
    {body}
    linalg.yield %r : {element}
  }} -> tensor<{shape}x{element}>
  func.return %y : tensor<{shape}x{element}>
}}
"""


def copy(
    element: str = "f16", source: str = "affine_map<(i, j) -> (i, j)>", body: str = "", shape: str = "64x64"
) -> tuple[Schedule, LoopRef, LoopRef]:
    """A schedule of a copy of 64 x 64 elements, and its loops."""
    text = COPY.format(element=element, source=source, body=body, shape=shape)
    schedule = Schedule(text.replace("linalg.yield %r", "linalg.yield %v") if not body else text)
    rows, columns = schedule.get_loops(schedule.get_block("y"))
    return schedule, rows, columns


def lowered(schedule: Schedule, text: str) -> str:
    with pytest.raises(CompileError) as caught:
        lower(text, None, schedule)
    return str(caught.value)


def vectorized(element: str, lanes: int, source: str = "affine_map<(i, j) -> (i, j)>", body: str = "") -> str:
    """What lowering says of a copy whose columns are vectorised by `lanes`."""
    schedule, rows, columns = copy(element, source, body)
    schedule.bind(rows, "threadIdx.x")
    _, vector = schedule.split(columns, factor=lanes)
    schedule.vectorize(vector)
    text = COPY.format(element=element, source=source, body=body, shape="64x64")
    return lowered(schedule, text if body else text.replace("linalg.yield %r", "linalg.yield %v"))


def test_a_vector_of_more_than_16_bytes() -> None:
    message = vectorized("f16", 16)
    assert "vectorize of loop 'i1_inner' of block 'y': 16 lanes of 32 bytes together" in message
    assert "vectorise copies of 2, 4, 8 or 16 bytes" in message


def test_a_vector_of_three_lanes() -> None:
    schedule, rows, columns = copy(shape="64x48")
    schedule.bind(rows, "threadIdx.x")
    _, vector = schedule.split(columns, factor=3)
    schedule.vectorize(vector)
    text = COPY.format(element="f16", source="affine_map<(i, j) -> (i, j)>", body="", shape="64x48")
    message = lowered(schedule, text.replace("linalg.yield %r", "linalg.yield %v"))
    assert "3 lanes of 6 bytes together" in message


def test_a_vector_that_computes() -> None:
    message = vectorized("f32", 4, body="%r = arith.addf %v, %v : f32")
    assert "vectorise copies of 2, 4, 8 or 16 bytes" in message


def test_a_vector_with_a_stride() -> None:
    message = vectorized("f16", 8, source="affine_map<(i, j) -> (j, i)>")
    assert "'x' is reached with stride 64 from" in message
    assert "a vector copy needs stride 1 and offsets that are multiples of 8 elements" in message


def test_vectorize_of_an_outer_loop() -> None:
    schedule, rows, _ = copy()
    with pytest.raises(ScheduleError, match="is not an innermost loop over one block; vectorise an innermost loop"):
        schedule.vectorize(rows)


def test_a_loop_is_bound_once() -> None:
    schedule, rows, _ = copy()
    schedule.bind(rows, "threadIdx.x")
    with pytest.raises(ScheduleError, match=r"is threadIdx\.x already; bind a plain serial loop"):
        schedule.bind(rows, "threadIdx.y")


def test_two_dependent_loops_of_one_index() -> None:
    schedule, rows, columns = copy()
    schedule.bind(rows, "threadIdx.x")
    with pytest.raises(ScheduleError) as caught:
        schedule.bind(columns, "threadIdx.x")
    assert "of the same nest is bound to threadIdx.x already, and block 'y' depends on both" in str(caught.value)
    assert "choose another index" in str(caught.value)


def test_a_reduction_is_not_bound() -> None:
    schedule = Schedule(WmmaMatmul(32, 32, 32).text())
    *_, k = schedule.get_loops(schedule.get_block("c"))
    with pytest.raises(ScheduleError, match="reduces in block 'c': its iterations add to one result"):
        schedule.bind(k, "threadIdx.x")


def test_an_unknown_index() -> None:
    schedule, rows, _ = copy()
    with pytest.raises(ScheduleError, match=r"threadIdx\.w"):
        schedule.bind(rows, "threadIdx.w")  # pyright: ignore[reportArgumentType]


def test_one_index_with_two_extents() -> None:
    text = COPY.format(element="f16", source="affine_map<(i, j) -> (i, j)>", body="", shape="64x64")
    text = text.replace("linalg.yield %r", "linalg.yield %v")
    schedule = Schedule(text)
    block = schedule.get_block("y")
    cached = schedule.cache_read(block, 0, "shared")
    rows, _ = schedule.get_loops(block)
    outer, inner = schedule.split(rows, factor=16)
    schedule.bind(outer, "blockIdx.x")
    schedule.bind(inner, "threadIdx.x")
    schedule.compute_at(cached, outer)
    *_, columns = schedule.get_loops(cached)
    schedule.bind(columns, "threadIdx.x")
    message = lowered(schedule, text)
    assert "loop 'i0_inner' has extent 16, another loop bound to threadIdx.x 64" in message
    assert "all loops of one index must have one extent" in message


def test_more_than_1024_threads() -> None:
    text = COPY.format(element="f16", source="affine_map<(i, j) -> (i, j)>", body="", shape="64x64")
    schedule, rows, columns = copy()
    schedule.bind(rows, "threadIdx.y")
    schedule.bind(columns, "threadIdx.x")
    message = lowered(schedule, text.replace("linalg.yield %r", "linalg.yield %v"))
    assert "4096 threads per block; CUDA allows 1024: bind shorter loops to threadIdx" in message


def test_virtual_threads_are_for_the_vta() -> None:
    text = COPY.format(element="f16", source="affine_map<(i, j) -> (i, j)>", body="", shape="64x64")
    schedule, rows, columns = copy()
    schedule.bind(rows, "cthread")
    schedule.bind(columns, "threadIdx.x")
    message = lowered(schedule, text.replace("linalg.yield %r", "linalg.yield %v"))
    assert "is a virtual thread: that is for the VTA" in message


def test_shared_memory_reports_each_buffer() -> None:
    layer = WmmaConv2D(kernel=7, padding=3)
    with pytest.raises(CompileError) as caught:
        lower(layer.text(), gpu_architecture("sm_75"), layer.seed_schedule())
    message = str(caught.value)
    assert "kernel 'conv2d' keeps 114,688 bytes in shared memory; a block has at most 65,536 bytes on sm_75" in message
    assert "kernel_shared: 1x7x2x8x16x16 f16, 57,344 bytes" in message
    assert "data_shared: 8x1x7x2x16x16 f16, 57,344 bytes" in message
    assert "use smaller tiles" in message


def test_shared_memory_of_other_architectures_is_larger() -> None:
    layer = WmmaConv2D(kernel=7, padding=3)
    module = lower(layer.text(), gpu_architecture("sm_90"), layer.seed_schedule())
    assert "wmma.dynamic_shared_bytes = 114688" in str(module)


def five_copies(shape: str) -> tuple[Schedule, str]:
    """A copy that goes through five buffers in shared memory."""
    text = COPY.format(element="f16", source="affine_map<(i, j) -> (i, j)>", body="", shape=shape)
    text = text.replace("linalg.yield %r", "linalg.yield %v")
    schedule = Schedule(text)
    block = schedule.get_block("y")
    for _ in range(5):
        schedule.cache_read(block, 0, "shared")
    schedule.bind(schedule.get_loops(block)[0], "threadIdx.x")
    return schedule, text


def test_static_shared_memory_counts_where_buffers_start() -> None:
    """Five buffers of 9,828 bytes, each at a multiple of 128, just miss 48 KiB: two at a time then share memory."""
    schedule, text = five_copies("63x78")
    assert "wmma.dynamic_shared_bytes = 19684" in str(lower(text, None, schedule))


def test_dynamic_shared_memory_counts_where_buffers_start() -> None:
    """Of five buffers of 120,000 bytes two are needed at a time, the second at a multiple of 128."""
    schedule, text = five_copies("600x100")
    assert "keeps 240,064 bytes in shared memory; a block has at most 232,448 bytes" in lowered(schedule, text)


def test_an_architecture_without_the_fragments() -> None:
    layer = WmmaMatmul(32, 32, 32, "bf16")
    with pytest.raises(
        CompileError, match=r"sm_75 has no matrix_. fragment of 16x16x16 bf16: its operands are f16, s8, u8"
    ):
        lower(layer.text(), gpu_architecture("sm_75"), layer.schedule())


def test_an_architecture_that_nobody_knows() -> None:
    with pytest.raises(ConfigError, match="architecture 'sm_70' is not known; the known ones are sm_75"):
        gpu_architecture("sm_70")


def test_a_module_for_another_architecture() -> None:
    layer = WmmaMatmul(32, 32, 32)
    module = lower(layer.text(), gpu_architecture("sm_80"), layer.schedule(), "payload")
    with pytest.raises(CompileError, match=r"wmma.architecture is sm_80, the architecture given sm_90: drop one"):
        lower(module, gpu_architecture("sm_90"), layer.schedule())


@pytest.mark.parametrize(
    ("intrinsic", "message"),
    [
        ("wmma.mma_sync", "expected inputs in wmma.matrix_a and wmma.matrix_b and the output in wmma.accumulator"),
        ("wmma.load_matrix_sync", "computes; a fragment load or store only copies"),
        ("wmma.fill_fragment", "expected a constant"),
        ("wmma.mma", "no intrinsic 'wmma.mma'; the intrinsics are"),
    ],
)
def test_tensorize_names_the_first_difference(intrinsic: str, message: str) -> None:
    schedule = Schedule(WmmaMatmul(32, 32, 32).text())
    rows, *_ = schedule.get_loops(schedule.get_block("c"))
    with pytest.raises(ScheduleError) as caught:
        schedule.tensorize(rows, intrinsic)
    assert message in str(caught.value)


def test_rows_of_a_tile_that_lie_oddly() -> None:
    layer = WmmaMatmul(32, 32, 33)
    schedule = layer.schedule()
    schedule.storage_align(schedule.get_block("a_shared"), 0, 16, 1)
    message = lowered(schedule, layer.text())
    assert "rows of 'a_shared' lie 17 elements of 2 bytes apart; a multiple of 16 bytes is required" in message


def test_tiles_that_start_oddly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FRAGMENTS, "s8", (16, 16, 16))
    layer = WmmaMatmul(64, 64, 64, "s8")
    message = lowered(layer.schedule(), layer.text())
    assert "start at multiples of 16 bytes; 32 are required: use wider fragments, or another layout" in message


def test_a_store_is_no_load() -> None:
    schedule = Schedule(WmmaMatmul(32, 32, 32).text())
    store = schedule.cache_write(schedule.get_block("c"), 0, "wmma.accumulator")
    with pytest.raises(ScheduleError, match="copies out of fragments"):
        schedule.tensorize(schedule.get_loops(store)[0], "wmma.load_matrix_sync")


def test_fragments_that_are_also_memory() -> None:
    layer = WmmaMatmul(16, 16, 16)
    schedule = Schedule(layer.text())
    product = schedule.get_block("c")
    a = schedule.cache_read(product, 0, "wmma.matrix_a")
    b = schedule.cache_read(product, 1, "wmma.matrix_b")
    schedule.cache_write(product, 0, "wmma.accumulator")
    for block in (a, b):
        schedule.tensorize(schedule.get_loops(block)[0], "wmma.load_matrix_sync")
    schedule.tensorize(schedule.get_loops(product)[0], "wmma.mma_sync")
    message = lowered(schedule, layer.text())
    assert "'c_wmma_accumulator' lives in fragments, and this uses it as memory: tensorize it" in message


def test_a_module_without_a_schedule() -> None:
    message = "target 'cuda' has no default schedule for this program: block 'c' touches 'c' at"
    with pytest.raises(CompileError, match=message):
        default_schedule(parse(WmmaMatmul(32, 31, 32, relu=True).text()))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((-5, 64, 64), "m is -5; it must be positive"),
        ((64, 0, 64), "n is 0; it must be positive"),
        ((64, 64, 0), "k is 0; it must be positive"),
        ((64, 64, 64, "f64"), "operands of type 'f64'; the types are f16, bf16, s8"),
    ],
)
def test_product_shapes(sizes: tuple[int, int, int], message: str) -> None:
    with pytest.raises(CompileError) as caught:
        WmmaMatmul(*sizes)
    assert message in str(caught.value)


def test_a_tiling_that_does_not_divide() -> None:
    with pytest.raises(CompileError, match="m is 48, no multiple of the 64 that a block computes at a time"):
        WmmaMatmul(48, 64, 64).schedule(MatmulTiling())


def test_a_seed_tiling_whose_warps_cannot_share_the_copies() -> None:
    with pytest.raises(ScheduleError, match=r"nparts 2 for loop 'i0_inner' .extent 1.; 1 to 1 is possible"):
        WmmaConv2D(64, 2, 2, 32, 64).seed_schedule(SeedTiling(4, 2, 1, 2))
