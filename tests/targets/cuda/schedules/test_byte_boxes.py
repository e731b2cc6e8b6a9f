"""Bytes of b that are neighbours along n come in boxes, and lanes of mma.sync sort them: exact; faults are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from lowering import lower
from mma_kernels import banks_of
from mma_programs import Case, product, wanted_of
from nhwc_programs import Convolution
from packed_convolutions import PackedConvolution
from planted_faults import WRONG, fault_of, planted

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import ScheduleError
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
TILING = ProductTiling((16, 8, 32), 2, 4, 2, 2, 2, 3)
"""64 x 64 in steps of 64, in four warps."""


@dataclass(frozen=True)
class Way:
    """A product, its tiling, and what is asked of its schedule beside."""

    case: Case
    tiling: ProductTiling | None = TILING
    roles: bool | None = None
    cluster: int = 1
    stores: bool = False

    def schedule(self, architecture: str = "sm_90") -> Schedule:
        options = {"specialize": self.roles, "cluster": self.cluster, "stores": self.stores}
        return tma_schedule(self.case.text, architecture, self.tiling, **options)  # pyright: ignore[reportArgumentType]


WAYS: Mapping[str, Way] = {
    "all warps ask": Way(product((128, 128, 256), "i8"), roles=False),
    "roles": Way(product((128, 128, 256), "i8"), roles=True),
    "chosen": Way(product((70, 96, 272), "i8"), None),
    "columns that are no whole tiles": Way(product((97, 112, 400), "i8"), None),
    "rows of 16 bytes": Way(product((33, 16, 272), "i8"), None),
    "unsigned": Way(product((64, 96, 256), "i8", unsigned=True), roles=True),
    "a batch": Way(product((64, 64, 256), "i8", batch=3), None),
    "a cluster": Way(product((128, 128, 256), "i8"), roles=True, cluster=2),
    "results in boxes": Way(product((128, 128, 256), "i8"), roles=True, stores=True),
}


@cache
def compiled(name: str) -> CudaProgram:
    way = WAYS[name]
    made = vtac.compile(way.case.text, "cuda", "sm_90", schedule=way.schedule())
    assert isinstance(made, CudaProgram)
    return made


@needs_cpu
@pytest.mark.parametrize("name", WAYS)
def test_products_are_exact(name: str) -> None:
    program, arrays = compiled(name), WAYS[name].case.arrays()
    assert "ldmatrix_x4_bytes(" in program.text
    assert {one.array for one in program.launch.tensor_maps} >= {"a", "b"}
    np.testing.assert_array_equal(program(*arrays), wanted_of(WAYS[name].case, arrays))


@pytest.mark.parametrize("name", ["all warps ask", "roles", "rows of 16 bytes"])
def test_the_kernel_level_is_exact_too(name: str) -> None:
    """And no access of an operand in shared memory waits for a bank."""
    case, record = WAYS[name].case, gpu_architecture("sm_90")
    module = lower(case.text, record, WAYS[name].schedule())
    assert {one.turns for one in banks_of(module)} == {1}
    np.testing.assert_array_equal(evaluate(module, *case.arrays()), wanted_of(case, case.arrays()))


@needs_cpu
@pytest.mark.parametrize("tile", [(16, 32, 16), (16, 32, 32)], ids=["features of 16 bytes", "features of 32"])
def test_packed_convolutions_of_bytes(tile: tuple[int, int, int]) -> None:
    plain = Convolution(64, (5, 4), 64, 64, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1), "i8")
    case = PackedConvolution(plain, tile)
    made = vtac.compile(case.text(), "cuda", "sm_90", schedule=tma_schedule(case.text(), "sm_90"))
    assert isinstance(made, CudaProgram)
    assert [one.box[:2] for one in made.launch.tensor_maps] == [(tile[1], tile[0]), (tile[2], tile[1])]
    np.testing.assert_array_equal(made(*case.arrays()), case.wanted())


def test_a_module_that_asks_for_boxes_gets_them() -> None:
    text = f'module attributes {{wmma.instructions = "tma"}} {{\n{product((1024, 1024, 1024), "i8").text}}}\n'
    made = vtac.compile(text, "cuda", "sm_90a")
    assert isinstance(made, CudaProgram)
    assert "default, mma.sync of boxes, " in made.text


TURNED = "operands of other than 16 bits are multiplied along k, and boxes do not transpose"
REFUSED = {
    "warpgroups": (product((64, 64, 256), "i8"), group_tiling(1, 64, 1, 64, 3)),
    "floats": (product((64, 64, 256), "f32"), None),
    "floats in a tiling": (product((64, 64, 256), "f32"), ProductTiling((16, 8, 8), 1, 2, 2, 2, 4, 3)),
}


@pytest.mark.parametrize(("case", "tiling"), REFUSED.values(), ids=REFUSED.keys())
def test_what_no_lane_sorts_is_refused(case: Case, tiling: ProductTiling | None) -> None:
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(case.text, "sm_90a", tiling)
    assert TURNED in caught.value.message


FAULTS = {
    "rows of b a step late": (r"(b_map, [^,]*, )i \* 64", r"\1(i + 1) * 64", WRONG),
    "rows and columns of b change places": (r"b_map, ([^,]*), (i \* 64)", r"b_map, \2, \1", WRONG),
    "b goes where a lies": (r"tma_load_2d\(p_b_address", "tma_load_2d(p_a_address", "race"),
    "a chunk is another one's": (
        r"\(\(warp_column_minor \* 2 \+ column\) \^ (\w+)\) \* 16",
        r"(warp_column_minor * 2 + column) * 16",
        WRONG,
    ),
    "rows of k in another order": (
        r"lane % 2 \* 64 \+ lane % 8 / 2 \* 256",
        "lane % 2 * 256 + lane % 8 / 2 * 64",
        WRONG,
    ),
    "another step's rows": (r"slice_1 \* 2048", "slice_1 * 1024", WRONG),
    "tiles that take turns change places": (
        r"right\[column \* 2\], right\[column \* 2 \+ 1\]",
        "right[column * 2 + 1], right[column * 2]",
        WRONG,
    ),
    "bytes of b are not expected": (r"(mbarrier_arrive_expect_tx\([^;]*), 8192\)", r"\1, 4096)", "race"),
    "results of the other tile": (r"make_int2\(sum, sum_1\)", "make_int2(sum_1, sum)", WRONG),
}


@needs_cpu
@pytest.mark.parametrize(("old", "new", "kind"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_faults_are_found(old: str, new: str, kind: str) -> None:
    program, case = compiled("roles"), WAYS["roles"].case
    found = fault_of(program, planted(program.text, old, new), case.arrays(), wanted_of(case, case.arrays()))
    assert found == kind
