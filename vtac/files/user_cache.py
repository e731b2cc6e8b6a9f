"""Where a user's caches lie: the folder that `VTAC_CACHE_DIR` names, else the platform's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from vtac.files.cache_entries import Entries
from vtac.limits import CACHE

VARIABLE = "VTAC_CACHE_DIR"
"""The variable of the environment that names the folder."""
OFF = "off"
"""Its value that says: nothing is read, and nothing kept."""

_MOST_PROGRAMS: Final = 1000
_MOST_RECORDS: Final = 4096
_KERNELS_SHARE: Final = 6
_SMALL_SHARE: Final = 32
"""Parts of all bytes that may be kept: a sixth for layers, a thirty-second for tilings and for streams each."""


def program_entries(folder: Path) -> Entries:
    """The compiled programs in a folder of caches, which may take what the other kinds may not."""
    others = (kernel_entries(folder), tiling_entries(folder), stream_entries(folder))
    left = CACHE.value - sum(kind.most_bytes for kind in others)
    return Entries(folder / "programs", _MOST_PROGRAMS, left)


def tiling_entries(folder: Path) -> Entries:
    """The tilings that searches have found, in a folder of caches."""
    return Entries(folder / "tilings", _MOST_RECORDS, CACHE.value // _SMALL_SHARE)


def kernel_entries(folder: Path) -> Entries:
    """The layers that were lowered, in a folder of caches."""
    return Entries(folder / "kernels", _MOST_RECORDS, CACHE.value // _KERNELS_SHARE)


def stream_entries(folder: Path) -> Entries:
    """The token plans and proofs of streams, in a folder of caches."""
    return Entries(folder / "streams", _MOST_RECORDS, CACHE.value // _SMALL_SHARE)


def cache_folder(wanted: bool | None) -> Path | None:
    """The folder to use, which need not exist; None for none.

    Without a word from the caller, `None`, there is one where `VTAC_CACHE_DIR` names it, whose `~` is the user's home,
    as a shell would have it.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given.lower() == OFF or wanted is False:
        return None
    if given:
        return Path(os.path.expanduser(given))
    return platform_folder() if wanted else None


def platform_folder() -> Path | None:
    """The platform's folder for what can be made again, as platformdirs finds it; None for a user without a home."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "vtac" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "vtac"
    given = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(given) if given else home / ".cache") / "vtac"


def why_unusable(folder: Path) -> str:
    """Why nothing can be kept in a folder of caches, which need not exist; empty where it can."""
    there = next((parent for parent in (folder, *folder.parents) if os.path.lexists(parent)), Path("/"))
    if not there.is_dir():
        return f"{there} is no folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"{there} cannot be written"
