"""Tilings that were searched for before are read from a folder, whatever the names in the program."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import vtac
from vtac.files.user_cache import VARIABLE
from vtac.targets.vta.schedules import search

TEXT = """
func.func @product(%x: tensor<4x32xi8>, %w: tensor<32x64xi8>) -> tensor<4x64xi8> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4x64xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<4x64xi32>) -> tensor<4x64xi32>
  %sums = linalg.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x64xi8>) outs(%start : tensor<4x64xi32>)
    -> tensor<4x64xi32>
  func.return %sums : tensor<4x64xi32>
}
""".replace("-> tensor<4x64xi8> {", "-> tensor<4x64xi32> {")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    _forget(tmp_path)
    return tmp_path / "tilings"


def _forget(cache: Path) -> None:
    """As in another process, for other layers of the same tilings."""
    search._known.cache_clear()  # pyright: ignore[reportPrivateUsage]
    shutil.rmtree(cache / "kernels", ignore_errors=True)


def _search_nothing(*_: object) -> None:
    raise ValueError("it was searched for")


def test_a_known_tiling_is_not_searched_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = vtac.compile(TEXT, cache=False).stream.instructions
    vtac.compile(TEXT)
    assert len(list(folder.iterdir())) == 1
    _forget(folder.parent)
    monkeypatch.setattr(search, "_lowered", _search_nothing)
    other = TEXT.replace("%sums", "%others").replace("@product", "@layer")
    assert vtac.compile(other).stream.instructions == expected


@pytest.mark.parametrize("config", [vtac.VTAConfig(log_inp_buff_size=14), vtac.VTAConfig(log_acc_buff_size=16)])
def test_another_configuration_has_its_own(folder: Path, config: vtac.VTAConfig) -> None:
    vtac.compile(TEXT)
    vtac.compile(TEXT, config=config)
    vtac.compile(TEXT.replace("4x", "6x"))
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("damage", [b"", b"\xff", b"{}", None])
def test_a_damaged_one_is_searched_for_again(folder: Path, damage: bytes | None) -> None:
    expected = vtac.compile(TEXT).stream.instructions
    (entry,) = folder.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(whole.replace(b'"channels": ', b'"channels": 1') if damage is None else damage)
    assert entry.read_bytes() != whole
    _forget(folder.parent)
    assert vtac.compile(TEXT.replace("%sums", "%others")).stream.instructions == expected
    assert entry.read_bytes() == whole


def test_a_folder_that_takes_nothing_stops_no_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tilings").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    _forget(tmp_path)
    assert vtac.compile(TEXT).stream.instructions
