"""What the fast path finds out about a kernel: its loops, and which ALU operations wait for which."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.targets.vta.isa import Gemm
from vtac.targets.vta.machine.fast_levels import parallel_levels
from vtac.targets.vta.machine.fast_nest import Loop, Nest, merge_loops, nest_of, recover_loops


@settings(max_examples=100)
@given(
    loops=st.lists(
        st.tuples(st.integers(2, 4), st.integers(-2, 3), st.integers(0, 3), st.integers(0, 3)), min_size=0, max_size=3
    )
)
def test_recovered_loops_list_the_same_micro_ops(loops: list[tuple[int, int, int, int]]) -> None:
    nest = Nest((), np.array([[9, 0, 0]]), tuple(Loop(*loop) for loop in loops))
    table = np.stack([nest.indices(operand) for operand in range(3)], axis=1)
    starts, inner = recover_loops(table)
    again = Nest((), starts, inner)
    assert all((again.indices(operand) == table[:, operand]).all() for operand in range(3))
    assert merge_loops(inner) == inner or len(merge_loops(inner)) < len(inner)


def test_a_convolutions_micro_ops_become_three_loops() -> None:
    ops = [(x, 16 * dy + dx + x, 3 * dy + dx) for dy in range(3) for dx in range(3) for x in range(14)]
    starts, loops = recover_loops(np.array(ops))
    assert starts.tolist() == [[0, 0, 0]]
    assert loops == (Loop(3, 0, 16, 3), Loop(3, 0, 1, 1), Loop(14, 1, 1, 0))


def test_a_list_without_structure_stays_a_list() -> None:
    ops = np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0], [4, 1, 0], [9, 9, 9]])
    starts, loops = recover_loops(ops)
    assert starts.tolist() == ops.tolist()
    assert loops == ()


def test_nests_are_cached_by_kernel_and_loop_shape() -> None:
    gemm = Gemm(False, 0, 2, 3, 1, 1, 0, 0, 0, 0, 0)
    ops = np.array([[0, 0, 0], [0, 1, 1]])
    assert nest_of(gemm, ops) is nest_of(gemm, ops.copy())
    assert nest_of(gemm, ops) is not nest_of(gemm, ops + 1)
    assert nest_of(gemm, ops).operations == 6


def test_neighbouring_loops_join() -> None:
    assert merge_loops((Loop(3, 8, 4, 0), Loop(4, 2, 1, 0))) == (Loop(12, 2, 1, 0),)
    assert merge_loops((Loop(3, 8, 5, 0), Loop(4, 2, 1, 0))) == (Loop(3, 8, 5, 0), Loop(4, 2, 1, 0))


def _levels(dst: list[int], src: list[int]) -> list[list[int]]:
    nest = Nest((), np.array([[d, s, 0] for d, s in zip(dst, src, strict=True)]), ())
    levels = parallel_levels(nest)
    assert levels is not None
    return [level[0].tolist() for level in levels]


def test_alu_operations_wait_for_what_they_read() -> None:
    assert _levels([0, 1, 2], [5, 6, 7]) == [[0, 1, 2]]
    assert _levels([0, 1, 2], [1, 2, 3]) == [[0, 1, 2]]
    assert _levels([1, 2, 3], [0, 1, 2]) == [[1], [2], [3]]
    assert _levels([9, 9, 8, 8, 9], [0, 1, 0, 1, 2]) == [[9, 8], [9, 8], [9]]
