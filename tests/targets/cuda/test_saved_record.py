"""Saved CUDA programs: nothing is lost, and files that are not those that were saved are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from memref_copy import MEMREFS

import vtac
from vtac.errors import CompileError, ConfigError
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.program import CudaProgram, load_cuda_program
from vtac.workloads.wmma_matmul import WmmaMatmul

LAYER = WmmaMatmul(64, 32, 32, bias=True)


def program() -> CudaProgram:
    compiled = vtac.compile(LAYER.text(), "cuda", schedule=LAYER.schedule())
    assert isinstance(compiled, CudaProgram)
    return compiled


def with_constants(value: float = 2.0) -> CudaProgram:
    """A program whose bias is its own."""
    return replace(program(), constants={"bias": np.full(32, value, np.float32)})


def test_outputs_that_are_arguments_are_loaded_as_such(tmp_path: Path) -> None:
    made = vtac.compile(MEMREFS, "cuda")
    made.save(tmp_path)
    loaded = load_cuda_program(tmp_path)
    assert loaded == made
    assert loaded.in_place == ("y",)
    assert [p.name for p in loaded.arguments] == ["x", "y"]


def test_the_record_is_the_launch_record_with_digests(tmp_path: Path) -> None:
    made = with_constants()
    made.save(tmp_path)
    text = (tmp_path / "launch.json").read_text()
    fields = json.loads(text)
    assert list(fields["digests"]) == ["kernel.cu", "constants.npz"]
    assert all(value.startswith("sha256:") for value in fields.pop("digests").values())
    assert fields == json.loads(made.launch.to_json())
    assert LaunchRecord.from_json(text) == made.launch


def test_a_record_without_digests_is_read(tmp_path: Path) -> None:
    made = program()
    made.save(tmp_path)
    (tmp_path / "launch.json").write_text(made.launch.to_json())
    assert load_cuda_program(tmp_path) == made


def _changed_text(folder: Path) -> None:
    path = folder / "kernel.cu"
    path.write_text(path.read_text().replace("__syncthreads();", "", 1))


def _other_constants(folder: Path) -> None:
    other = folder / "other"
    with_constants(3.0).save(other)
    (folder / "constants.npz").write_bytes((other / "constants.npz").read_bytes())


def _no_constants(folder: Path) -> None:
    (folder / "constants.npz").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_changed_text, "kernel.cu is not the file that was saved with launch.json, whose digest of it differs"),
        (_other_constants, "constants.npz is not the file that was saved with launch.json, whose digest of it differs"),
        (_no_constants, "launch.json holds a digest of 'constants.npz', which is not there: save it again"),
    ],
)
def test_other_files_than_were_saved(tmp_path: Path, change: Callable[[Path], None], message: str) -> None:
    with_constants().save(tmp_path)
    change(tmp_path)
    with pytest.raises(CompileError, match=message):
        load_cuda_program(tmp_path)


def test_constants_that_were_not_saved_with_it(tmp_path: Path) -> None:
    with_constants().save(tmp_path / "other")
    program().save(tmp_path / "saved")
    constants = (tmp_path / "other" / "constants.npz").read_bytes()
    (tmp_path / "saved" / "constants.npz").write_bytes(constants)
    with pytest.raises(CompileError, match=r"constants.npz is not the file that was saved with launch.json"):
        load_cuda_program(tmp_path / "saved")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("in_place", ["a"], r"in_place is \['a'\]; a list of outputs is required: c"),
        ("in_place", "c", "in_place is 'c'; a list of outputs"),
        ("digests", ["kernel.cu"], "an object of file names and digests is required"),
        ("digests", {"kernel.cu": 3}, "an object of file names and digests is required"),
        ("extra", 1, "unknown field extra"),
    ],
)
def test_records_that_make_no_sense(tmp_path: Path, field: str, value: object, message: str) -> None:
    program().save(tmp_path)
    path = tmp_path / "launch.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(ConfigError, match=message):
        load_cuda_program(tmp_path)
