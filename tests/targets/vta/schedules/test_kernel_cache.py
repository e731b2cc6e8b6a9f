"""Layers that were lowered before are read from a folder, whatever their names, places and numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from xdsl.dialects.func import FuncOp

import vtac
from vtac.errors import VtacError
from vtac.files.user_cache import VARIABLE
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.schedules import known_kernels, search
from vtac.targets.vta.schedules.kernel_forms import KernelRecord, form_of
from vtac.targets.vta.schedules.known_tilings import KnownTilings
from vtac.text.source import parse

_MATRIX = ", ".join(
    f"[{', '.join(str((7 * row + 3 * column) % 100 - 50) for column in range(32))}]" for row in range(16)
)
TEXT = f"""
func.func @net(%x: tensor<4x16xi8>) -> tensor<4x32xi8> {{
  %w = arith.constant dense<[{_MATRIX}]> : tensor<16x32xi8>
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4x32xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<4x32xi32>) -> tensor<4x32xi32>
  %sums = linalg.matmul ins(%x, %w : tensor<4x16xi8>, tensor<16x32xi8>) outs(%start : tensor<4x32xi32>)
    -> tensor<4x32xi32>
  %bytes = tensor.empty() : tensor<4x32xi8>
  %out = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}} ins(%sums : tensor<4x32xi32>) outs(%bytes : tensor<4x32xi8>) {{
  ^bb0(%a: i32, %b: i8):
    %four = arith.constant 4 : i32
    %shifted = arith.shrsi %a, %four : i32
    %c = arith.trunci %shifted : i32 to i8
    linalg.yield %c : i8
  }} -> tensor<4x32xi8>
  func.return %out : tensor<4x32xi8>
}}
"""
_OTHERS = [
    TEXT.replace("%out", "%result").replace("%sums", "%product").replace("@net", "@other"),
    f"\n\n{TEXT}".replace("dense<[[-50", "dense<[[99"),
    TEXT.replace("%w", "%i0").replace("%out", "%res_vta_acc"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path / "kernels"


def _lower_nothing(*_: object, **__: object) -> str:
    raise ValueError("it was lowered")


def _compiled(text: str, *, cache: bool = True, jobs: int = 1) -> HostProgram:
    search._known.cache_clear()  # pyright: ignore[reportPrivateUsage]
    program = vtac.compile(text, cache=cache, jobs=jobs)
    assert isinstance(program, HostProgram)
    return program


def _contents(program: HostProgram, folder: Path) -> tuple[object, ...]:
    """All that a program is, its schedules and the origins of its instructions among it."""
    program.save(folder)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    devices = [(one.origins, one.kernels, one.buffers, one.instructions) for one in program.devices.values()]
    return files, devices, program.choices, [str(script) for script in program.scripts]


@pytest.mark.parametrize("other", [*_OTHERS, TEXT])
def test_a_known_layer_is_what_lowering_gives(
    other: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _compiled(TEXT)
    assert len(list(folder.iterdir())) == 1
    expected = _contents(_compiled(other, cache=False), tmp_path / "expected")
    monkeypatch.setattr(known_kernels, "lower_task", _lower_nothing)
    assert _contents(_compiled(other), tmp_path / "found") == expected


def test_what_a_layer_computes_and_the_hardware_count(folder: Path) -> None:
    for text in (TEXT, TEXT.replace("constant 4", "constant 5"), TEXT.replace("4x", "8x")):
        _compiled(text)
    vtac.compile(TEXT, config=vtac.VTAConfig(log_acc_buff_size=16))
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize("damage", [b"", b"\xff", b"{}", None])
def test_a_damaged_one_is_lowered_again(folder: Path, damage: bytes | None) -> None:
    expected = _compiled(TEXT).stream.instructions
    (entry,) = folder.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(whole.replace(b"shr", b"max") if damage is None else damage)
    assert entry.read_bytes() != whole
    assert _compiled(_OTHERS[0]).stream.instructions == expected
    assert entry.read_bytes() == whole


@pytest.mark.parametrize("wrong", ["array<i32: 2147483648>", "#vta.none<1>", "!none.such", "tensor<4x", "[1, "])
def test_a_record_of_texts_that_are_no_attributes_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    expected = _compiled(TEXT, cache=False).stream.instructions
    lower = known_kernels.lower_task

    def lower_wrongly(task: str, kept: KnownTilings | None) -> str:
        record = json.loads(lower(task, kept))
        texts = [wrong if text.startswith("memref") else text for text in record["texts"]]
        return json.dumps({**record, "texts": texts})

    monkeypatch.setattr(known_kernels, "lower_task", lower_wrongly)
    assert _compiled(TEXT).stream.instructions == expected
    assert len(list(folder.iterdir())) == 1


def test_what_lost_a_constant_is_no_record() -> None:
    """A stand-in that became something else may have decided what."""
    form = form_of(next(op for op in parse(TEXT).walk() if isinstance(op, FuncOp)))
    assert form is not None
    assert KernelRecord(["dense<101> : tensor<512xi8>"], [], [], [], {}).has_constants(len(form.contents))
    assert form.with_own(KernelRecord([], [], [], [], {})) is None


def test_several_processes_make_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    one, two = (_contents(_compiled(TEXT, jobs=jobs), tmp_path / str(jobs)) for jobs in (1, 2))
    assert one == two


@pytest.mark.parametrize("jobs", [0, -1, True, "2"])
def test_no_number_of_processes_is_refused(jobs: int) -> None:
    with pytest.raises(VtacError, match=r"cannot compile with jobs=.*; a number of processes is required, at least 1"):
        vtac.compile(TEXT, jobs=jobs)
