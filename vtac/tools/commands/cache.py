"""`vtac cache`: what is kept of earlier compilations, and how to be rid of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from vtac.files.cache_entries import Usage
from vtac.files.user_cache import OFF, VARIABLE, cache_folder, program_entries, tiling_entries
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
    programs, tilings = [
        Usage(0, 0) if folder is None else found(folder).clear() if clears else found(folder).usage()
        for found in (program_entries, tiling_entries)
    ]
    if options.json:
        fields = {
            "folder": None if folder is None else str(folder),
            "programs": programs.entries,
            "tilings": tilings.entries,
            "bytes": programs.nbytes + tilings.nbytes,
            "limit": CACHE.value,
        }
        report(json.dumps(fields) + "\n")
    else:
        report(_line(folder, programs, tilings, clears=clears))
    return 0


def _line(folder: Path | None, programs: Usage, tilings: Usage, *, clears: bool) -> str:
    if folder is None:
        return f"there is no cache: {VARIABLE} is '{OFF}', or the user has no home\n"
    numbers = f"{counted(programs.entries, 'program')}, {counted(tilings.entries, 'tiling')}"
    held = f"{numbers}, {programs.nbytes + tilings.nbytes:,} bytes"
    return f"{folder}: removed {held}\n" if clears else f"{folder}: {held} of at most {CACHE.value:,}\n"
