"""Writing results: a file appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from vtac.dialects.diagnostics import VtacError


class OutputError(VtacError):
    """A file that cannot be written."""


def write_text(text: str, path: str | None) -> None:
    """Writes `text` to the file `path`, or to stdout when it is None or `-`. Raises `OutputError`."""
    if path is None or path == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    replace_file(path, lambda stream: _write_all(stream, text.encode("utf-8")))


def replace_file(path: Path | str, write: Callable[[IO[bytes]], None]) -> None:
    """Lets `write` fill a new file beside `path`, then puts that in its place; on failure `path` stays as it was.

    Raises `OutputError`. A device or pipe is written directly.
    """
    target = Path(path)
    with output_errors(target):
        if target.exists() and not target.is_file():
            with target.open("wb") as stream:
                write(stream)
            return
        target = Path(os.path.realpath(target))
        scratch = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with scratch.open("xb") as stream:
                write(stream)
            if target.exists():
                shutil.copymode(target, scratch)
            scratch.replace(target)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise


@contextmanager
def output_errors(path: Path | str) -> Generator[None]:
    """Turns an `OSError` inside it into an `OutputError` that names `path`."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror or error}") from error


def _write_all(stream: IO[bytes], data: bytes) -> None:
    stream.write(data)
