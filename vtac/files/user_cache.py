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
_MOST_TILINGS: Final = 4096
_MOST_KERNELS: Final = 4096
_MOST_STREAMS: Final = 4096


def program_entries(folder: Path) -> Entries:
    """The compiled programs in a folder of caches."""
    return Entries(folder / "programs", _MOST_PROGRAMS, CACHE.value)


def tiling_entries(folder: Path) -> Entries:
    """The tilings that searches have found, in a folder of caches."""
    return Entries(folder / "tilings", _MOST_TILINGS, CACHE.value)


def kernel_entries(folder: Path) -> Entries:
    """The layers that were lowered, in a folder of caches."""
    return Entries(folder / "kernels", _MOST_KERNELS, CACHE.value)


def stream_entries(folder: Path) -> Entries:
    """The token plans and proofs of streams, in a folder of caches."""
    return Entries(folder / "streams", _MOST_STREAMS, CACHE.value)


def cache_folder(wanted: bool | None) -> Path | None:
    """The folder to use, which need not exist; None for none.

    Without a word from the caller, `None`, there is one where `VTAC_CACHE_DIR` names it.
    """
    given = os.environ.get(VARIABLE, "")
    if given == OFF or wanted is False:
        return None
    if given:
        return Path(given)
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
