"""Reading files that are looked at first: no pipe, no device, no folder, and no more bytes than expected."""

from __future__ import annotations

import errno
import os
import stat
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import BinaryIO

MEMORY_BYTES = 1 << 32
"""What 32-bit addresses reach: no memory image, and no array in one, is larger."""

RECORD_BYTES = 1 << 28
"""The most that is read of a file of JSON or assembly text."""

_MORE = 1 << 16
"""Bytes asked for at once beyond what a file said it has, as one that grows, or one of /proc."""

_OTHERS = (
    (stat.S_ISDIR, "it is a folder, not a file"),
    (stat.S_ISFIFO, "it is a pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)


_LOOKED_AT = 5_000
"""Files of a folder whose names are compared with that of one that is not there."""


def open_regular(path: Path) -> BinaryIO:
    """A regular file, opened. Raises `OSError` for anything else, which is not read and not waited for."""
    _require_regular(path.stat().st_mode, path)
    stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    try:
        _require_regular(os.fstat(stream.fileno()).st_mode, path)
    except OSError:
        stream.close()
        raise
    return stream


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file that has at most `most` of them. Raises `OSError`."""
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        _require_at_most(most, size, path)
        data = stream.read(size)  # a buffer is made for as much as is asked for, whatever the file has
        while more := stream.read(_MORE):
            data += more
            _require_at_most(most, len(data), path)
        return data


def _require_at_most(most: int, size: int, path: Path) -> None:
    if size > most:
        raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than the {most:,} that are read here", str(path))


def _require_regular(mode: int, path: Path) -> None:
    for is_kind, problem in _OTHERS:
        if is_kind(mode):
            raise OSError(errno.EINVAL, problem, str(path))


def like_missing(path: Path | str, error: OSError) -> str:
    """`; did you mean 'x'?` of a file that is not there, for one beside it of nearly that name; else nothing."""
    if not isinstance(error, FileNotFoundError):
        return ""
    wanted = Path(path)
    try:
        names = [entry.name for entry in islice(wanted.parent.iterdir(), _LOOKED_AT)]
    except OSError:
        return f"; there is no folder '{wanted.parent}'"
    close = get_close_matches(wanted.name, names, n=1, cutoff=0.8)
    return f"; did you mean '{wanted.with_name(close[0])}'?" if close else ""
