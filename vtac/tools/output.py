"""Writing results: a file appears whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from vtac.errors import VtacError
from vtac.text.files import write_whole


class OutputError(VtacError):
    """A file that cannot be written."""


def write_text(text: str, path: str | None) -> None:
    """Writes `text` to the file `path`, or to stdout when it is None or `-`. Raises `OutputError`."""
    if path is None or path == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_file(text.encode("utf-8"), path)


def write_file(data: bytes, path: Path | str) -> None:
    """Writes `data` beside `path`, then puts it in place of `path`, which a failure leaves as it was.

    A device or pipe is written directly. Raises `OutputError`.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        else:
            write_whole(Path(os.path.realpath(target)), data)
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror or error}") from error
