"""Which compiler this is, as far as what it makes may depend on it."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from vtac.lazily import installed_version

_PACKAGE = Path(__file__).parents[2]
APART = ("devices", "models", "passes/gpu", "report", "targets/cuda", "targets/vta/exploring", "tools", "workers")
"""Folders of vtac without a say in what a program of the VTA is and takes."""


@cache
def compiler_identity() -> str:
    """The versions, and the size and time of each of vtac's own files: a checkout changes without its version."""
    versions = [sys.version, np.__version__, *map(installed_version, ("vtac", "xdsl"))]
    stats = ((entry.path, entry.stat()) for entry in _sources(str(_PACKAGE)))
    return "\n".join([*versions, *sorted(f"{path} {found.st_size} {found.st_mtime_ns}" for path, found in stats)])


@cache
def model_identity() -> str:
    """What stands in a store for the judge of a tiling: how it becomes a program, and the model of cycles.

    It follows from the sources, and so is another one with each of their constants, and the same wherever they lie.
    """
    return f"{source_digest(_PACKAGE)} xdsl {installed_version('xdsl')}"


def source_digest(package: Path) -> str:
    """32 hexadecimal digits that stand for the sources of a vtac, but for those folders that are `APART`."""
    found, start = hashlib.sha256(), len(str(package)) + 1
    for name in sorted(entry.path[start:].replace(os.sep, "/") for entry in _sources(str(package))):
        if not name.startswith(tuple(f"{folder}/" for folder in APART)):
            found.update(f"{name}\0".encode() + hashlib.sha256((package / name).read_bytes()).digest())
    return found.hexdigest()[:32]


def _sources(folder: str) -> Iterator[os.DirEntry[str]]:
    for entry in os.scandir(folder):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _sources(entry.path)
        elif entry.name.endswith(".py"):
            yield entry
