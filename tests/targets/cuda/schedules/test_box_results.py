"""Products whose results are stored as boxes: exact on the CPU and in numpy; faults planted; what is refused."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import lower
from mma_programs import Case, product, wanted_of
from nhwc_programs import Convolution
from xdsl.ir import Operation

import vtac
from vtac.dialects import tma
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError, ConfigError, EvaluationError, KernelFault, ScheduleError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling, wgmma_schedule

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_compiler = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
LANES = ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3)
WIDE = ProductTiling((16, 8, 16), 2, 8, 2, 2, 4, 2)
GROUPS = group_tiling(2, 64, 2, 128, 3)
Way = tuple[str, ProductTiling, bool]
WAYS: dict[str, Way] = {
    "mma.sync": ("sm_90", LANES, False),
    "mma.sync, roles": ("sm_90", LANES, True),
    "mma.sync, panels": ("sm_90", WIDE, True),
    "wgmma": ("sm_90a", GROUPS, False),
    "wgmma, roles": ("sm_90a", GROUPS, True),
}


def compiled(case: Case, way: Way) -> CudaProgram:
    architecture, tiling, specialize = way
    script = tma_schedule(case.text, gpu_architecture(architecture), tiling, specialize=specialize, stores=True)
    made = vtac.compile(case.text, "cuda", architecture, schedule=script)
    assert isinstance(made, CudaProgram)
    return made


CASES = {
    "floats": product((128, 128, 256)),
    "a tail, halves": product((128, 128, 256), tail=True),
    "ragged": product((140, 136, 256), transposed=True),
    "a ragged tail": product((140, 152, 256), transposed=True, tail=True),
    "bf16": product((128, 128, 256), "bf16"),
    "a batch": product((136, 136, 256), batch=2),
}


@needs_cpu
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_results_are_exact(case: Case, way: Way) -> None:
    program, arrays = compiled(case, way), case.arrays()
    assert program.launch.outputs[0].name in [one.array for one in program.launch.tensor_maps]
    np.testing.assert_array_equal(program(*arrays), wanted_of(case, arrays))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_the_kernel_level_is_exact_too(way: Way) -> None:
    case = CASES["a ragged tail"]
    script = tma_schedule(case.text, gpu_architecture(way[0]), way[1], specialize=way[2], stores=True)
    arrays = case.arrays()
    module = lower(case.text, gpu_architecture(way[0]), script)
    np.testing.assert_array_equal(evaluate(module, *arrays), wanted_of(case, arrays))


MISSING: dict[str, tuple[type[Operation], str]] = {
    "the fence": (tma.PublishOp, "is written by one thread and read by another with no barrier between"),
    "the commit": (tma.CommitStoresOp, "a box is stored, and its group is never committed"),
    "the wait": (tma.WaitStoresOp, "a box is stored, and its group is not waited for before the block ends"),
}


@pytest.mark.parametrize(("kind", "message"), MISSING.values(), ids=MISSING.keys())
def test_the_interpreter_misses_what_is_missing(kind: type[Operation], message: str) -> None:
    case = CASES["floats"]
    script = tma_schedule(case.text, gpu_architecture("sm_90"), LANES, specialize=False, stores=True)
    module = lower(case.text, gpu_architecture("sm_90"), script)
    for op in [one for one in module.walk() if isinstance(one, kind)]:
        op.detach()
    with pytest.raises(EvaluationError) as caught:
        evaluate(module, *case.arrays())
    assert message in caught.value.message


@needs_cpu
@settings(max_examples=6)
@given(m=st.integers(32, 130), n=st.integers(8, 32), k=st.integers(17, 30), tail=st.booleans())
def test_products_of_any_size_are_exact(m: int, n: int, k: int, tail: bool) -> None:
    """Rows of the result are multiples of 16 bytes; boxes end outside of it."""
    case = product((m, 8 * n, 8 * k), transposed=True, tail=tail)
    arrays = case.arrays()
    np.testing.assert_array_equal(compiled(case, WAYS["mma.sync, roles"])(*arrays), wanted_of(case, arrays))


@needs_cpu
def test_bytes_go_as_sums_of_32_bits() -> None:
    case = product((64, 64, 256), "i8", transposed=True)
    way: Way = ("sm_90", ProductTiling((16, 8, 32), 1, 2, 2, 2, 2, 3), True)
    arrays = case.arrays()
    np.testing.assert_array_equal(compiled(case, way)(*arrays), wanted_of(case, arrays))


WRONG = "wrong numbers"
CASE = product((128, 128, 256), tail=True)


@cache
def program(name: str) -> CudaProgram:
    return compiled(CASE, WAYS[name])


def found_in(name: str, text: str) -> str:
    """The kind of fault that a run of a text ends with, `wrong numbers` where it ends, nothing where it is right."""
    arrays = CASE.arrays()
    try:
        run = run_on_cpu(text, program(name).launch, arrays, orders=3, blocks=(0,), workers=1)
    except KernelFault as fault:
        return fault.kind
    written = run.written[0]
    rows, columns, _ = WAYS[name][1].block
    is_whole = written[:rows, :columns].all() and np.count_nonzero(written) == rows * columns
    is_right = np.array_equal(run.outputs[0][written], wanted_of(CASE, arrays)[written])
    return "" if is_whole and is_right else WRONG


FAULTS = {
    "no fence": (r"tma_store_fence\(\);", "__syncwarp();", {"proxy-fence"}),
    "lanes do not wait": (r"__syncwarp\(\);\n\}(.*?tma_store)", r"}\1", {"race", "proxy-fence"}),
    "nothing is stored": (r"tma_store_2d\([^;]*;", "", {WRONG}),
    "nobody commits": (r"tma_store_commit\(\);", "", {"bulk-copy"}),
    "nobody waits": (r"tma_store_wait_read_0\(\);", "", {"bulk-copy"}),
    "a group is left": (r"wait_group\.read 0;", "wait_group.read 1;", {"bulk-copy"}),
    "another warp's rows": (
        r"(tma_store_2d\(\w+_address \+ 2 \* \()",
        r"\g<1>512 + ",
        {"race", "unwritten", WRONG, "out-of-bounds"},
    ),
    "other rows of the array": (r"(tma_store_2d\([^;]*c_map, [^;]*)\);", r"\1 + 1);", {WRONG}),
    "the map of an operand": (r"(tma_store_2d\([^;]*), c_map", r"\1, a_map", {"write-to-input", "misaligned"}),
    "all lanes store": (
        r"  if \(threadIdx\.x % 32 == 0\)\n    (asm volatile\(\"cp\.async\.bulk\.tensor)",
        r"    \1",
        {"bulk-copy"},
    ),
    "another lane waits": (
        r"threadIdx\.x % 32 == 0\) (asm volatile\(\"cp\.async\.bulk\.wait)",
        r"threadIdx.x % 32 == 1) \1",
        {"bulk-copy"},
    ),
    "a box begins beside its chunks": (r"(tma_store_2d\(\w+_address)", r"\1 + 16", {"misaligned"}),
    "matrices are stored transposed": (r"\.x4\.shared\.b16 \[%0\]", ".x4.trans.shared.b16 [%0]", {WRONG}),
    "matrices change places": (r'"r"\(part_0\), "r"\(part_1\)', '"r"(part_1), "r"(part_0)', {WRONG}),
    "a lane names another row": (r"(stmatrix_x4\(\w+)", r"\1 + 2 * 64", {WRONG, "race", "unwritten", "out-of-bounds"}),
}


@needs_cpu
@pytest.mark.parametrize("name", ["mma.sync, roles", "wgmma, roles"])
@pytest.mark.parametrize(("old", "new", "kinds"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_faults_are_found(name: str, old: str, new: str, kinds: set[str]) -> None:
    head, kernel = program(name).text.split('extern "C"')
    changed, count = re.subn(old, new, kernel, count=1, flags=re.DOTALL)
    if not count:
        head, count = re.subn(old, new, head, count=1, flags=re.DOTALL)
    assert count == 1, old
    assert found_in(name, f'{head}extern "C"{changed}') in kinds


@needs_cpu
@pytest.mark.parametrize("name", ["mma.sync, roles", "wgmma, roles"])
def test_the_text_itself_is_right(name: str) -> None:
    assert found_in(name, program(name).text) == ""


def test_results_of_16_bits_are_stored_as_matrices() -> None:
    assert "stmatrix_x4(" in program("wgmma, roles").text
    ragged = compiled(CASES["a ragged tail"], WAYS["wgmma, roles"]).text
    assert "stmatrix" not in ragged
    assert "tma_store_2d(" in ragged


@needs_compiler
@pytest.mark.parametrize("tail", [False, True], ids=["floats", "halves"])
def test_large_products_compile_without_spills(tail: bool) -> None:
    case = product((4096, 4096, 4096), tail=tail)
    script = tma_schedule(case.text, gpu_architecture("sm_90a"), stores=True)
    made = vtac.compile(case.text, "cuda", "sm_90a", schedule=script)
    assert isinstance(made, CudaProgram)
    found = compile_kernel(made.text, made.launch.kernel, "sm_90a")
    assert not found.spills
    assert not found.serialised
    assert found.resident_blocks(made.launch) >= 1


REFUSED = {
    "a tile beyond the product": (
        product((32, 128, 256)).text,
        WIDE,
        "in their first tile, whose results would be no whole tile in shared memory",
    ),
    "warps whose columns are no panel": (
        product((128, 128, 256), tail=True).text,
        ProductTiling((16, 8, 16), 1, 1, 2, 4, 4, 3),
        "have warps of 8 columns, 16 bytes of a row of results, and a box has a multiple of 32 of them, or whole rows",
    ),
    "pixels of images": (
        Convolution.of(2, (8, 8), (3, 3), padding=1).text(),
        ProductTiling((16, 8, 16), 1, 2, 2, 2, 2, 3),
        "results of images, whose pixels are rows of several dimensions, are stored from registers",
    ),
    "no room": (
        product((512, 512, 512)).text,
        group_tiling(4, 256, 2, 128, 2),
        "have no room for 256 x 256 results of 4 bytes beside two stages of their operands",
    ),
}


@pytest.mark.parametrize(("text", "tiling", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(text: str, tiling: ProductTiling, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(text, gpu_architecture("sm_90a"), tiling, stores=True)
    assert message in caught.value.message


@needs_cpu
def test_without_a_tiling_one_is_taken_whose_results_are_boxes() -> None:
    case = product((104, 136, 256), tail=True)
    made = vtac.compile(case.text, "cuda", "sm_90a", schedule=tma_schedule(case.text, "sm_90a", stores=True))
    assert isinstance(made, CudaProgram)
    assert len(made.launch.tensor_maps) == 3
    arrays = case.arrays()
    np.testing.assert_array_equal(made(*arrays), wanted_of(case, arrays))


def test_an_architecture_is_given_by_name_too() -> None:
    text = CASE.text
    for scheduled in (mma_schedule, wgmma_schedule, tma_schedule):
        assert str(scheduled(text, "sm_90a")) == str(scheduled(text, gpu_architecture("sm_90a")))
        with pytest.raises(ConfigError) as caught:
            scheduled(text, "sm_10")
        assert "architecture 'sm_10' is not known" in caught.value.message


def test_older_architectures_are_refused() -> None:
    script = tma_schedule(CASE.text, gpu_architecture("sm_90"), LANES, specialize=False, stores=True)
    with pytest.raises(CompileError) as caught:
        vtac.compile(CASE.text, "cuda", "sm_80", schedule=script)
    assert "tma.store: sm_80 has none; sm_90 and later copy boxes in bulk" in caught.value.message


def test_tiles_of_clusters_are_told_as_those() -> None:
    case = product((128, 64, 256))
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(case.text, gpu_architecture("sm_90"), LANES, cluster=8, stores=True)
    rows, columns, _ = LANES.block
    assert f", in clusters of 8 with {8 * rows} x {columns}, go beyond a product of 128 x 64" in caught.value.message
    assert "choose fewer rows, columns or blocks of a cluster, or let results go from registers" in caught.value.message


@needs_cpu
def test_a_smaller_tile_is_taken_where_a_cluster_of_the_best_is_too_large() -> None:
    case, record = product((128, 64, 256)), gpu_architecture("sm_90")
    assert ", 32 x 16 in " in str(tma_schedule(case.text, record, stores=True).name)
    script = tma_schedule(case.text, record, cluster=8, stores=True)
    assert ", 16 x 16 in steps of 64, 4 stages, specialized, clusters of 8 along rows, results in boxes" in str(
        script.name
    )
    made = vtac.compile(case.text, "cuda", "sm_90", schedule=script)
    assert isinstance(made, CudaProgram)
    arrays = case.arrays()
    np.testing.assert_array_equal(made(*arrays), wanted_of(case, arrays))


def test_no_tile_of_a_cluster_fits() -> None:
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(product((64, 16, 256)).text, gpu_architecture("sm_90"), cluster=8, stores=True)
    assert "go beyond a product of 64 x 16 in their first tile" in caught.value.message
    assert "in clusters of 8" in caught.value.message
