"""`vtac cache`: what is kept of earlier compilations, and how to be rid of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from vtac.files.cache_entries import Usage
from vtac.files.user_cache import (
    OFF,
    VARIABLE,
    cache_folder,
    kernel_entries,
    program_entries,
    stream_entries,
    tiling_entries,
    why_unusable,
)
from vtac.limits import CACHE
from vtac.text.short import counted
from vtac.tools.entry import ToolParser
from vtac.tools.output import report

_EXAMPLE = """example:
  vtac cache info
  vtac cache clear

Commands that compile keep VTA programs, and read what was compiled before; --no-cache leaves that out. VTAC_CACHE_DIR
names another folder, or 'off'; VTAC_MAX_CACHE says how many bytes may be kept.
"""


_KINDS = {
    "program": program_entries,
    "kernel": kernel_entries,
    "tiling": tiling_entries,
    "stream record": stream_entries,
}


class Options(argparse.Namespace):
    """The options, typed."""

    action: str
    json: bool = False


def main(arguments: Sequence[str]) -> int:
    """Prints what the cache holds, or held before it was emptied."""
    parser = ToolParser("vtac cache", "Says what the cache of compiled programs holds, or empties it.", _EXAMPLE)
    parser.add_argument("action", choices=("info", "clear"), help="say what it holds, or remove all of it")
    parser.add_argument("--json", action="store_true", help="print an object instead of a line")
    options = Options()
    parser.parse(arguments, options)
    folder = cache_folder(True)
    clears = options.action == "clear"
    held = {
        name: Usage(0, 0) if folder is None else entries(folder).clear() if clears else entries(folder).usage()
        for name, entries in _KINDS.items()
    }
    if options.json:
        fields = {
            "folder": None if folder is None else str(folder),
            **{f"{name.replace(' ', '_')}s": usage.entries for name, usage in held.items()},
            "bytes": sum(usage.nbytes for usage in held.values()),
            "limit": CACHE.value,
            "unusable": None if folder is None else why_unusable(folder) or None,
        }
        report(json.dumps(fields) + "\n")
    else:
        report(_line(folder, held, clears=clears))
    return 0


def _line(folder: Path | None, usages: Mapping[str, Usage], *, clears: bool) -> str:
    if folder is None:
        return f"there is no cache: {VARIABLE} is '{OFF}', or the user has no home\n"
    numbers = ", ".join(counted(usage.entries, name) for name, usage in usages.items())
    held = f"{numbers}, {sum(usage.nbytes for usage in usages.values()):,} bytes"
    reason = why_unusable(folder)
    note = f"\nnothing new is kept: {reason}" if reason else ""
    return f"{folder}: removed {held}{note}\n" if clears else f"{folder}: {held} of at most {CACHE.value:,}{note}\n"
