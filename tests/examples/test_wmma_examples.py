"""The tensor-core examples: their flags, their JSON, their files, their refusals."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import vtac
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.device import gpu_unavailable_reason
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.program import load_cuda_program
from vtac.workloads.wmma_conv2d import WmmaConv2D

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = (
    *("--batch", "32", "--height", "3", "--width", "3", "--in-channels", "32", "--out-channels", "32"),
    *("--blocks", "1000"),
)
needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_toolkit = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))

Runner = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run an example in this process: its status, stdout and stderr."""

    def call(name: str, *flags: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
        monkeypatch.setattr(sys, "argv", [f"wmma_{name}.py", *flags])
        try:
            status = int(runpy.run_path(str(EXAMPLES / f"wmma_{name}.py"))["main"]())
        except SystemExit as request:
            status = int(request.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@needs_compiler
@pytest.mark.parametrize("schedule", ["seed", "fast", "mma"])
def test_a_convolution_as_json(schedule: str, run: Runner) -> None:
    status, out, err = run("conv2d", *SMALL, "--schedule", schedule, "--json")
    assert (status, err, out.count("\n")) == (0, "", 1)
    summary = json.loads(out)
    assert (summary["correct"], summary["max_error"]) == (True, 0)
    assert summary["stats"]["checked_blocks"] == summary["stats"]["blocks"]
    assert {"instructions", "micro_ops", "compile_seconds", "run_seconds"} <= set(summary)
    assert "milliseconds" not in summary


@needs_compiler
def test_plain_images(run: Runner, tmp_path: Path) -> None:
    launch = tmp_path / "launch.json"
    status, out, _ = run("conv2d", *SMALL, "--layout", "nhwc", "--stride", "2", "--launch", str(launch), "--json")
    assert status == 0
    assert json.loads(out)["max_error"] == 0
    shapes = [parameter["shape"] for parameter in json.loads(launch.read_text())["parameters"]]
    assert shapes == [[32, 3, 3, 32], [3, 3, 32, 32], [32, 2, 2, 32]]


@needs_compiler
@pytest.mark.parametrize("flags", [("nchw",), ("nhwc", "--schedule", "fast"), ("nhwc", "--in-channels", "3")])
def test_images_are_packed_by_the_kernel(flags: tuple[str, ...], run: Runner) -> None:
    status, out, err = run("conv2d", *SMALL, "--batch", "5", "--layout", *flags, "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["max_error"] == 0


@needs_compiler
@pytest.mark.parametrize(("schedule", "said"), [("tma", "tma_load_im2col_4d("), ("wgmma", "wgmma_m64n")])
def test_pixels_of_images_are_rows(schedule: str, said: str, run: Runner, tmp_path: Path) -> None:
    """Odd images with a stride, of which nothing is packed."""
    text = tmp_path / "conv2d.cu"
    images = ("--batch", "3", "--height", "9", "--width", "7", "--in-channels", "64", "--out-channels", "64")
    flags = ("--schedule", schedule, "--layout", "nhwc", "--arch", "sm_90a", "--stride", "2", "--emit", str(text))
    status, out, err = run("conv2d", *images, *flags, "--json")
    assert (status, err) == (0, "")
    assert (json.loads(out)["correct"], json.loads(out)["max_error"]) == (True, 0)
    assert said in text.read_text()


@needs_compiler
def test_packed_images_of_a_pixel_are_rows(run: Runner, tmp_path: Path) -> None:
    text = tmp_path / "conv2d.cu"
    flags = ("--schedule", "tma", "--arch", "sm_90", "--in-channels", "64", "--emit", str(text))
    status, out, err = run("conv2d", *SMALL, *flags, "--json")
    assert (status, err) == (0, "")
    assert (json.loads(out)["correct"], json.loads(out)["max_error"]) == (True, 0)
    assert "tma_load_5d(" in text.read_text()


@needs_compiler
@pytest.mark.parametrize("flags", [("--dtype", "bf16", "--bias"), ("--dtype", "s8", "--relu"), ("--k", "50", "--relu")])
def test_products_as_json(flags: tuple[str, ...], run: Runner) -> None:
    status, out, _ = run("matmul", "--m", "64", "--n", "64", "--k", "64", *flags, "--json")
    assert status == 0
    assert json.loads(out)["max_error"] == 0


@needs_compiler
@pytest.mark.parametrize(
    ("schedule", "architecture", "said"),
    [
        ("mma", "sm_80", "mma_m16n8k16_f16_f32("),
        ("wgmma", "sm_90a", "wgmma_m64n"),
        ("tma", "sm_90", "mma_m16n8k16_f16_f32("),
        ("tma", "sm_90a", "tma_load_2d("),
    ],
)
def test_products_by_schedule(schedule: str, architecture: str, said: str, run: Runner, tmp_path: Path) -> None:
    text = tmp_path / "matmul.cu"
    sizes = ("--m", "64", "--n", "64", "--k", "104", "--bias", "--relu", "--blocks", "1000")
    flags = ("--schedule", schedule, "--arch", architecture, "--emit", str(text), "--json")
    status, out, err = run("matmul", *sizes, *flags)
    assert (status, err) == (0, "")
    summary = json.loads(out)
    assert (summary["correct"], summary["max_error"]) == (True, 0)
    assert summary["stats"]["checked_blocks"] == summary["stats"]["blocks"]
    assert said in text.read_text()
    assert ("tma_load_2d(" in text.read_text()) == (schedule == "tma")


@needs_compiler
def test_products_by_clusters(run: Runner, tmp_path: Path) -> None:
    text = tmp_path / "matmul.cu"
    sizes = ("--m", "256", "--n", "64", "--k", "264", "--blocks", "1000")
    status, out, err = run(
        "matmul", *sizes, "--schedule", "tma", "--arch", "sm_90a", "--cluster", "2", "--emit", str(text), "--json"
    )
    assert (status, err) == (0, "")
    summary = json.loads(out)
    assert (summary["correct"], summary["max_error"]) == (True, 0)
    assert "__cluster_dims__(" in text.read_text()
    assert "_multicast(" in text.read_text()


def test_the_defaults_write_the_seed_launch(run: Runner, tmp_path: Path) -> None:
    text, launch = tmp_path / "conv2d.cu", tmp_path / "launch.json"
    status, out, _ = run(
        "conv2d", "--check", "none", "--emit", str(text), "--launch", str(launch), "--dump", str(tmp_path)
    )
    assert status == 0
    assert "grid          2 x 4 x 196, 1,568 blocks" in out
    record = json.loads(launch.read_text())
    assert (record["grid"], record["block"]) == ([2, 4, 196], [32, 4, 2])
    assert [parameter["name"] for parameter in record["parameters"]] == ["data", "kernel", "output"]
    assert 'extern "C" __global__ void __launch_bounds__(256)\nconv2d(' in text.read_text()
    assert load_cuda_program(tmp_path).text == text.read_text()


def test_the_products_parameters(run: Runner, tmp_path: Path) -> None:
    launch = tmp_path / "launch.json"
    assert run("matmul", "--check", "none", "--m", "32", "--launch", str(launch))[0] == 0
    parameters = json.loads(launch.read_text())["parameters"]
    assert [(p["name"], p["shape"]) for p in parameters] == [("a", [32, 1024]), ("b", [1024, 1024]), ("c", [32, 1024])]


def test_without_a_check_nothing_is_claimed(run: Runner) -> None:
    status, out, _ = run("conv2d", "--check", "none", "--json")
    assert status == 0
    assert json.loads(out)["correct"] is None


def test_the_ir_of_a_phase(run: Runner) -> None:
    status, out, err = run("conv2d", *SMALL, "--check", "none", "--print-ir", "wmma")
    assert status == 0
    assert "wmma.mma_sync" in out
    assert out.startswith("builtin.module")
    assert err.startswith("convolution: 32 x 3 x 3 x 32 -> ")


def test_the_program_as_a_file_is_the_default(run: Runner, tmp_path: Path) -> None:
    written = tmp_path / "conv2d.mlir"
    assert run("conv2d", "--check", "none", "--write-mlir", str(written))[0] == 0
    assert written.read_text() == (EXAMPLES / "wmma_conv2d.mlir").read_text()
    layer = WmmaConv2D()
    by_file = vtac.compile(EXAMPLES / "wmma_conv2d.mlir", "cuda")
    assert by_file == vtac.compile(layer.text(), "cuda", schedule=layer.seed_schedule())


@needs_toolkit
def test_resources(run: Runner) -> None:
    status, out, _ = run("conv2d", "--check", "none", "--resources", "--arch", "sm_80")
    assert status == 0
    assert "49,152 bytes shared, 0 bytes spilled, 1 blocks per multiprocessor" in out


@pytest.mark.parametrize(("name", "flags"), [("conv2d", ("--layout", "nchw")), ("matmul", ("--k", "100"))])
def test_the_fast_schedule_takes_rows_that_no_vector_divides(name: str, flags: tuple[str, ...], run: Runner) -> None:
    status, out, _ = run(name, *flags, "--schedule", "fast", "--arch", "sm_80", "--check", "none")
    assert status == 0
    assert "CUDA text" in out


@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("conv2d", ("--batch", "8"), "error: batch is 8; a positive multiple of the tile size = 16 is required"),
        ("conv2d", ("--in-channels", "20"), "error: in-channels is 20; a positive multiple of the tile size = 16"),
        ("conv2d", ("--kernel", "30"), "error: a 30x30 kernel does not fit 14x14 with padding 1"),
        ("conv2d", ("--kernel", "7", "--padding", "3", "--arch", "sm_75"), "keeps 114,688 bytes in shared memory"),
        ("conv2d", ("--high", "-9"), "error: --high -9 must be above --low -8"),
        ("conv2d", ("--emit", "/no/such/directory/x.cu"), "cannot write /no/such/directory/x.cu"),
        ("matmul", ("--m", "0"), "error: m is 0; it must be positive"),
        ("matmul", ("--dtype", "bf16", "--arch", "sm_75"), "sm_75 has no matrix_"),
        ("matmul", ("--schedule", "wgmma"), "error: wgmma_schedule: sm_90 has no wgmma, which only sm_90a has"),
        ("matmul", ("--cluster", "2"), "error: --cluster: blocks share boxes: choose --schedule tma"),
        (
            "matmul",
            ("--schedule", "tma", "--cluster", "9", "--arch", "sm_90"),
            "error: tma_schedule: clusters of 9 blocks; 1, which is none, to 8 are possible",
        ),
        (
            "matmul",
            ("--schedule", "tma", "--arch", "sm_80"),
            "error: tma_schedule: sm_80 has no bulk copies of tensors",
        ),
        ("matmul", ("--dtype", "s8", "--high", "500"), "do not fit int8: choose --low and --high between -128 and 128"),
        ("matmul", ("--high", "99999999999999999999"), "do not fit int16: choose --low and --high between -32768 and"),
        (
            "conv2d",
            ("--schedule", "tma", "--layout", "nchw"),
            "error: schedule tma: rows of its product are pixels whose channels lie side by side; use --layout nhwc or",
        ),
        ("conv2d", ("--high", "99999"), "error: random numbers from -8 to below 99999 do not fit int16: choose"),
        ("conv2d", ("--seed", "-1"), "error: --seed is -1; 0 or more is required"),
    ],
)
def test_refusals(name: str, flags: tuple[str, ...], message: str, run: Runner) -> None:
    status, out, err = run(name, *flags)
    assert (status, out) == (1, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.skipif(gpu_unavailable_reason() is None, reason="there is a GPU")
def test_a_gpu_that_is_not_there(run: Runner) -> None:
    status, _, err = run("matmul", "--check", "gpu")
    assert status == 1
    assert err.startswith("error: cannot run on a GPU: ")
