"""Which files of a folder are a saved program's: those that an index of ours in that folder speaks for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple, cast

from vtac.files.reading import RECORD_BYTES, read_regular


class _Format(NamedTuple):
    keys: frozenset[str]
    """The fields of which every index of this format has one."""
    files: frozenset[str]
    """What lies beside an index that holds no digests."""


EXPORTED_FILES = ("launcher.h", "main.cu", "Makefile", "CMakeLists.txt")
"""What `vtac export` writes beside `kernel.cu` and `launch.json`; arrays lie in `data`."""

_FORMATS = {
    "program.json": _Format(frozenset({"format"}), frozenset({"insn.bin", "uop.bin", "dram.bin", "host.mlir"})),
    "launch.json": _Format(
        frozenset({"kernel", "kernels"}),  # of a saved kernel, and of exported sources
        frozenset({"kernel.cu", "constants.npz", "digests.json", *EXPORTED_FILES}),
    ),
    "plan.json": _Format(frozenset({"steps"}), frozenset({"kernels.cu", "constants.npz"})),
}
INDEX_FILES = tuple(_FORMATS)
"""The files without which a folder holds no saved program."""

_NAMES = frozenset(_FORMATS).union(*(form.files for form in _FORMATS.values()))
_FOLDER = re.compile(r"device_\d+")
_DATA = re.compile(r"data/\w+\.bin")
_CUBIN = re.compile(r"kernels?\.sm_\d{2,3}a?\.cubin")


def is_program_name(name: str) -> bool:
    """Whether a path relative to a folder is one that a file of a saved program can have."""
    if _DATA.fullmatch(name) or _CUBIN.fullmatch(name):
        return True
    *folders, last = name.split("/")
    return last in _NAMES and len(folders) < 2 and all(_FOLDER.fullmatch(folder) for folder in folders)


def own_files(folder: Path) -> frozenset[str]:
    """The files of the saved programs of a folder, by relative paths; none where it holds no index of ours.

    An index without digests, as older versions wrote it, speaks for the files of its format.
    """
    return frozenset(name for index in INDEX_FILES for name in _listed(folder, index))


def own_entries(folder: Path) -> list[Path]:
    """The entries of a folder that are parts of its saved programs. Raises `OSError`."""
    own = own_files(folder)
    return [entry for entry in folder.iterdir() if _is_own(entry, own)]


def foreign_entries(folder: Path) -> list[Path]:
    """The entries of a folder that are something else. Raises `OSError`."""
    own = own_files(folder)
    return [entry for entry in folder.iterdir() if not _is_own(entry, own)]


def _is_own(entry: Path, own: frozenset[str]) -> bool:
    if not entry.is_dir() or entry.is_symlink():
        return entry.name in own
    if entry.name == "data":
        return all(not part.is_dir() and f"data/{part.name}" in own for part in entry.iterdir())
    if not _FOLDER.fullmatch(entry.name):
        return False
    inner, parts = own_files(entry), list(entry.iterdir())
    return bool(parts) and all(
        not part.is_dir() and (part.name in inner or f"{entry.name}/{part.name}" in own) for part in parts
    )


def _listed(folder: Path, index: str) -> frozenset[str]:
    """An index and the files that it speaks for."""
    keys, files = _FORMATS[index]
    try:
        found: object = json.loads(read_regular(folder / index, RECORD_BYTES))
    except (OSError, ValueError, RecursionError):
        return frozenset()
    if not isinstance(found, dict) or not keys & found.keys():
        return frozenset()
    digests = cast("dict[str, object]", found).get("digests", files)
    names = cast("dict[str, object]", digests) if isinstance(digests, dict) else files
    return frozenset({index, *filter(is_program_name, names)})
