"""Pipelined loops around anything that reads the copies: which slot, and when it may be overwritten."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import lower

from vtac.dialects.schedule.spellings import ThreadName
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.targets.cuda.building import to_program
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason


def transpose(rows: int, steps: int) -> str:
    """Each of rows x steps tiles of 16 x 16 transposed."""
    kind = f"tensor<{rows}x{steps}x16x16xf16>"
    return f"""
func.func @main(%x: {kind}) -> {kind} {{
  %empty = tensor.empty() : {kind}
  %y = linalg.generic {{indexing_maps = [affine_map<(i, j, k, l) -> (i, j, l, k)>,
      affine_map<(i, j, k, l) -> (i, j, k, l)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}}
    ins(%x : {kind}) outs(%empty : {kind}) {{
  ^bb0(%v: f16, %o: f16):
    linalg.yield %v : f16
  }} -> {kind}
  func.return %y : {kind}
}}
"""


def pipelined(program: str, stages: int, *, outer: ThreadName | None, vector: bool = False) -> Schedule:
    """A tile per step, copied in the background; the outer loop serial or bound."""
    script = Schedule(program)
    block = script.get_block("y")
    copy = script.cache_read(block, 0, "shared")
    rows, step, *tile = script.get_loops(block)
    if outer is not None:
        script.bind(rows, outer)
    lane, inner = script.split(script.fuse(*tile), nparts=32)
    script.bind(lane, "threadIdx.x")
    if vector:
        script.vectorize(inner)
    script.compute_at(copy, step)
    lane, inner = script.split(script.fuse(*script.get_loops(copy)[-2:]), factor=8)
    script.bind(lane, "threadIdx.x")
    script.vectorize(inner)
    script.pipeline(step, stages)
    return script


@given(st.integers(1, 3), st.integers(2, 6), st.integers(2, 5), st.sampled_from([None, "blockIdx.x"]))
@settings(max_examples=12)
def test_pipelines_that_start_again(rows: int, steps: int, stages: int, outer: ThreadName | None) -> None:
    """Under a serial loop the next run's first copies wait for the last run's readers."""
    program = transpose(rows, steps)
    script = pipelined(program, min(steps, stages), outer=outer)
    x = np.random.default_rng(rows).integers(-99, 99, (rows, steps, 16, 16)).astype(np.float16)
    assert np.array_equal(evaluate(lower(program, None, script), x), x.transpose(0, 1, 3, 2))


@pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
@pytest.mark.parametrize("vector", [False, True])
def test_readers_of_every_kind_take_their_slot(vector: bool) -> None:
    program = transpose(2, 5)
    if vector:
        program = program.replace("(i, j, l, k)", "(i, j, k, l)")
    module = lower(program, None, pipelined(program, 3, outer=None, vector=vector))
    x = np.random.default_rng(5).integers(-99, 99, (2, 5, 16, 16)).astype(np.float16)
    expected = x if vector else x.transpose(0, 1, 3, 2)
    assert np.array_equal(evaluate(module, x), expected)
    assert np.array_equal(to_program(module)(x), expected)


def test_a_loop_whose_copies_are_further_in() -> None:
    program = transpose(4, 4)
    script = Schedule(program)
    block = script.get_block("y")
    copy = script.cache_read(block, 0, "shared")
    rows, step, *tile = script.get_loops(block)
    _, lane = script.split(script.fuse(*tile), factor=32)
    script.bind(lane, "threadIdx.x")
    script.compute_at(copy, step)
    script.bind(script.get_loops(copy)[-1], "threadIdx.y")
    script.pipeline(rows, 2)
    with pytest.raises(CompileError, match="pipeline: no buffer in shared memory is filled once per iteration of loop"):
        lower(program, None, script)
