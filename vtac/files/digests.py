"""Digests of the files of saved programs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from vtac.files.ownership import is_program_name
from vtac.files.reading import open_regular

_PIECE_BYTES = 1 << 20


def digest(data: bytes) -> str:
    """What an index says of the contents of a file."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_of_file(path: Path) -> str:
    """The same of a regular file, read piece by piece. Raises `OSError`."""
    found = hashlib.sha256()
    with open_regular(path) as stream:
        while piece := stream.read(_PIECE_BYTES):
            found.update(piece)
    return f"sha256:{found.hexdigest()}"


def changed_file(folder: Path, names: Iterable[str], digests: Mapping[str, str]) -> str | None:
    """The first of some files of a folder that is not as its digest says, where there is one. Raises `OSError`."""
    return next((name for name in names if name in digests and digest_of_file(folder / name) != digests[name]), None)


def missing_file(folder: Path, digests: Iterable[str]) -> str | None:
    """The first of the files with digests that is not in a folder, or that no saved program can have."""
    return next((name for name in digests if not (is_program_name(name) and (folder / name).exists())), None)
