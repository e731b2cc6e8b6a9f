"""Saved programs with compiled kernels: what a GPU takes of them, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cuda_networks import perceptron
from stub_gpu import StubGpu

import vtac
from vtac.cuda import load
from vtac.errors import CompileError, ConfigError, KernelTextError, ToolMissingError
from vtac.targets.cuda.gpu import cubins
from vtac.targets.cuda.gpu.compile import compile_kernels
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.schedules.wgmma_products import wgmma_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul

LAYER = WmmaMatmul(64, 32, 32)


def product() -> vtac.CudaProgram:
    program = vtac.compile(LAYER.text(), "cuda", schedule=LAYER.schedule())
    assert isinstance(program, vtac.CudaProgram)
    return program


def network() -> vtac.CudaNetwork:
    program = vtac.compile(perceptron(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    return program


def no_compiler(*_: object) -> tuple[cubins.CompiledKernel, ...]:
    raise ToolMissingError("cannot compile CUDA text: nothing is installed")


@pytest.mark.parametrize("make", [product, network])
def test_a_saved_program_needs_no_compiler(
    gpu: StubGpu, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make: Callable[[], vtac.CudaProgram]
) -> None:
    program = make()
    program.save(tmp_path, ["sm_80", "sm_90"])
    loaded = load(tmp_path)
    assert list(loaded.cubins) == ["sm_80", "sm_90"]
    assert loaded == program
    monkeypatch.setattr(cubins, "compile_kernels", no_compiler)
    cubins.forget_compiled()
    gpu.execute(program)
    arrays = [np.ones(p.shape, p.numpy_dtype) for p in program.arguments]
    np.testing.assert_array_equal(loaded(*arrays, device="gpu"), program(*arrays))
    loaded.save(tmp_path / "again")
    assert load(tmp_path / "again").cubins == loaded.cubins


def test_why_products_are_serialised_is_saved(gpu: StubGpu, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def compile_serialised(text: str, kernels: Sequence[str], architecture: str) -> tuple[cubins.CompiledKernel, ...]:
        reason = "sums that are read" if architecture == "sm_90" else ""
        return tuple(replace(one, serialised=reason) for one in gpu.compile(text, kernels, architecture))

    monkeypatch.setattr(cubins, "compile_kernels", compile_serialised)
    product().save(tmp_path, ["sm_80", "sm_90"])
    told = json.loads((tmp_path / "launch.json").read_text())["cubins"]
    assert "serialised" not in told["sm_80"][0]
    assert told["sm_90"][0]["serialised"] == "sums that are read"
    loaded = load(tmp_path)
    assert {name: one.serialised for name, (one,) in loaded.cubins.items()} == {
        "sm_80": "",
        "sm_90": "sums that are read",
    }


def test_an_older_cubin_of_the_same_generation_is_taken(gpu: StubGpu) -> None:
    text = "void k(float *a)"
    saved = {name: gpu.compile(text, ["k"], name) for name in ("sm_80", "sm_86", "sm_90")}
    gpu.compilations.clear()
    for device, taken in (("sm_80", "sm_80"), ("sm_87", "sm_86"), ("sm_89", "sm_86"), ("sm_90", "sm_90")):
        assert cubins.compiled_for(text, ["k"], device, saved)[0].architecture == taken
    assert not gpu.compilations
    assert cubins.compiled_for(text, ["k"], "sm_100", saved)[0].architecture == "sm_100"


def test_no_cubin_fits_and_no_compiler_is_there(gpu: StubGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = {"sm_80": gpu.compile("void k(float *a)", ["k"], "sm_80")}
    monkeypatch.setattr(cubins, "compile_kernels", no_compiler)
    message = "saved with cubins for sm_80, none of which runs on sm_75: cannot compile CUDA text"
    with pytest.raises(ToolMissingError, match=message):
        cubins.compiled_for("void k(float *a)", ["k"], "sm_75", saved)
    with pytest.raises(ConfigError, match="architecture 'sm_1' is not known"):
        monkeypatch.setattr(cubins, "compile_kernels", compile_kernels)
        product().save("nowhere", ["sm_1"])


def _truncated(folder: Path, _: dict[str, Any]) -> None:
    (folder / "kernel.sm_90.cubin").write_bytes(b"stub")


def _gone(folder: Path, _: dict[str, Any]) -> None:
    (folder / "kernel.sm_90.cubin").unlink()


def _renamed(_: Path, fields: dict[str, Any]) -> None:
    fields["cubins"]["sm_90"][0]["kernel"] = "gemm"


def _unknown(_: Path, fields: dict[str, Any]) -> None:
    fields["cubins"]["sm_90"][0]["registers"] = "many"


def _serialised_by_number(_: Path, fields: dict[str, Any]) -> None:
    fields["cubins"]["sm_90"][0]["serialised"] = 1


def _no_digest(_: Path, fields: dict[str, Any]) -> None:
    del fields["digests"]["kernel.sm_90.cubin"]


def _no_object(_: Path, fields: dict[str, Any]) -> None:
    fields["cubins"] = ["sm_90"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_truncated, r"kernel.sm_90.cubin is not the file that was saved with launch.json"),
        (_gone, r"launch.json holds a digest of 'kernel.sm_90.cubin', which is not there: save it again"),
        (_renamed, "cubins: sm_90 has the kernels gemm; those of the program are matmul"),
        (_unknown, "cubins: sm_90: found .*'many'.*; an object with kernel, compiler, registers"),
        (_serialised_by_number, "cubins: sm_90: found .*'serialised': 1.*, and a text where it has serialised"),
        (_no_digest, "kernel.sm_90.cubin is not the file that was saved .*, whose digest of it differs or is missing"),
        (_no_object, r"cubins is \['sm_90'\]; an object of architectures is required"),
    ],
)
@pytest.mark.usefixtures("gpu")
def test_saved_cubins_that_are_no_more(
    tmp_path: Path, change: Callable[[Path, dict[str, Any]], None], message: str
) -> None:
    product().save(tmp_path, ["sm_90"])
    path = tmp_path / "launch.json"
    fields = json.loads(path.read_text())
    change(tmp_path, fields)
    path.write_text(json.dumps(fields))
    with pytest.raises((CompileError, ConfigError), match=message):
        load(tmp_path)


_RUN = """
import sys
sys.modules["xdsl"] = None
from vtac.cuda import load
from vtac.targets.cuda.gpu.cubins import compiled_for
program = load(sys.argv[1])
assert compiled_for(program.text, ["matmul"], "sm_90", program.cubins)[0].cubin
print(program)
"""


@pytest.mark.usefixtures("gpu")
def test_loading_needs_no_xdsl(tmp_path: Path) -> None:
    product().save(tmp_path, ["sm_90"])
    answer = subprocess.run([sys.executable, "-c", _RUN, str(tmp_path)], capture_output=True, text=True, check=False)
    assert answer.stdout.startswith("matmul("), answer.stderr


@pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
def test_kernels_of_a_text_share_a_cubin() -> None:
    program = network()
    names = [one.kernel for one in program.plan.kernels]
    compiled = compile_kernels(program.text, names, "sm_80")
    assert [one.kernel for one in compiled] == names
    assert len({one.cubin for one in compiled}) == 1
    for one, record in zip(compiled, program.plan.kernels, strict=True):
        one.check_launch(record)


@pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
def test_products_of_warpgroups_are_compiled_for_the_one_architecture_that_has_them(tmp_path: Path) -> None:
    text = WmmaMatmul(64, 64, 64).text()
    program = vtac.compile(text, "cuda", "sm_90a", schedule=wgmma_schedule(text))
    assert isinstance(program, vtac.CudaProgram)
    (compiled,) = cubins.compiled_for(program.text, ["matmul"], "sm_90")
    assert compiled.architecture == "sm_90a"
    program.save(tmp_path, ["sm_90a"])
    saved = load(tmp_path).cubins
    assert cubins.compiled_for(program.text, ["matmul"], "sm_90", saved) == saved["sm_90a"]
    with pytest.raises(KernelTextError, match=r"'wgmma.fence' not supported on .target 'sm_100a'"):
        cubins.compiled_for(program.text, ["matmul"], "sm_100", saved)
