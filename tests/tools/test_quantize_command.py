"""`vtac quantize`, and what `vtac run` makes of what it writes."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vtac.errors import CompileError
from vtac.models.graph import Input
from vtac.models.layers.activations import Relu
from vtac.models.model import Model
from vtac.preparation import prepare
from vtac.targets.registry import find_target
from vtac.tools.vtac import main

needs_onnx = pytest.mark.skipif(find_spec("onnx") is None, reason="the package onnx is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, data and labels."""
    random = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=random.normal(0, 1, (20, 1, 4, 4)).astype(np.float32))
    np.save(tmp_path / "labels.npy", np.zeros(20, np.int64))
    if find_spec("onnx") is not None:
        helper, arrays = import_module("onnx.helper"), import_module("onnx.numpy_helper")
        nodes = [
            helper.make_node("Conv", ["x", "conv.weight"], ["a"], "conv"),
            helper.make_node("Relu", ["a"], ["b"], "relu"),
            helper.make_node("Flatten", ["b"], ["c"], "flat"),
            helper.make_node("Gemm", ["c", "fc.weight"], ["y"], "fc", transB=1),
        ]
        weights = {"conv.weight": random.normal(0, 1, (4, 1, 3, 3)), "fc.weight": random.normal(0, 1, (3, 16))}
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info("x", 1, ["N", 1, 4, 4])],
            [helper.make_tensor_value_info("y", 1, ["N", 3])],
            [arrays.from_array(array.astype(np.float32), name) for name, array in weights.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=8)
        (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    return tmp_path


def quantize(folder: Path, *more: str) -> int:
    given = ["--calibration", str(folder / "data.npz"), "-o", str(folder / "net.mlir")]
    return main(["quantize", str(folder / "net.onnx"), *given, *more])


@needs_onnx
def test_a_model_becomes_a_program_and_a_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = [flag for name in ("net.html", "net.json") for flag in ("--report", str(folder / name))]
    assert quantize(folder, "--labels", str(folder / "labels.npy"), *reports) == 0
    assert "accuracy" in capsys.readouterr().out
    found = json.loads((folder / "net.json").read_text())
    assert [layer["name"] for layer in found["layers"]] == ["conv", "flat", "fc"]
    assert (folder / "net.html").read_text().startswith("<!DOCTYPE html>")
    assert main(["run", str(folder / "net.mlir")]) == 0
    assert "int32 1x3" in capsys.readouterr().out


@needs_onnx
def test_json_goes_to_stdout_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert quantize(folder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["streams"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quantize", "net.onnx", "-o", "net.mlir"], "--calibration X.npz is missing"),
        (["quantize", "net.onnx", "--calibration", "x.npz"], "-o OUT.mlir is missing"),
        (["quantize", "net.h5", "--calibration", "x.npz", "-o", "n.mlir"], "'net.h5' is no model that can be read"),
        (
            ["quantize", "net.onnx", "--calibration", "x.npz", "-o", "n.mlir", "--report", "r.pdf"],
            "--report r.pdf cannot be written: its name must end in .html or .json",
        ),
        (["run", "net.onnx"], "'net.onnx' is a trained model, not a program: quantise it first, with 'vtac quantize"),
        (["compile", "net.pt2", "-o", "net"], "'net.pt2' is a trained model, not a program"),
    ],
)
def test_what_is_missing_or_wrong_is_said(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


@needs_onnx
def test_archives_that_do_not_fit_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(folder / "data.npz", a=np.zeros((1, 1, 4, 4)), b=np.zeros(1))
    assert quantize(folder) == 1
    assert "holds a, b; expected the inputs x" in capsys.readouterr().err
    assert not (folder / "net.mlir").exists()


def test_models_given_to_compile_say_what_to_do() -> None:
    model = Model("net", (Input("x", (1, 4)),), (Relu("relu", ("x",)),), ("relu",))
    with pytest.raises(CompileError, match=r"a Model computes with floats: quantise it first, with model\.quantize"):
        prepare(model, find_target("vta"))  # pyright: ignore[reportArgumentType]
    with pytest.raises(CompileError, match="a int cannot be compiled; a module, the path of a file or a text is"):
        prepare(3, find_target("vta"))  # pyright: ignore[reportArgumentType]


@needs_onnx
def test_every_option_of_the_quantiser_is_one_of_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scheme = ["--zero-points", "none", "--exponents", "extremes", "--rounding", "half-even", "--weights", "nearest"]
    more = ["--mantissas", "one", "--no-correct-bias", "--per-tensor", "--no-equalise", "--batch", "2"]
    assert quantize(folder, *scheme, *more) == 0
    assert "tensor<2x1x4x4xi8>" in (folder / "net.mlir").read_text()
    assert quantize(folder, "--shape", "x=4x1x4x4") == 0
    assert "tensor<4x1x4x4xi8>" in (folder / "net.mlir").read_text()
    capsys.readouterr()
    assert quantize(folder, "--exponents", "best") == 1
    assert "argument --exponents: invalid choice: 'best'" in capsys.readouterr().err


@needs_onnx
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("x", "--shape x names no shape; NAME=1x3x224x224 is required"),
        ("x=0x1x4x4", "--shape x=0x1x4x4 names no shape"),
        ("data=1x1x4x4", "a shape is given for 'data'; model 'net' has inputs x (Nx1x4x4)"),
    ],
)
def test_shapes_of_no_input_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], shape: str, message: str
) -> None:
    assert quantize(folder, "--shape", shape) == 1
    assert message in capsys.readouterr().err


@needs_onnx
def test_one_array_is_the_data_of_the_only_input(folder: Path) -> None:
    np.save(folder / "data.npy", np.zeros((3, 1, 4, 4), np.float32))
    given = ["--calibration", str(folder / "data.npy"), "-o", str(folder / "net.mlir")]
    assert main(["quantize", str(folder / "net.onnx"), *given]) == 0


def test_one_array_goes_in_and_one_comes_out(tmp_path: Path) -> None:
    program, data, result = tmp_path / "f.mlir", tmp_path / "x.npy", tmp_path / "y.npy"
    program.write_text(
        "func.func @f(%x: tensor<4x4xi8>) -> tensor<4x4xi8> {\n"
        "  %y = arith.addi %x, %x : tensor<4x4xi8>\n  func.return %y : tensor<4x4xi8>\n}\n"
    )
    np.save(data, np.arange(16, dtype=np.int8).reshape(4, 4))
    assert main(["run", str(program), "--inputs", str(data), "--outputs", str(result)]) == 0
    assert (np.load(result) == 2 * np.load(data)).all()


def test_floats_for_an_integer_program_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program, data = tmp_path / "f.mlir", tmp_path / "x.npy"
    program.write_text("func.func @f(%x: tensor<4x4xi8>) -> tensor<4x4xi8> { func.return %x : tensor<4x4xi8> }\n")
    np.save(data, np.zeros((4, 4), np.float32))
    assert main(["run", str(program), "--inputs", str(data)]) == 1
    assert "the program takes 4x4 int8: round floats to the integers that they stand for" in capsys.readouterr().err
    data.write_bytes(data.read_bytes()[:-1])
    assert main(["run", str(program), "--inputs", str(data)]) == 1
    assert "it claims 64 bytes of numbers and has 63: it is cut or forged" in capsys.readouterr().err
