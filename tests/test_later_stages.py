"""IR that is lowered in part, packed, or no single function: it goes on from there, or one message says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.compiler import lower
from vtac.errors import CompileError, EvaluationError
from vtac.evaluate import evaluate
from vtac.pipelines import Runner
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context
from vtac.tools.vtac_opt import main

EXAMPLES = Path(__file__).parents[1] / "examples"
VADD = EXAMPLES / "vta_vadd.mlir"

KIND = "tensor<16x16xi32>"
ADD = (
    f"%e = tensor.empty() : {KIND}\n  %s = linalg.add ins(%a, %a : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}\n"
    f"  return %s : {KIND}\n"
)


def _function(name: str, body: str, visibility: str = "") -> str:
    return f"func.func {visibility}@{name}(%a: {KIND}) -> {KIND} {{\n  {body}}}\n"


def _call(name: str) -> str:
    return f"%s = func.call @{name}(%a) : ({KIND}) -> {KIND}\n  return %s : {KIND}\n"


def _again(module: ModuleOp) -> ModuleOp:
    return vtac.parse(f"{module!s}\n")


@pytest.mark.parametrize("phase", VTA_PIPELINE.levels[1:])
def test_the_vta_from_each_phase(phase: str) -> None:
    module = _again(lower(VADD, phase=phase))
    if phase in ("units", "tokens", "threads"):
        between = (
            " beside schedule loops, or buffers without a place, is IR from within lower-to-vta, which is neither "
            "executed nor gone on from: take that of a phase among input, payload, scheduled, blocked, vta"
        )
        with pytest.raises(CompileError) as caught:
            vtac.compile(module)
        assert "cannot compile 'vadd': 'vta." in str(caught.value)
        assert between in str(caught.value)
        with pytest.raises(EvaluationError) as refused:
            evaluate(module)
        assert "cannot execute 'vadd': 'vta." in str(refused.value)
        assert between in str(refused.value)
    else:
        assert vtac.compile(module).disassemble() == vtac.compile(VADD).disassemble() or phase == "payload"


@pytest.mark.parametrize("phase", WMMA_PIPELINE.levels[1:])
def test_a_kernel_from_each_phase(phase: str) -> None:
    source = EXAMPLES / "wmma_conv2d.mlir"
    module = _again(lower(source, "cuda", phase=phase))
    if phase in ("tiles", "memory"):
        with pytest.raises(CompileError, match="or buffers without a place, is IR from within lower-to-wmma"):
            vtac.compile(module, "cuda")
    elif phase != "payload":
        assert vtac.compile(module, "cuda").text == vtac.compile(source, "cuda").text


def test_a_kernel_is_lowered_once() -> None:
    module = lower(EXAMPLES / "wmma_conv2d.mlir", "cuda")
    before = str(module)
    Runner(make_context()).run_phases(WMMA_PIPELINE.phases, module)
    assert str(module) == before


def test_plain_programs_are_lowered_through_their_own_phases() -> None:
    text = _function("f", ADD)
    array = np.arange(256, dtype=np.int32).reshape(16, 16)
    for phase in ("packed", "linked", None):
        assert (np.asarray(evaluate(lower(text, phase=phase), array)) == 2 * array).all()


def test_packed_programs_are_not_packed_again() -> None:
    module = lower(_function("f", ADD), phase="grouped")
    with pytest.raises(CompileError) as caught:
        vtac.compile(module)
    assert str(caught.value).endswith(
        "was made by packing, which compiling starts with: give the program from before it; vtac.evaluate executes "
        "this one"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("builtin.module {\n}\n", "<string>:1:1: a program is one function; the module has none with a body"),
        (
            f"func.func private @f({KIND}) -> {KIND}\n",
            "<string>:1:1: a program is one function; the module has none with a body",
        ),
        (
            _function("f", ADD) + _function("g", ADD),
            "<string>:1:1: a program is one function; the module has 2 (f, g)",
        ),
        (
            _function("f", _call("f")),
            "<string>:2:8: 'f' calls 'f'; a program is one function that calls no other: write the operations in place "
            "of the call",
        ),
    ],
)
@pytest.mark.parametrize("target", ["vta", "cuda"])
def test_a_program_is_one_function(text: str, message: str, target: str) -> None:
    with pytest.raises(CompileError) as caught:
        vtac.compile(text, target)
    assert str(caught.value) == message


@pytest.mark.parametrize("target", ["vta", "cuda"])
def test_a_program_of_loops_over_elements_is_told_so(target: str) -> None:
    text = """func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  affine.for %i = 0 to 4 {
    %a = affine.load %x[%i] : memref<4xi32>
    affine.store %a, %y[%i] : memref<4xi32>
  }
  func.return
}
"""
    with pytest.raises(CompileError) as caught:
        vtac.compile(text, target)
    assert str(caught.value) == (
        "<string>:2:3: 'f' is lowered too far to be compiled, to 'affine.for': give the program from before "
        "bufferisation and loops, of linalg on tensors; vtac.evaluate executes this one"
    )
    x = np.arange(4, dtype=np.int32)
    assert np.array_equal(np.asarray(evaluate(vtac.parse(text), x, 0 * x)), x)


def test_the_vta_takes_no_calls() -> None:
    with pytest.raises(CompileError) as caught:
        vtac.compile(_function("f", _call("g")) + _function("g", ADD, "private "), "vta")
    assert str(caught.value).startswith(
        "<string>:2:8: 'f' calls 'g'; a program is one function that calls no other: write the operations in place of"
    )


def test_functions_that_call_themselves_are_not_executed() -> None:
    text = _function("f", _call("g")) + _function("g", _call("f"), "private ")
    with pytest.raises(EvaluationError) as caught:
        evaluate(vtac.parse(text), np.zeros((16, 16), np.int32))
    assert str(caught.value) == "<string>:1:1: cannot execute 'f': it calls itself, f -> g -> f"


def test_a_private_function_alone_is_the_program() -> None:
    array = np.ones((16, 16), np.int32)
    text = _function("f", ADD, "private ")
    assert (np.asarray(evaluate(vtac.parse(text), array)) == np.asarray(vtac.compile(text)(array))).all()


def test_more_dimensions_than_numpy_has() -> None:
    kind = f"tensor<{'1x' * 70}i32>"
    text = f"func.func @f(%a: {kind}) -> {kind} {{\n  return %a : {kind}\n}}\n"
    for target in ("vta", "cuda"):
        with pytest.raises(CompileError) as caught:
            vtac.compile(text, target)
        assert str(caught.value) == (
            "<string>:1:1: 'a' has 70 dimensions; 60 leave room for tiles in arrays of numpy, which have at most 64"
        )
    with pytest.raises(EvaluationError) as refused:
        evaluate(vtac.parse(text))
    assert str(refused.value) == (
        "<string>:1:1: cannot execute 'f': 'a' has 70 dimensions; arrays of numpy have at most 64"
    )


@pytest.mark.parametrize("name", ["lower-to-vta", "lower-plain-to-vta", "convert-linalg-to-schedule"])
def test_branches_are_not_lowered(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "branch.mlir"
    source.write_text(f"func.func @f(%a: {KIND}) -> {KIND} {{\n  cf.br ^bb1\n^bb1:\n  return %a : {KIND}\n}}\n")
    assert main([str(source), "-p", name]) == 1
    assert (
        "error: function 'f' has 2 blocks with branches between them; one block is required" in capsys.readouterr().err
    )
