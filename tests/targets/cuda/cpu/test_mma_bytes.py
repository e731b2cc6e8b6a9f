"""Bytes of b by rows: pairs of columns transposed by ldmatrix, and sorted by lanes; each lane's, and planted faults."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from mma_kernels import banks_of, lowered
from mma_programs import Case, product, wanted_of
from xdsl.ir import Block

import vtac
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.kernels.lanes import address_of_lane
from vtac.dialects.mma.attributes import Tiles
from vtac.dialects.mma.layouts import instruction_of
from vtac.dialects.mma.ops import INDEX, SORT
from vtac.errors import KernelFault, ScheduleError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
FRAGMENT = (16, 8, 32)


def rows_named() -> list[int]:
    """The row of k that each lane names."""
    lane = Block(arg_types=[INDEX]).args[0]
    tiles = Tiles("matrix_b", "m16n8k32", "s8", 2)
    major, minor = address_of_lane(lane, tiles, (2, 1), transposed=True)
    assert major.is_constant
    assert major.constant == 0
    return [minor.substitute({lane: Linear(number)}, {}).constant for number in range(32)]


def test_every_lane_gets_four_bytes_of_a_column() -> None:
    """By the manual: ldmatrix.trans gives lane l two rows, from 2 (l mod 4) on, of 16-bit column l / 4; prmt picks."""
    named, layout = rows_named(), instruction_of("m16n8k32", "s8", "s32")
    assert layout is not None
    for lane in range(32):
        pairs = [
            [(named[8 * matrix + 2 * (lane % 4) + row], 2 * (lane // 4) + at) for row in range(2) for at in range(2)]
            for matrix in range(4)
        ]
        for tile in range(2):
            selector = SORT[lane // 2 % 2] + tile * 0x1111
            held = [
                (pairs[2 * word] + pairs[2 * word + 1])[selector >> 4 * at & 7] for word in range(2) for at in range(4)
            ]
            wanted = [(depth, 2 * column + tile) for depth, column in layout.layout("matrix_b").places[lane]]
            assert held == wanted, (lane, tile)


@pytest.mark.parametrize("width", [32, 64, 128, 256])
def test_the_rows_of_a_matrix_lie_in_all_banks(width: int) -> None:
    named = rows_named()
    pitch, chunks = max(width, 128), width // 16
    for matrix in range(4):
        lines = [row * width // pitch for row in named[8 * matrix : 8 * matrix + 8]]
        starts = [
            row * width + (line % min(chunks, 8)) * 16 for row, line in zip(named[8 * matrix :], lines, strict=False)
        ]
        assert len({start % 128 for start in starts}) == 8


@pytest.mark.parametrize("unsigned", [False, True], ids=["s8", "u8"])
@pytest.mark.parametrize(
    ("sizes", "tiling"),
    [
        ((32, 16, 128), ProductTiling(FRAGMENT, 1, 2, 1, 1, 4)),
        ((64, 32, 128), ProductTiling(FRAGMENT, 2, 4, 1, 1, 4)),
        ((64, 64, 256), ProductTiling(FRAGMENT, 2, 4, 1, 2, 4, 2)),
        ((128, 128, 256), ProductTiling(FRAGMENT, 4, 4, 2, 4, 2, 2)),
        ((32, 256, 128), ProductTiling(FRAGMENT, 2, 8, 1, 4, 2, 2)),
        ((37, 19, 70), None),
    ],
    ids=lambda one: "" if isinstance(one, ProductTiling) else str(one),
)
def test_products_are_exact_and_free_of_conflicts(
    sizes: tuple[int, int, int], tiling: ProductTiling | None, unsigned: bool
) -> None:
    case = product(sizes, "i8", tiling, unsigned=unsigned)
    module = lowered(case.text, str(mma_schedule(case.text, None, tiling)))
    assert {access.turns for access in banks_of(module)} == {1}
    arrays = case.arrays()
    found = evaluate(module, *arrays)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, wanted_of(case, arrays))


def test_tiles_that_cannot_take_turns_are_refused() -> None:
    case = product((32, 24, 128), "i8")
    with pytest.raises(ScheduleError, match=r"blocks of 16 x 24 in steps of 32, by 32 threads, do not fit a product"):
        mma_schedule(case.text, None, ProductTiling(FRAGMENT, 1, 3, 1, 1, 1))


CASE = product((64, 32, 128), "i8", ProductTiling(FRAGMENT, 2, 2, 2, 2, 2, 2))


@cache
def program(case: Case) -> CudaProgram:
    made = vtac.compile(case.text, "cuda", "sm_80", schedule=mma_schedule(case.text, None, case.tiling))
    assert isinstance(made, CudaProgram)
    return made


def found_in(case: Case, text: str) -> str:
    """How a run of a text ends: the kind of a fault, `wrong numbers`, or nothing where it is right."""
    arrays = case.arrays()
    try:
        run = run_on_cpu(text, program(case).launch, arrays, orders=2, workers=1)
    except KernelFault as fault:
        return fault.kind
    return "" if np.array_equal(run.outputs[0], wanted_of(case, arrays)) else "wrong numbers"


@needs_compiler
@pytest.mark.parametrize("unsigned", [False, True], ids=["s8", "u8"])
def test_the_text_is_right(unsigned: bool) -> None:
    case = product(CASE.sizes, "i8", CASE.tiling, unsigned=unsigned)
    assert found_in(case, program(case).text) == ""


FAULTS = {
    "a selector of another order": ("even = 0x6420", "even = 0x4620"),
    "a selector of other columns": ("even = 0x6420", "even = 0x7531"),
    "odd columns are even ones": ("odd = even + 0x1111", "odd = even"),
    "all lanes sort alike": ("(threadIdx.x & 2) * 0x2222", "(threadIdx.x & 0) * 0x2222"),
    "lanes sort by another bit": ("(threadIdx.x & 2) * 0x2222", "(threadIdx.x & 4) * 0x1111"),
    "two rows of k change places": ("lane % 8 / 2 * 128", "(lane % 8 / 2 ^ 1) * 128"),
    "lanes name the rows of other matrices": ("(lane % 8 / 4 + lane / 8) % 2", "lane / 8 % 2"),
    "the halves of k change places": ("+ lane / 16 * 512", "+ (1 - lane / 16) * 512"),
    "matrices are not transposed": ("x4.trans.shared", "x4.shared"),
    "the tiles change places": ("right[0], right[0 + 1], ", "right[0 + 1], right[0], "),
    "registers of two matrices change places": (
        "__byte_perm(part[0], part[1], even)",
        "__byte_perm(part[1], part[0], even)",
    ),
    "registers of another half": ("__byte_perm(part[2], part[3], odd)", "__byte_perm(part[0], part[1], odd)"),
    "columns are stored in the order of one tile": ("p_to + 2 +", "p_to + 8 +"),
}


@needs_compiler
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    text, (old, new) = program(CASE).text, FAULTS[name]
    assert old in text, text
    assert found_in(CASE, text.replace(old, new)) != ""
