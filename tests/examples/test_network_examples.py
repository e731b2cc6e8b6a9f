"""examples/resnet18.py and mlp.py: their reports, their JSON, their refusals."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.workloads.networks.mlp import mlp

EXAMPLES = Path(__file__).parents[2] / "examples"

Runner = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run an example in this process: its status, stdout and stderr."""

    def call(name: str, *flags: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *flags])
        try:
            status = int(runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]())
        except SystemExit as request:
            status = int(request.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def test_resnet18_reports_every_layer(run: Runner) -> None:
    status, out, err = run("resnet18", "--size", "32", "--classes", "10", "--seed", "2")
    assert status == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    assert lines["conv1"].endswith("with the layer after it")
    for name in ("pool1", "layer2_block0_down", "layer4_block1_conv2", "average", "fc"):
        assert lines[name].endswith("VTA  exact")
    assert "DIFFERS" not in out
    assert "1 stream, " in out
    assert "22 of 22 layers and results are exactly numpy's" in out
    assert "compiling" in err
    assert "checking every layer against numpy" in err


def test_json_is_one_object_and_adds_up(run: Runner) -> None:
    status, out, err = run("mlp", "--json", "--batch", "3", "--features", "70", "33", "12")
    assert (status, err, out.count("\n")) == (0, "", 1)
    summary = json.loads(out)
    assert summary["correct"] is True
    assert [layer["name"] for layer in summary["layers"]] == ["fc1", "fc2"]
    stats = summary["stats"]
    assert sum(layer["cycles"] for layer in summary["layers"]) == stats["cycles"]
    assert sum(layer["gemm_counter"] for layer in summary["layers"]) == stats["gemm_counter"]
    moved = sum(value for key, value in stats.items() if key.endswith("_nbytes"))
    assert sum(layer["dram_bytes"] for layer in summary["layers"]) == moved


def test_a_dumped_network_runs_again(run: Runner, tmp_path: Path) -> None:
    status, _, _ = run("mlp", "--dump", str(tmp_path / "mlp"), "--features", "20", "9", "--seed", "4")
    assert status == 0
    network = mlp(features=(20, 9), seed=4)
    image = np.random.default_rng(0).integers(-128, 128, (1, 20)).astype(np.int8)
    found = vtac.load_program(tmp_path / "mlp", "vta")(image)
    np.testing.assert_array_equal(np.asarray(found), network.reference(image)["fc1"])


@pytest.mark.parametrize(
    ("phase", "found"), [("input", "linalg.matmul"), ("packed", "packing.pack"), ("grouped", "packing.program")]
)
def test_ir_of_a_phase_has_parameters_as_arguments(phase: str, found: str, run: Runner) -> None:
    status, out, _ = run("mlp", "--print-ir", phase, "--features", "20", "9", "5")
    assert status == 0
    assert found in out
    assert "%fc1_w: tensor<20x9xi8>" in out


@pytest.mark.parametrize(
    ("example", "flags", "message"),
    [
        ("resnet18", ("--size", "0"), "size is 0; 1 or more is required"),
        ("resnet18", ("--classes", "-3"), "classes is -3; 1 or more is required"),
        ("mlp", ("--features", "7"), "features are [7]; at least the inputs and the outputs of one layer"),
        ("mlp", ("--features", "7", "0"), "features is 0; 1 or more is required"),
        ("mlp", ("--low", "5", "--high", "5"), "--high 5 must be above --low 5"),
        ("mlp", ("--high", "300"), "random numbers from -128 to below 300 do not fit int8"),
        ("mlp", ("--config", "missing.json"), "missing.json"),
    ],
)
def test_bad_flags_get_one_message(example: str, flags: tuple[str, ...], message: str, run: Runner) -> None:
    status, out, err = run(example, *flags)
    assert (status, out) == (1, "")
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
