"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from pathlib import Path

from vtac.files.signals import signals_deferred

_SCRATCH = re.compile(r"\.vtac\.[0-9a-f]{16}\.tmp")
_STALE_SECONDS = 3600
"""After so long nobody writes a file or folder any more: the process that began it was killed."""


def scratch_beside(target: Path) -> Path:
    """A path in the folder of `target` that nothing has; its length does not depend on the target's name.

    Those that killed processes left there long ago are removed.
    """
    _remove_stale(target.parent)
    return target.with_name(f".vtac.{secrets.token_hex(8)}.tmp")


def is_scratch(name: str) -> bool:
    """Whether a name is one of a file or folder that is being written, or that a killed process left."""
    return _SCRATCH.fullmatch(name) is not None


def _remove_stale(folder: Path) -> None:
    try:
        left = [entry for entry in os.scandir(folder) if is_scratch(entry.name)]
    except OSError:
        return
    for entry in left:
        try:
            if time.time() - entry.stat(follow_symlinks=False).st_mtime < _STALE_SECONDS:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                Path(entry.path).unlink(missing_ok=True)
        except OSError:
            continue


def write_output(path: Path, data: bytes) -> None:
    """Write a file that was asked for, whole or not at all; a device or pipe directly. Raises `OSError`.

    A pipe needs a reader: without one, opening it would wait for ever.
    """
    if path.is_fifo():
        _write_pipe(path, data)
    elif path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        write_whole(Path(os.path.realpath(path)), data)


def _write_pipe(path: Path, data: bytes) -> None:
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "it is a pipe that nothing reads; start its reader first") from None
        raise
    with os.fdopen(pipe, "wb") as stream:
        os.set_blocking(pipe, True)
        stream.write(data)


def write_whole(target: Path, data: bytes) -> None:
    """Write beside `target`, then put it in its place; a failure leaves `target` as it was. Raises `OSError`."""
    scratch = scratch_beside(target)
    with signals_deferred():
        try:
            with scratch.open("xb") as stream:
                stream.write(data)
            if target.exists():
                shutil.copymode(target, scratch)
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
