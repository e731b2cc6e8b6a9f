"""Every instruction of a compiled program knows the op and the source line it came from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import vtac
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
