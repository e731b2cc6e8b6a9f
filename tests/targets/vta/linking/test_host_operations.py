"""What numpy does between device programs, and what neither machine can do: refused when compiled, not when run."""

from __future__ import annotations

import re

import numpy as np
import pytest
from plain_programs import run_against_numpy, said

import vtac
from vtac.errors import CompileError
from vtac.targets.vta.programs.host_program import HostProgram

KIND, FLOAT = "tensor<2x20xi8>", "tensor<2x20xf32>"


def after_a_sum(steps: str, result: str = KIND) -> str:
    """A function that adds on the VTA, then does `steps` with the sum `%s` and its argument `%b`."""
    return f"""#id = affine_map<(i, j) -> (i, j)>
func.func @f(%a: {KIND}, %b: {KIND}) -> {result} {{
  %e = tensor.empty() : {KIND}
  %s = linalg.generic {{indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}}
    ins(%a, %b : {KIND}, {KIND}) outs(%e : {KIND}) {{
  ^bb0(%x: i8, %y: i8, %o: i8):
    %t = arith.addi %x, %y : i8
    linalg.yield %t : i8
  }} -> {KIND}
  {steps}
  func.return %r : {result}
}}
"""


def on_floats(body: str) -> str:
    """An operation on the sum as `%f`."""
    return f"""%re = tensor.empty() : {FLOAT}
  %r = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}}
    ins(%s : {KIND}) outs(%re : {FLOAT}) {{
  ^bb0(%x: i8, %o: f32):
    %f = arith.sitofp %x : i8 to f32
    {body}
    linalg.yield %y : f32
  }} -> {FLOAT}"""


@pytest.mark.parametrize(
    ("steps", "result"),
    [
        (f"%r = tensor.concat dim(0) %s, %b : ({KIND}, {KIND}) -> tensor<4x20xi8>", "tensor<4x20xi8>"),
        (f"%r = tensor.concat dim(1) %s, %b : ({KIND}, {KIND}) -> tensor<2x40xi8>", "tensor<2x40xi8>"),
        (
            f"%p = tensor.extract_slice %s[1, 3] [1, 8] [1, 2] : {KIND} to tensor<8xi8>\n"
            f"  %r = tensor.insert_slice %p into %b[0, 4] [1, 8] [1, 1] : tensor<8xi8> into {KIND}",
            KIND,
        ),
    ],
    ids=["rows", "columns", "slices"],
)
def test_changes_of_layout_are_no_host_segments(steps: str, result: str) -> None:
    text = after_a_sum(steps, result)
    assert run_against_numpy(text).choices == ()
    vtac.compile(text, host=False)


def test_the_exponential_function_runs_on_the_host() -> None:
    program = run_against_numpy(after_a_sum(on_floats("%y = math.exp %f : f32"), FLOAT))
    zeros = np.zeros((2, 20), np.int8)
    np.testing.assert_array_equal(program(zeros, zeros), np.ones((2, 20), np.float32))


def test_arith_on_tensors_is_elementwise() -> None:
    program = run_against_numpy(after_a_sum(f"%r = arith.subi %s, %b : {KIND}"))
    assert said(program) == () and len(program.devices) == 1


@pytest.mark.parametrize(
    ("steps", "result", "message"),
    [
        (
            on_floats("%y = math.fpowi %f, %x : f32, i8"),
            FLOAT,
            "11:8: 'linalg.generic' {}its body has 'math.fpowi', which numpy",
        ),
        (
            f"%i = arith.constant 1 : i8\n  %v = tensor.from_elements %i, %i : tensor<2xi8>\n"
            f"  %r = tensor.splat %i : {KIND}",
            KIND,
            "11:8: 'tensor.from_elements' {}numpy executes linalg structured ops, ",
        ),
        (
            f"%r = func.call @g(%s) : ({KIND}) -> {KIND}",
            KIND,
            "10:8: 'f' calls 'g'; a program is one function that calls no other: write the operations in place",
        ),
    ],
    ids=["body", "scalar", "call"],
)
def test_what_neither_machine_can_do_is_refused(steps: str, result: str, message: str) -> None:
    declared = f"func.func private @g({KIND}) -> {KIND}\n" if "@g" in steps else ""
    refused = message.format("can run neither on the VTA nor on the host: ")
    with pytest.raises(CompileError, match=re.escape(f"<string>:{refused}")):
        vtac.compile(after_a_sum(steps, result) + declared)


def test_all_of_it_at_once() -> None:
    twice = f"""%z = arith.constant 0 : i8
  %p = tensor.pad %s low[-1, 0] high[1, 0] {{
  ^bb0(%i: index, %j: index):
    tensor.yield %z : i8
  }} : {KIND} to {KIND}
  %q = tensor.from_elements %z, %z : tensor<2xi8>
  %r = tensor.insert_slice %p into %b[0, 0] [2, 20] [1, 1] : {KIND} into {KIND}"""
    with pytest.raises(CompileError) as caught:
        vtac.compile(after_a_sum(twice))
    first, second = str(caught.value).splitlines()
    neither = "can run neither on the VTA nor on the host:"
    assert first == f"<string>:11:8: 'tensor.pad' {neither} pad sizes must be constants and not negative"
    assert second.startswith(f"<string>:15:8: 'tensor.from_elements' {neither} numpy executes linalg structured ops")


def test_an_element_of_a_result_is_the_hosts() -> None:
    steps = f"%i = arith.constant 1 : index\n  %v = tensor.extract %s[%i, %i] : {KIND}\n  %r = tensor.splat %v : {KIND}"
    run_against_numpy(after_a_sum(steps, KIND))


def test_results_must_be_arrays_of_numpy() -> None:
    steps = (
        on_floats("%y = arith.truncf %f : f32 to bf16").replace("o: f32", "o: bf16").replace("%y : f32", "%y : bf16")
    )
    text = after_a_sum(steps.replace(FLOAT, "tensor<2x20xbf16>"), "tensor<2x20xbf16>")
    with pytest.raises(CompileError, match=re.escape("<string>:2:1: result 0 of 'f': cannot compute with bf16")):
        vtac.compile(text)


def test_slices_of_a_saved_program(tmp_path: object) -> None:
    program = vtac.compile(
        after_a_sum(f"%r = tensor.insert_slice %s into %b[0, 0] [2, 20] [1, 1] : {KIND} into {KIND}")
    )
    assert isinstance(program, HostProgram)
    program.save(str(tmp_path))
    loaded = vtac.load_program(str(tmp_path), "vta")
    x = np.arange(40, dtype=np.int8).reshape(2, 20)
    np.testing.assert_array_equal(loaded(x, x), x + x)
