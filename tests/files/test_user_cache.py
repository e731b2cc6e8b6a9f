"""Where caches lie: what the variable says, else what the platform's conventions are."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from vtac.files.user_cache import (
    VARIABLE,
    cache_folder,
    kernel_entries,
    platform_folder,
    program_entries,
    stream_entries,
    tiling_entries,
    why_unusable,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "expected"),
    [("linux", ".cache/vtac"), ("darwin", "Library/Caches/vtac"), ("win32", "AppData/Local/vtac/Cache")],
)
def test_each_platform_has_its_own(home: Path, platform: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert platform_folder() == home / expected


@pytest.mark.parametrize(("platform", "name"), [("linux", "XDG_CACHE_HOME"), ("win32", "LOCALAPPDATA")])
def test_the_users_choice_counts(platform: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(name, "/elsewhere")
    folder = platform_folder()
    assert folder is not None and folder.is_relative_to("/elsewhere/vtac")


def test_it_is_the_folder_that_platformdirs_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("platformdirs", reason="needs the extra 'test'")
    find = import_module("platformdirs").user_cache_dir
    for chosen in ("", "/elsewhere"):
        monkeypatch.setenv("XDG_CACHE_HOME", chosen)
        assert platform_folder() == Path(find("vtac", appauthor=False))


def test_what_is_wanted_and_what_the_variable_says(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (cache_folder(None), cache_folder(False), cache_folder(True)) == (None, None, home / ".cache" / "vtac")
    monkeypatch.setenv(VARIABLE, "/here")
    assert (cache_folder(None), cache_folder(False), cache_folder(True)) == (Path("/here"), None, Path("/here"))
    monkeypatch.setenv(VARIABLE, "off")
    assert (cache_folder(None), cache_folder(False), cache_folder(True)) == (None, None, None)


@pytest.mark.parametrize(
    ("said", "expected"),
    [(" off", None), ("OFF", None), ("  ", None), ("~/kept", "kept"), (" /here ", "/here"), ("here", Path("here"))],
)
def test_the_variable_is_read_as_a_shell_would(
    home: Path, said: str, expected: str | Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, said)
    assert cache_folder(None) == (home / expected if isinstance(expected, str) else expected)


@pytest.mark.parametrize("limit", [1, 31, 1000, 1 << 30])
def test_all_kinds_together_keep_no_more_than_may_be(
    tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTAC_MAX_CACHE", str(limit))
    kinds = (program_entries, kernel_entries, tiling_entries, stream_entries)
    assert sum(kind(tmp_path).most_bytes for kind in kinds) == limit


def test_why_a_folder_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_unusable(tmp_path / "no" / "such") == ""
    (tmp_path / "file").write_bytes(b"")
    assert why_unusable(tmp_path / "file") == why_unusable(tmp_path / "file" / "in") == f"{tmp_path}/file is no folder"

    def refuse(path: Path, mode: int) -> bool:
        del path, mode
        return False

    monkeypatch.setattr("os.access", refuse)
    assert why_unusable(tmp_path / "no" / "such") == f"{tmp_path} cannot be written"


def test_a_user_without_a_home_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", fail)
    assert cache_folder(True) is None
