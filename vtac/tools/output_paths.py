"""Files that a command writes are looked at before it computes anything."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from vtac.tools.entry import UsageError

STDOUT = "-"


def require_outputs(outputs: Iterable[tuple[str, str | None]], inputs: Iterable[str | None] = ()) -> None:
    """Look at the files that options name, each with its option, None where it was not given; `-` is stdout.

    Raises `UsageError` for one that has no directory to stand in, that is a directory, that another option writes too,
    or that is one of the `inputs`, over which it would be written.
    """
    read = {os.path.realpath(path): path for path in inputs if path not in (None, STDOUT)}
    writers: dict[str, str] = {}
    for option, path in outputs:
        if path is None or path == STDOUT:
            continue
        if not Path(path).parent.is_dir():
            raise UsageError(f"cannot write {path}: there is no directory '{Path(path).parent}'")
        if Path(path).is_dir():
            raise UsageError(f"cannot write {path}: it is a directory; {option} takes a file")
        place = os.path.realpath(path)
        if place in read and Path(path).is_file():
            raise UsageError(f"{option} would write over {read[place]}, which is read; give it a file of its own")
        other = writers.setdefault(place, option)
        if other != option:
            raise UsageError(f"{other} and {option} both write {path}; give each a file of its own")


def refuse_stdout(outputs: Iterable[tuple[str, str | None]], why: str) -> None:
    """Raises `UsageError` for an option that says `-` where stdout has something else; `why` says what."""
    for option, path in outputs:
        if path == STDOUT:
            raise UsageError(f"{option} -: {why}; name a file, or ./- for one called -")
