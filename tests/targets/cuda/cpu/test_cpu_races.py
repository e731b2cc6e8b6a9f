"""Two accesses of one place are told where no barrier, wait or thread's own order parts them, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_kernels import kernel_text

from vtac.errors import KernelFault
from vtac.targets.cuda.cpu.faults import Failure, fault_of
from vtac.targets.cuda.cpu.running import CpuRun, run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cache_directory, cpu_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord, Parameter

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

_LAUNCH = LaunchRecord(
    "meetings",
    (2, 1, 1),
    (64, 1, 1),
    0,
    (
        Parameter("which", "input", "int32", (2,)),
        Parameter("in", "input", "int32", (64,)),
        Parameter("out", "output", "int32", (2, 64)),
    ),
)


def _run(case: int, choice: int = 0, *, races: bool = True, orders: int | tuple[int, ...] = 6) -> CpuRun:
    arrays = [np.array([case, choice], np.int32), np.arange(64, dtype=np.int32)]
    return run_on_cpu(kernel_text("meetings.cu"), _LAUNCH, arrays, races=races, orders=orders, workers=2)


@pytest.mark.parametrize(
    ("case", "choice"),
    [
        (0, 0),
        (1, 0),
        (5, 1),
        (6, 1),
        (7, 1),
        (8, 0),
        (9, 0),
        (10, 0),
        (11, 0),
        (12, 0),
        (13, 1),
        (15, 0),
        (16, 0),
        (17, 0),
        (18, 0),
        (19, 0),
    ],
    ids=str,
)
def test_what_is_ordered_is_clean_in_every_order(case: int, choice: int) -> None:
    _run(case, choice)


_THREAD = r"thread \(\d+, 0, 0\)"
_IN_BLOCK = r", in block \([01], 0, 0\): "
_SYNCWARP = _IN_BLOCK + r"no __syncwarp\(\) orders these lanes of a warp"
_SYNCTHREADS = _IN_BLOCK + r"no __syncthreads\(\) orders these threads"
_WAIT = _IN_BLOCK + r"no __pipeline_wait_prior\(\) has waited for it"
_ORDERED = [
    (2, 0, rf"`cells\[0\]\[1\]`: thread \(0, 0, 0\) reads it in line 36 .*, .* writes it in line 35 .*{_SYNCWARP}"),
    (
        3,
        0,
        rf"`cells\[0\]\[0\]`: thread \(0, 0, 0\) writes it in line 42 \(`flat\[thread\] = result;`\), "
        rf"thread \(1, 0, 0\) reads it in line 41 \(`result = flat\[thread \^ 1\];`\){_SYNCWARP}",
    ),
    (
        4,
        0,
        rf"`cells\[2\]\[0\]`: thread \(0, 0, 0\) reads it in line 47 \(`result = flat\[thread \^ 32\];`\), "
        rf"thread \(32, 0, 0\) writes it in line 45 \(`flat\[thread\] = thread;`\){_SYNCTHREADS}",
    ),
    (5, 0, rf"`tile\[0\]`: {_THREAD} writes it in line 50 .*, a lane of warp 0 reads it in line 52 .*{_SYNCWARP}"),
    (6, 0, rf"`sums\[0\]`: a lane of warp 0 writes it in line 57 .*, {_THREAD} reads it in line 59 .*{_SYNCWARP}"),
    (
        7,
        0,
        r"`cells\[0\]\[0\]`: the asynchronous copy of thread \(0, 0, 0\) in line 63 \(`__pipeline_memcpy_async\("
        rf"&flat\[thread\], &in\[thread\], 4\);`\) is under way when thread \(0, 0, 0\) reads it in line 66 .*{_WAIT}",
    ),
    (8, 1, rf"the asynchronous copy of {_THREAD} in line 69 .* when {_THREAD} reads it in line 73 .*{_WAIT}"),
    (8, 2, rf"`cells\[\d\]\[\d+\]`: {_THREAD} reads it in line 73 .*, {_THREAD} writes it in line 69 .*{_SYNCTHREADS}"),
    (9, 1, rf"`tile\[1\d\d\]`: the asynchronous copy of {_THREAD} in line 77 .* reads it in line 82 .*{_WAIT}"),
    (
        10,
        1,
        r"`out\[0\]\[0\]`: thread \(0, 0, 0\) of block \([01], 0, 0\) writes it in line 87 .*, thread \(0, 0, 0\) of "
        r"block \([01], 0, 0\) writes it in line 87 .*: nothing orders the blocks of a launch",
    ),
    (11, 1, rf"`out\[[01]\]\[\d+\]`: {_THREAD} of block .* it in line 9\d .*: nothing orders the blocks of a launch"),
    (12, 1, rf"`out\[[01]\]\[0\]`: {_THREAD} writes it in line 95 .*, {_THREAD} writes it in line 95 .*{_SYNCWARP}"),
    (13, 0, rf"`cells\[0\]\[\d\]`: {_THREAD} \w+ it in line \d+ .*{_SYNCTHREADS}"),
    (15, 1, rf"`cells\[0\]\[0\]`: {_THREAD} \w+ it in line 11\d .*, {_THREAD} writes it in line 11\d .*{_SYNCTHREADS}"),
    (16, 1, rf"`cells\[0\]\[0\]`: {_THREAD} \w+ it in line 118 .*, {_THREAD} writes it in line 118 .*{_SYNCTHREADS}"),
    (14, 0, rf"`cells\[\d\]\[\d+\]`: {_THREAD} \w+ it in line \d+ .*{_SYNCTHREADS}"),
]


@pytest.mark.parametrize(("case", "choice", "message"), _ORDERED, ids=lambda value: str(value)[:8])
def test_what_nothing_orders_is_told(case: int, choice: int, message: str) -> None:
    with pytest.raises(KernelFault, match=f"kernel `meetings`: race: .*{message}") as caught:
        _run(case, choice)
    assert caught.value.kind == "race"


@pytest.mark.parametrize(
    ("case", "place", "who", "block"),
    [
        (17, r"`bytes\[0\]`", r"thread \(0, 0, 0\)", "1"),
        (18, r"`tile\[128\]`", r"a lane of warp 0", "[01]"),
        (19, r"`cells\[0\]\[1\]`", r"thread \(0, 0, 0\)", "[01]"),
    ],
)
def test_shared_memory_that_nobody_in_the_block_wrote_is_not_read(case: int, place: str, who: str, block: str) -> None:
    """Not even what the block before left there."""
    end = rf"in block \({block}, 0, 0\): no thread of the block has written it before"
    with pytest.raises(KernelFault, match=rf"unwritten: {place}: {who} reads it in line \d+ .*, {end}") as caught:
        _run(case, 1)
    assert caught.value.kind == "unwritten"


def test_warps_that_run_on_show_a_missing_block_barrier_by_themselves() -> None:
    """Without the search for races, too, and whichever warp waits for the other."""
    with pytest.raises(KernelFault, match=r"output `out` depends on the order of threads: .* orders 0 and 1") as caught:
        _run(4, races=False, orders=2)
    assert caught.value.kind == "order-dependent"


def test_lock_step_hides_it() -> None:
    """Orders 2 and 3 are equal, so that nothing differs where they are run alone."""
    run = _run(4, races=False, orders=(2, 3))
    assert run.outputs[0].tolist() == [[thread ^ 32 for thread in range(64)]] * 2


def test_a_line_that_cannot_be_found_is_said_to_be_so() -> None:
    said = "vtac-fault 1 race `a[0]`: thread (0, 0, 0) writes it in @pc:10@, @byte:7@ in @line:99@\n"
    fault = fault_of(Failure(3, said, 1), cache_directory() / "absent", "one line", _LAUNCH)
    assert fault.kind == "race"
    unknown = "a line that could not be found (is addr2line on PATH?)"
    part = "byte 7 of the dynamic shared memory"
    told = f"`a[0]`: thread (0, 0, 0) writes it in {unknown}, {part} in {unknown} (thread order 1)"
    assert str(fault) == f"kernel `meetings`: race: {told}"


def test_bytes_of_dynamic_shared_memory_have_the_names_that_the_text_gives() -> None:
    text = "  half *const tile = reinterpret_cast<half *>(shared_memory + 64);  // 32 elements"
    told = [
        str(fault_of(Failure(3, f"vtac-fault 1 race @byte:{byte}@: x\n", 0), cache_directory(), text, _LAUNCH))
        for byte in (70, 63, 128)
    ]
    assert ["`tile[3]`" in told[0], "byte 63 of" in told[1], "byte 128 of" in told[2]] == [True] * 3
