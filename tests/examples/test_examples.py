"""The example programs: their flags, their JSON, their refusals, and the same programs as .mlir files."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from reference_programs import COUNTERS
from workload_cases import BATCH_4

import vtac
from vtac.tools.vtac import main as vtac_main
from vtac.tools.vtac_opt import main as vtac_opt_main
from vtac.workloads import reference
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.matmul import Matmul
from vtac.workloads.vadd import VectorAdd

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = {"vadd": "vadd", "matmul": "gemm", "conv2d": "conv2d"}
"""Example -> reference program."""

Runner = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run an example in this process: its status, stdout and stderr."""

    def call(name: str, *flags: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
        monkeypatch.setattr(sys, "argv", [f"vta_{name}.py", *flags])
        try:
            status = int(runpy.run_path(str(EXAMPLES / f"vta_{name}.py"))["main"]())
        except SystemExit as request:
            status = int(request.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.mark.parametrize("name", NAMES)
def test_defaults_give_the_reference_counters(name: str, run: Runner) -> None:
    status, out, err = run(name, "--json")
    assert (status, err, out.count("\n")) == (0, "", 1)
    summary = json.loads(out)
    assert set(summary) == {"stats", "correct", "instructions", "micro_ops", "compile_seconds", "run_seconds"}
    assert summary["correct"] is True
    counters = {key: value for key, value in summary["stats"].items() if key != "cycles" and value}
    assert counters == COUNTERS[NAMES[name]]


@pytest.mark.parametrize("name", NAMES)
def test_report_for_people(name: str, run: Runner) -> None:
    status, out, _ = run(name)
    assert status == 0
    assert out.endswith("the result equals numpy's\n")
    for phase in ("input", "payload", "scheduled", "blocked", "units", "tokens", "threads", "vta", "stream"):
        assert f"\n  {phase} " in out


@pytest.mark.parametrize("name", NAMES)
def test_mlir_files_are_what_the_examples_write(name: str, run: Runner, tmp_path: Path) -> None:
    run(name, "--json", "--write-mlir", str(tmp_path / "written.mlir"))
    assert (tmp_path / "written.mlir").read_text() == (EXAMPLES / f"vta_{name}.mlir").read_text()


FLAGS = {
    "wide rows": ("vadd", ["--channels", "4096", "--block", "1024", "--batch", "2"]),
    "large numbers": ("vadd", ["--channels", "64", "--low", "-2147483648", "--high", "2147483647"]),
    "batch": ("matmul", ["--batch", "16", "--in-features", "128", "--out-features", "128", "--batch-block", "4",
                         "--in-block", "64", "--out-block", "64"]),
    "threads": ("matmul", ["--in-features", "128", "--out-features", "128", "--in-block", "64", "--out-block", "32",
                           "--vthreads", "2"]),
    "stride": ("conv2d", ["--stride", "2", "--in-channels", "32", "--out-channels", "64", "--oc-block", "32",
                          "--w-block", "7"]),
    "rows in threads": ("conv2d", ["--in-channels", "32", "--out-channels", "32", "--oc-block", "32", "--h-block", "7",
                                   "--vthread-axis", "h"]),
    "guarded": ("conv2d", ["--height", "10", "--width", "10", "--in-channels", "32", "--out-channels", "32",
                           "--oc-block", "16", "--h-block", "4", "--w-block", "7", "--tail", "guard"]),
}  # fmt: skip


@pytest.mark.parametrize("case", FLAGS)
def test_flags(case: str, run: Runner) -> None:
    name, flags = FLAGS[case]
    status, out, err = run(name, *flags, "--json", "--seed", "3")
    assert (status, err) == (0, "")
    assert json.loads(out)["correct"] is True


REFUSED = {
    "overflow": (
        "conv2d",
        ["--batch", "4", "--config", "BATCH_4"],
        "error: <string>:2:1: function 'conv2d' overflows ACC: 3,136 of 2,048 elements",
    ),
    "odd channels": ("conv2d", ["--in-channels", "20"], "error: in-channels is 20; a positive multiple of BLOCK = 16"),
    "kernel too large": ("conv2d", ["--kernel", "19"], "error: a 19x19 kernel does not fit 14x14 with padding 1"),
    "block that does not divide": ("conv2d", ["--h-block", "5"], "error: split: factor 5 does not divide loop"),
    "empty range": ("vadd", ["--low", "4", "--high", "4"], "error: --high 4 must be above --low 4"),
    "missing configuration": ("vadd", ["--config", "none.json"], "error: cannot read the configuration none.json"),
    "odd block": (
        "matmul",
        ["--in-block", "24"],
        "error: in-block is 24; a positive multiple of BLOCK = 16 is required",
    ),
    **{
        f"no {name} batch": (name, ["--batch", "0"], "error: batch is 0; a positive multiple of BATCH = 1 is required")
        for name in NAMES
    },
    "no matmul threads": ("matmul", ["--vthreads", "0"], "error: vthreads is 0; at least 1 is required"),
    "negative threads": ("matmul", ["--vthreads", "-2"], "error: vthreads is -2; at least 1 is required"),
    "no conv2d threads": ("conv2d", ["--vthreads", "0"], "error: vthreads is 0; at least 1 is required"),
    **{f"{name} seed": (name, ["--seed", "-1"], "error: --seed is -1; 0 or more is required") for name in NAMES},
    "wide numbers": (
        "vadd",
        ["--low", "0", "--high", "99999999999"],
        "error: random numbers from 0 to below 99999999999 do not fit int32: "
        "choose --low and --high between -2147483648 and 2147483648",
    ),
    **{
        f"wide {name} numbers": (
            name,
            ["--low", "-129"],
            "error: random numbers from -129 to below 128 do not fit int8: "
            "choose --low and --high between -128 and 128",
        )
        for name in ("matmul", "conv2d")
    },
    "deep configuration": ("vadd", ["--config", "DEEP"], "error: DEEP: the JSON is nested too deeply; "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str, run: Runner, tmp_path: Path) -> None:
    name, flags, text = REFUSED[case]
    file = tmp_path / "vta_config.json"
    file.write_text(json.dumps(BATCH_4.to_fields()))
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000)
    files = {"BATCH_4": str(file), "DEEP": str(deep)}
    status, out, err = run(name, *[files.get(flag, flag) for flag in flags])
    assert (status, out) == (1, "")
    assert err.startswith(text.replace("DEEP", str(deep)))


def test_other_configuration(run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "vta_config.json"
    file.write_text(json.dumps(BATCH_4.to_fields()))
    flags = ["--in-channels", "16", "--out-channels", "32", "--ic-block", "8", "--oc-block", "8", "--json"]
    status, out, _ = run("conv2d", "--batch", "8", "--config", str(file), *flags)
    assert (status, json.loads(out)["correct"]) == (0, True)


def test_dump_is_a_program_with_its_inputs(run: Runner, tmp_path: Path) -> None:
    run("vadd", "--json", "--dump", str(tmp_path), "--seed", "7")
    assert json.loads((tmp_path / "program.json").read_text())["inputs_placed"] is True
    assert len(vtac.load_program(tmp_path, "vta").stream.instructions) == 8 * 16


def test_ir_goes_to_stderr_beside_json(run: Runner) -> None:
    _, out, err = run("vadd", "--json", "--print-ir", "vta")
    assert json.loads(out)["correct"] is True
    assert "vta.alu add loops [<64, 1, 1, 0>]" in err


@pytest.mark.parametrize("phase", ["input", "vta"])
def test_ir_is_alone_on_stdout(phase: str, run: Runner, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run("vadd", "--print-ir", phase)
    assert status == 0
    assert err.startswith("vector addition: 1 x 1024, int32 -> int8\n")
    assert err.endswith("the result equals numpy's\n")
    file = tmp_path / "printed.mlir"
    file.write_text(out)
    assert vtac_opt_main([str(file)]) == 0
    assert capsys.readouterr().out == out


LAYERS = {"vadd": VectorAdd(), "matmul": Matmul(), "conv2d": Conv2D()}


@pytest.mark.parametrize("name", LAYERS)
def test_mlir_files_run(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layer, random = LAYERS[name], np.random.default_rng(5)
    inputs, outputs = str(tmp_path / "x.npz"), str(tmp_path / "y.npz")
    if isinstance(layer, VectorAdd):
        a, b = (random.integers(-128, 128, layer.shape, dtype=np.int32) for _ in range(2))
        np.savez(inputs, A=a, B=b)
        expected = reference.vadd(a, b)
    elif isinstance(layer, Matmul):
        data = random.integers(-128, 128, (1, 1024)).astype(np.int8)
        weight = random.integers(-128, 128, (1024, 1024)).astype(np.int8)
        np.savez(inputs, data=reference.pack_rows(data, 1, 16), weight=reference.pack_rows(weight, 16, 16))
        expected = reference.pack_rows(reference.matmul(layer, data, weight), 1, 16)
    else:
        data = random.integers(-128, 128, (1, 256, 14, 14)).astype(np.int8)
        kernel = random.integers(-128, 128, (256, 256, 3, 3)).astype(np.int8)
        np.savez(inputs, data=reference.pack_images(data, 1, 16), kernel=reference.pack_images(kernel, 16, 16))
        expected = reference.pack_images(reference.conv2d(layer, data, kernel), 1, 16)
    file = str(EXAMPLES / f"vta_{name}.mlir")
    assert vtac_main(["run", file, "--inputs", inputs, "--outputs", outputs]) == 0
    said = "no contractions" if name == "vadd" else "1 of 1 contraction (100 % of MACs) on the VTA"
    assert capsys.readouterr().err == f"{said}, one stream\n"
    with np.load(outputs) as archive:
        (result,) = archive.values()
    assert np.array_equal(result, expected)
