"""Folders of files that belong together: all of them are new, or all of them are as they were."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vtac.files.ownership import INDEX_FILES, foreign_entries, own_entries
from vtac.files.signals import signals_deferred
from vtac.files.whole import scratch_beside

_EXCHANGE = 2


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Make `folder` hold the files of a saved program, by paths of one or two parts relative to it.

    They are written into a folder beside it, which takes its place; the old one is removed. A folder
    that must stay where it is gets the files one by one instead: one with foreign files, which are kept,
    the current directory, a mount point. Then the index goes first and comes last, so that a process that
    is killed in between leaves no program, and never a mix of two. Raises `OSError`; the folder is then as it was.
    """
    target = Path(os.path.realpath(folder))
    with signals_deferred():
        if target.parent.exists() and not target.parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(target.parent))
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (target.is_dir() and _must_stay(target)) and _put_in_place(target, contents):
            return
        _write_within(target, contents)


def _must_stay(target: Path) -> bool:
    try:
        current = Path.cwd()
    except OSError:
        current = None
    if current is not None and current.is_relative_to(target):
        return True
    return target.is_mount() or bool(foreign_entries(target))


def _put_in_place(target: Path, contents: Mapping[str, bytes]) -> bool:
    """Put a new folder in the place of `target`; False where the system lets no folder stand beside it."""
    scratch = scratch_beside(target)
    try:
        scratch.mkdir()
    except PermissionError:
        if target.is_dir():
            return False
        raise
    try:
        _write_files(scratch, contents)
        if target.exists():
            shutil.copymode(target, scratch)
        return _swap(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _swap(scratch: Path, target: Path) -> bool:
    """Give `scratch` the name of `target`, and a folder that has it already the name of `scratch`."""
    try:
        scratch.rename(target)
        return True
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    if not _exchange(scratch, target):
        return False
    for entry in foreign_entries(scratch):
        entry.rename(target / entry.name)  # it came after the look at what is foreign
    return True


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step, where the system can."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    here = ctypes.c_int(-100)  # AT_FDCWD
    return rename(here, os.fsencode(one), here, os.fsencode(other), ctypes.c_uint(_EXCHANGE)) == 0


def _write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)


def _write_within(target: Path, contents: Mapping[str, bytes]) -> None:
    """Replace the files of a saved program in a folder that stays; one process at a time does so."""
    target.mkdir(exist_ok=True)
    scratch = target / scratch_beside(target).name
    names = list(dict.fromkeys(name.partition("/")[0] for name in contents))
    with _locked(target):
        try:
            scratch.mkdir()
            _write_files(scratch, contents)
            own = own_entries(target)
            _require_free(target, scratch, names, own)
            for entry in sorted(own, key=lambda entry: entry.name not in INDEX_FILES):
                _remove(entry)
            for name in sorted(names, key=INDEX_FILES.__contains__):
                (scratch / name).rename(target / name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _require_free(target: Path, scratch: Path, names: list[str], own: list[Path]) -> None:
    """Nothing foreign stands where the files of a program go."""
    for name in names:
        entry = target / name
        if entry.is_dir() and not (scratch / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, "Is a directory", str(entry))
        if os.path.lexists(entry) and entry not in own:
            reason = "it holds files of something else" if entry.is_dir() else "it belongs to no saved program there"
            raise FileExistsError(errno.EEXIST, f"{reason}; move it away or save to another folder", str(entry))


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
