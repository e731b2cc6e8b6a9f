"""Matrices that a warp stores from its registers: where elements go; faults planted and found; what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vtac.dialects.mma.layouts import CORE_ROWS
from vtac.dialects.mma.stores import stored_matrix
from vtac.errors import KernelFault, KernelTextError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.inline_ptx import rewrite_asm
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord, Parameter

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
TEXT = Path(__file__).parent.parent.joinpath("kernels", "stored_matrices.cu").read_text(encoding="utf-8")
LAUNCH = LaunchRecord(
    *("store", (1, 1, 1), (32, 1, 1), 0),
    (Parameter("x", "input", "float16", (16, 16)), Parameter("y", "output", "float16", (16, 16))),
)
WRONG = "wrong numbers"


def source() -> Array:
    return np.arange(256).reshape(16, 16).astype(np.float16)


def ran(text: str, orders: int = 3) -> Array:
    return run_on_cpu(text, LAUNCH, [source()], orders=orders, workers=1).outputs[0]


def found_in(text: str) -> str:
    """The message of the fault that a run ends with, `wrong numbers` where it ends, nothing where it is right."""
    try:
        return "" if np.array_equal(ran(text), source()) else WRONG
    except KernelFault as fault:
        return fault.message


def test_records_are_the_formulas_of_the_manual() -> None:
    """PTX: thread 4 r + c holds elements 2 c and 2 c + 1 of row r; what a row is, `.trans` exchanges with columns."""
    for lane in range(32):
        r, c = lane // 4, lane % 4 * 2
        assert stored_matrix(transposed=False).places[lane] == ((r, c), (r, c + 1))
        assert stored_matrix(transposed=True).places[lane] == ((c, r), (c + 1, r))
    assert stored_matrix(transposed=False).rows == CORE_ROWS


@needs_cpu
def test_matrices_are_stored_whatever_the_order_is() -> None:
    np.testing.assert_array_equal(ran(TEXT, orders=8), source())


@needs_cpu
def test_transposed_matrices_are_those_of_rows_and_columns_exchanged() -> None:
    """Each matrix of 8 x 8 is transposed where it lies."""
    found = ran(TEXT.replace(".x4.shared", ".x4.trans.shared"))
    cores = source().reshape(2, 8, 2, 8).transpose(0, 3, 2, 1).reshape(16, 16)
    np.testing.assert_array_equal(found, cores)


STORE = "stmatrix_x4(to, part[0], part[1], part[2], part[3]);"
PLACE = "2 * (lane % 16 * 16 + (lane / 16 ^ lane / 4 % 2) * 8)"
FAULTS = {
    "transposed": (".x4.shared", ".x4.trans.shared", WRONG),
    "registers change places": (STORE, STORE.replace("part[1], part[2]", "part[2], part[1]"), WRONG),
    "one register twice": (STORE, STORE.replace("part[3]", "part[2]"), WRONG),
    "halves change places": ("paired(at[0], at[1])", "paired(at[1], at[0])", WRONG),
    "two matrices alone": (
        'x4.shared.b16 [%0], {%1, %2, %3, %4};"',
        'x2.shared.b16 [%0], {%1, %2};"',
        "unwritten",
    ),
    "rows of eight lanes": (PLACE, PLACE.replace("lane % 16 * 16", "lane % 8 * 16"), ""),
    "rows by the elements that a lane holds": (PLACE, "2 * (row * 16 + column)", ""),
    "matrices in the order of rows": (PLACE, "2 * ((lane % 8 + lane / 16 * 8) * 16 + lane / 8 % 2 * 8)", WRONG),
    "no swizzle": (PLACE, "2 * (lane % 16 * 16 + lane / 16 * 8)", WRONG),
    "another swizzle": (PLACE, PLACE.replace("lane / 4 % 2", "lane / 2 % 2"), WRONG),
    "rows at odd places": (PLACE, PLACE + " + 8", "misaligned"),
    "offsets in elements": (PLACE, PLACE.replace("2 * (", "("), ""),
    "rows beyond the tile": (PLACE, PLACE.replace("lane % 16 * 16", "lane % 16 * 32"), "out-of-bounds"),
    "lanes do not wait": ("  __syncwarp();\n", "", "race"),
    "some lanes alone": (f"  {STORE}", f"  if (lane < 16) {STORE}", ""),
}


@needs_cpu
@pytest.mark.parametrize(("old", "new", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_faults_are_found(old: str, new: str, message: str) -> None:
    assert TEXT.count(old) == 1, old
    found = found_in(TEXT.replace(old, new))
    assert found
    assert message in found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{%1, %2, %3, %4}", "{%1, %2}", "stmatrix of 4 matrices takes an address and 4 registers"),
        ('\n               : "memory"', "", 'orders accesses of memory, and its asm statement does not say "memory"'),
        (".b16 [", ".b8 [", "cannot run `stmatrix.sync.aligned.m8n8.x4.shared.b8` on the CPU"),
    ],
)
def test_what_has_no_model_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(KernelTextError) as caught:
        rewrite_asm(TEXT.replace(old, new))
    assert message in caught.value.message
