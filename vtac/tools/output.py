"""Writing results: a file appears whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

from vtac.errors import VtacError
from vtac.files.whole import write_output


class OutputError(VtacError):
    """A file that cannot be written."""

    kind = "output"


def report(text: str) -> None:
    """Prints results on stdout, at once. Raises `OutputError`, or `BrokenPipeError` when nobody reads on."""
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise OutputError("cannot write to standard output: it is closed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}") from error


def write_text(text: str, path: str | None) -> None:
    """Writes `text` to the file `path`, or to stdout when it is None or `-`. Raises `OutputError`."""
    if path is None or path == "-":
        report(text)
    else:
        write_file(text.encode("utf-8"), path)


def write_file(data: bytes, path: Path | str) -> None:
    """Writes `data` beside `path`, then puts it in place of `path`, which a failure leaves as it was.

    A device or pipe is written directly. Raises `OutputError`.
    """
    try:
        write_output(Path(path), data)
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror or error}") from error
