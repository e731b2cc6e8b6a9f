"""Every instruction of a compiled program knows the op and the source line it came from."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hand_written import BUFFER, load
from hand_written import program as written

import vtac
from vtac.errors import ExecutionError
from vtac.targets.vta.isa import Finish, Gemm, Load, Memory, Store, decode, is_nop
from vtac.targets.vta.programs.program import Program
from vtac.workloads.conv2d import Conv2D, Conv2DTiling

OPS = {"vta.load_2d", "vta.store_2d", "vta.gemm", "vta.alu", "vta.dep_push", "vta.dep_pop", "vta.sync"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A program file with its schedule."""
    layer = Conv2D(1, 6, 6, 32, 32)
    file = tmp_path / "layer.mlir"
    file.write_text(f"{layer.text()}\n{layer.schedule(Conv2DTiling(3, 6, 16, 16))}")
    return file


@pytest.fixture
def program(source: Path) -> Program:
    return vtac.compile(source).stream


def test_one_origin_per_instruction(program: Program, source: Path) -> None:
    assert len(program.origins) == len(program.instructions) // 16
    place = re.compile(re.escape(str(source)) + r":\d+:\d+")
    for origin in program.origins:
        assert origin.op in OPS
        assert place.fullmatch(origin.location)


def test_lines_are_the_operations_own(program: Program, source: Path) -> None:
    lines = source.read_text().splitlines()
    sources: dict[str, set[str]] = {}
    for instruction, origin in zip(decode(program.instructions, program.config), program.origins, strict=True):
        line = lines[int(origin.location.split(":")[-2]) - 1].strip()
        sources.setdefault(type(instruction).__name__, set()).add(line.split(" = ")[0])
        if isinstance(instruction, Gemm):
            assert origin.op == "vta.gemm"
            assert line.startswith("%res_conv = linalg.generic")
        elif isinstance(instruction, Store) and not is_nop(instruction):
            assert (origin.op, line.startswith("%res = linalg.generic")) == ("vta.store_2d", True)
        elif isinstance(instruction, Load) and instruction.memory is Memory.INP and not is_nop(instruction):
            assert (origin.op, line.startswith("%data_buf = tensor.pad")) == ("vta.load_2d", True)
        elif isinstance(instruction, Finish):
            assert origin.op == "vta.sync"
    assert sources["Alu"] == {"%res_shr", "%res_max", "%res_min"}


def test_origins_survive_saving(program: Program, tmp_path: Path) -> None:
    program.save(tmp_path / "saved")
    assert vtac.load_program(tmp_path / "saved", "vta").stream.origins == program.origins


def _fault(file: Path, text: str) -> ExecutionError:
    file.write_text(text)
    program = vtac.compile(file)
    arrays = [np.zeros(one.shape, one.dtype) for one in program.arguments]
    with pytest.raises(ExecutionError) as caught:
        program(*arrays)
    saved = file.with_suffix("")
    program.save(saved)
    with pytest.raises(ExecutionError, match=re.escape(str(caught.value))):
        vtac.load_program(saved, "vta")(*arrays)
    return caught.value


def test_a_fault_names_the_place_of_its_instruction(tmp_path: Path) -> None:
    file = tmp_path / "store.mlir"
    text = written(f"vta.store_2d out %c [sram = 0, dram = 0, x_size = 64, y_size = 1, x_stride = 64] : {BUFFER}")
    fault = _fault(file, text)
    assert (fault.location, fault.locations, fault.index) == (f"{file}:2:1", (f"{file}:2:1",), 0)
    assert str(fault).startswith(f"{file}:2:1: instruction 0 (store.out sram 0")


def test_a_token_that_nobody_makes_names_all_that_wait(tmp_path: Path) -> None:
    file = tmp_path / "tokens.mlir"
    fault = _fault(file, written(f'{load()}\nvta.dep_pop "compute", "load"\n{load()}'))
    assert str(fault).startswith(f"{file}:4:1: instruction 1 (load.inp")
    assert f"compute waits at instruction 4 (vta.sync {file}:5:3) for a token" in str(fault)


def test_a_stream_of_unknown_origin_has_faults_without_places(tmp_path: Path) -> None:
    file = tmp_path / "store.mlir"
    file.write_text(written(load(dram=5000)))
    program = replace(vtac.compile(file).stream, origins=())
    with pytest.raises(ExecutionError, match=r"^instruction 0 \(load\.inp") as caught:
        program(*[np.zeros(one.shape, one.dtype) for one in program.arguments])
    assert caught.value.locations == ()
