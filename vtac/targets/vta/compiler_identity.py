"""Which compiler this is, as far as what it makes may depend on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from vtac.lazily import installed_version


@cache
def compiler_identity() -> str:
    """The versions, and the size and time of each of vtac's own files: a checkout changes without its version."""
    versions = [sys.version, np.__version__, *map(installed_version, ("vtac", "xdsl"))]
    return "\n".join([*versions, *sorted(_files(str(Path(__file__).parents[2])))])


def _files(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files(entry.path)
        elif entry.name.endswith(".py"):
            found = entry.stat()
            yield f"{entry.path} {found.st_size} {found.st_mtime_ns}"
