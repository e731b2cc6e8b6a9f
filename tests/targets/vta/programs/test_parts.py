"""A kernel whose result is a part of something larger gives it in its own shape, saved or not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.errors import ProgramError
from vtac.targets.registry import find_target
from vtac.targets.vta.programs.program import Program
from vtac.workloads.vadd import VectorAdd

WHOLE = VectorAdd(channels=96).text()
# Every second tile of twelve.
PART = WHOLE.replace(
    "-> tensor<1x6x1x16xi8> {\n", "-> (tensor<1x6x1x16xi8> {packing.strides = array<i64: 192, 32, 16, 1>}) {\n", 1
)
X = np.arange(96, dtype=np.int32).reshape(1, 6, 1, 16)


def _program() -> Program:
    (schedule,) = find_target("vta").schedules(vtac.parse(WHOLE))
    program = vtac.compile(PART, schedule=str(schedule))
    assert isinstance(program, Program)
    return program


def test_a_part_has_its_own_shape_and_the_strides_of_the_whole() -> None:
    program = _program()
    (result,) = program.results
    assert (result.shape, result.strides) == ((1, 6, 1, 16), (192, 32, 16, 1))
    assert (result.span, result.nbytes) == (176, 176)
    assert vtac.check(program) == []
    assert np.array_equal(program(X, X), (2 * X).astype(np.int8))


def test_a_saved_part_is_read_again(tmp_path: Path) -> None:
    _program().save(tmp_path / "p")
    loaded = vtac.load_program(tmp_path / "p", "vta")
    assert np.array_equal(loaded(X, X), (2 * X).astype(np.int8))


@pytest.mark.parametrize("strides", [[48], [48, 16, 16, -1], "48", [48, 16, 16, 1.5]])
def test_strides_that_make_no_sense_are_refused(strides: object, tmp_path: Path) -> None:
    _program().save(tmp_path / "p")
    with pytest.raises(ProgramError, match="it needs one for each of 4 dimensions"):
        _load_with_strides(tmp_path / "p", strides)


def test_a_part_that_spans_more_than_there_is_is_refused(tmp_path: Path) -> None:
    _program().save(tmp_path / "p")
    with pytest.raises(ProgramError, match="spans 5,497,558,138,896 bytes; 32-bit addresses reach 4,294,967,296"):
        _load_with_strides(tmp_path / "p", [192, 1 << 40, 16, 1])


def _load_with_strides(folder: Path, strides: object) -> None:
    index = folder / "program.json"
    record = json.loads(index.read_bytes())
    next(buffer for buffer in record["buffers"] if buffer["result"])["strides"] = strides
    index.write_text(json.dumps(record))
    vtac.load_program(folder, "vta")
