"""`vtac run` and `vtac compile` on CUDA programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cuda_networks import perceptron
from vtac_runs import refusal, succeed, vtac

import vtac as package
from vtac.evaluate import evaluate
from vtac.evaluate.bfloat16 import to_bfloat16
from vtac.targets.cuda.comparison import compare
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.device import gpu_unavailable_reason
from vtac.text.source import parse
from vtac.tools.commands.arrays import random_arrays
from vtac.tools.commands.run_cuda import FLOATS
from vtac.workloads.attention import Attention
from vtac.workloads.wmma_matmul import WmmaMatmul

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
LAYER = WmmaMatmul(64, 64, 32, relu=True)


@pytest.fixture
def source(tmp_path: Path) -> str:
    path = tmp_path / "matmul.mlir"
    path.write_text(f"{LAYER.text()}\n{LAYER.schedule()}")
    return str(path)


@needs_compiler
def test_run_on_the_cpu_and_check(source: str) -> None:
    out = succeed("run", source, "--target", "cuda", "--device", "cpu", "--check", "--seed", "3")
    assert "matmul on the CPU: 1 of 1 blocks" in out
    assert "c: 4,096 elements, largest error" in out


@needs_compiler
def test_check_of_bfloat16_operands(tmp_path: Path) -> None:
    layer = WmmaMatmul(20, 16, 16, "bf16", bias=True)
    path = tmp_path / "matmul.mlir"
    path.write_text(f"{layer.text()}\n{layer.schedule()}")
    assert "c: 320 elements, largest error 0 of" in succeed("run", str(path), "--target", "cuda", "--check")


BFLOAT16 = """
func.func @f(%x: tensor<64xbf16>) -> tensor<64xbf16> {
  %empty = tensor.empty() : tensor<64xbf16>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%x : tensor<64xbf16>) outs(%empty : tensor<64xbf16>) {
  ^bb0(%v: bf16, %o: bf16):
    %wide = arith.extf %v : bf16 to f32
    %third = arith.constant 0.3 : f32
    %product = arith.mulf %wide, %third : f32
    %narrow = arith.truncf %product : f32 to bf16
    linalg.yield %narrow : bf16
  } -> tensor<64xbf16>
  func.return %y : tensor<64xbf16>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i = schedule.get_loops %y : !schedule.loop
  schedule.bind %i, "threadIdx.x"
}
"""


@needs_compiler
def test_check_of_bfloat16_results(tmp_path: Path) -> None:
    path = tmp_path / "scaled.mlir"
    path.write_text(BFLOAT16)
    assert "y: 64 elements, largest error 0 of" in succeed("run", str(path), "--target", "cuda", "--check")
    x = to_bfloat16(np.arange(64, dtype=np.float32))
    result = evaluate(parse(path), x)
    assert isinstance(result, np.ndarray)
    assert np.array_equal(result, to_bfloat16(np.arange(64, dtype=np.float32) * np.float32(0.3)))


@needs_compiler
def test_arrays_from_and_to_archives(source: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    a, b = (random.integers(-4, 5, shape).astype(np.float16) for shape in ((64, 32), (32, 64)))
    np.savez(tmp_path / "in.npz", a=a, b=b)
    succeed(
        "run", source, "--target", "cuda", "--inputs", str(tmp_path / "in.npz"), "--outputs", str(tmp_path / "out.npz")
    )
    with np.load(tmp_path / "out.npz") as archive:
        assert np.array_equal(archive["c"], np.maximum(a.astype(np.float32) @ b.astype(np.float32), 0))


@needs_compiler
def test_compile_and_run_the_directory(source: str, tmp_path: Path) -> None:
    out = succeed("compile", source, "--target", "cuda", "-o", str(tmp_path / "saved"))
    assert "kernel matmul, grid 1 x 1 x 1, block 32 x 1 x 2" in out
    assert "output    c                float32 64 x 64" in out
    assert "sha256" in succeed("run", str(tmp_path / "saved"))


@needs_compiler
def test_results_that_differ(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtac.targets.cuda.comparison.TOLERANCE", -1.0)
    outcome = vtac("run", source, "--target", "cuda", "--check")
    assert outcome.status == 1
    assert b"result `c` differs from the program executed by numpy: 4,096 elements" in outcome.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--target", "cuda", "--stats", "x.json"), "--stats is for VTA programs"),
        (("--target", "cuda", "--trace", "x.json"), "--trace is for VTA programs"),
        (("--target", "cuda", "--config", "x.json"), "--config is for VTA programs"),
        (("--target", "cuda", "--arch", "sm_60"), "architecture 'sm_60' is not known"),
        (("--target", "vta", "--blocks", "3"), "--blocks is for CUDA programs"),
        (("--target", "cuda", "--blocks", "0"), "blocks is 0; at least one block must run"),
    ],
)
def test_run_refusals(source: str, flags: tuple[str, ...], message: str) -> None:
    assert message in refusal("run", source, *flags)


def test_a_program_without_a_schedule(tmp_path: Path) -> None:
    path = tmp_path / "plain.mlir"
    path.write_text("func.func @f(%x: memref<4xf32>) {\n  func.return\n}\n")
    outcome = vtac("run", path, "--target", "cuda")
    assert (outcome.status, outcome.stdout) == (1, b"")
    message = b"target 'cuda' has no default schedule for this program: function 'f' computes nothing"
    assert message in outcome.stderr


@needs_compiler
def test_the_default_schedule_and_the_script_that_is_printed(tmp_path: Path) -> None:
    program, script = tmp_path / "plain.mlir", tmp_path / "script.mlir"
    program.write_text(LAYER.text())
    succeed("schedule", str(program), "--target", "cuda", "--arch", "sm_90", "-o", str(script))
    assert "schedule.implicit_gemm %product" in script.read_text()
    runs = [
        succeed("run", str(program), "--target", "cuda", "--arch", "sm_90", "--check", *flags)
        for flags in ((), ("--schedule", str(script)))
    ]
    digests = [[line for line in run.splitlines() if "sha256" in line] for run in runs]
    assert digests[0] == digests[1]
    assert "--arch is for CUDA programs" in refusal("schedule", str(program), "--arch", "sm_90")
    assert "--config is for VTA programs" in refusal("schedule", str(program), "--target", "cuda", "--config", "x")


def test_compile_refusals(source: str, tmp_path: Path) -> None:
    directory = str(tmp_path / "saved")
    assert "--config is for VTA programs" in refusal(
        "compile", source, "--target", "cuda", "-o", directory, "--config", "x"
    )
    assert "--arch is for CUDA programs" in refusal("compile", source, "-o", directory, "--arch", "sm_90")


def test_a_saved_program_and_another_target(source: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "saved")
    succeed("compile", source, "--target", "cuda", "-o", folder)
    assert f"'{folder}' is a saved CUDA program: leave out --target vta" in refusal("run", folder, "--target", "vta")


@pytest.mark.parametrize("command", ["check", "disasm", "diff"])
def test_commands_for_streams_say_what_a_cuda_program_is(command: str, source: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "saved")
    succeed("compile", source, "--target", "cuda", "-o", folder)
    message = refusal(command, *[folder] * (2 if command == "diff" else 1))
    assert f"'{folder}' is a saved CUDA program (launch.json, kernel.cu): it has no VTA instruction stream" in message
    assert f"`vtac {command}` is for; `vtac run` executes it" in message


@needs_compiler
def test_files_are_written_before_anything_is_printed(source: str, tmp_path: Path) -> None:
    def fail(_: str) -> None:
        raise BrokenPipeError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vtac.tools.commands.run_cuda.report", fail)
        outputs, saved = tmp_path / "y.npz", tmp_path / "dump"
        vtac("run", source, "--target", "cuda", "--outputs", str(outputs), "--dump", str(saved))
    assert np.load(outputs)["c"].shape == (64, 64)
    assert sorted(path.name for path in saved.iterdir()) == ["kernel.cu", "launch.json"]


def test_random_arguments_show_errors_of_scores() -> None:
    """No weight of a softmax is nearly 1: scores that are wrong by a hundredth are a wrong result."""
    layer = Attention(1, 64, 64, 64, 64)
    arguments = package.compile(layer.text(), "cuda").arguments
    for floats, shows in ((FLOATS, True), ((-128, 128), False)):
        q, k, v = random_arrays(arguments, 0, None, None, floats)
        shifted = layer.reference([1.01 * q.astype(np.float64), k, v])
        assert compare(shifted, layer.reference([q, k, v])).correct != shows


@needs_compiler
def test_attention_is_checked(tmp_path: Path) -> None:
    source = tmp_path / "attention.mlir"
    source.write_text(Attention(1, 64, 64, 64, 64).text())
    assert "result: 4,096 elements, largest error" in succeed("run", str(source), "--target", "cuda", "--check")


@pytest.mark.skipif(gpu_unavailable_reason() is None, reason="there is a GPU")
def test_run_without_a_gpu(source: str) -> None:
    assert "cannot run on a GPU: " in refusal("run", source, "--target", "cuda", "--device", "gpu")


@needs_compiler
def test_a_program_of_several_kernels(tmp_path: Path) -> None:
    source, saved = tmp_path / "perceptron.mlir", tmp_path / "saved"
    source.write_text(perceptron())
    assert "perceptron on the CPU: 3 launches of 3 kernels" in succeed(
        "run", str(source), "--target", "cuda", "--check"
    )
    out = succeed("compile", str(source), "--target", "cuda", "-o", str(saved))
    assert "3 kernels in 3 launches, 4,096 bytes of scratch memory" in out
    assert "  launch    perceptron_y" in out
    assert "y  float32 20x24" in succeed("run", str(saved))
    assert "--blocks is for programs of one kernel; this one has 3" in refusal("run", str(saved), "--blocks", "2")


def test_export(source: str, tmp_path: Path) -> None:
    folder = tmp_path / "exported"
    out = succeed("export", source, "--arch", "sm_90", "-o", str(folder))
    assert out == f"{folder}: kernel.cu, launcher.h, main.cu, Makefile, CMakeLists.txt, launch.json\n"
    assert "programs for VTA have no sources to export; those for CUDA have" in refusal(
        "export", source, "--target", "vta", "-o", str(folder)
    )
    saved = tmp_path / "saved"
    succeed("compile", source, "--target", "cuda", "-o", str(saved))
    assert "launcher.h" in succeed("export", str(saved), "-o", str(tmp_path / "again"))
    assert "launcher.h" in succeed("export", str(saved), "-o", str(folder))
    message = refusal("export", str(saved), "--arch", "sm_90", "-o", str(folder))
    assert "is a saved program: --arch, --schedule and --measurements are for program files" in message
    succeed("export", source, "--data", "-o", str(folder))
    (folder / "data" / "mine.bin").write_bytes(b"mine")
    said = vtac("export", source, "-o", str(folder)).stderr.decode()
    assert f"{folder}: run also reads data/" in said
    assert "not written now and kept, as" in said
    assert "mine.bin" not in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("wgmma", "--arch", "sm_80"), "--instructions wgmma: sm_80 has no wgmma; sm_90a has it, and no other"),
        (
            ("wgmma",),
            "--instructions wgmma: sm_90a alone has it, and the program is for no architecture: add --arch",
        ),
        (
            ("tma",),
            "--instructions tma: sm_90 and later have it, and the program is for no architecture: add",
        ),
        (("mma.sync", "--arch", "sm_75"), "--instructions mma.sync: sm_75 has no mma.sync of 32 bytes of k; sm_80 and"),
        (("tma", "--arch", "sm_89"), "--instructions tma: sm_89 has no bulk copies of tensors; sm_90 and later have"),
    ],
)
def test_instructions_that_an_architecture_lacks(source: str, options: tuple[str, ...], message: str) -> None:
    said = refusal("schedule", source, "--target", "cuda", "--instructions", *options)
    assert message in said
    assert "wmma.instructions" not in said


def test_instructions_are_of_cuda(source: str) -> None:
    assert "--instructions is for CUDA programs: leave it out, or give --target cuda" in refusal(
        "schedule", source, "--instructions", "mma.sync"
    )
