"""`python -m sitegen.run_tutorial SCRIPT SECONDS`: runs a tutorial by cells; prints what each prints and draws."""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

from sitegen.cells import cells_of


def main(path: Path) -> list[dict[str, object]]:
    """What each code cell printed, and the pictures that it showed."""
    sys.path.insert(0, str(path.parent))
    shown: list[tuple[str, str, str]] = import_module("pictures").SHOWN
    namespace: dict[str, object] = {"__name__": "__main__", "__file__": str(path)}
    outcomes: list[dict[str, object]] = []
    for cell in cells_of(path.read_text()):
        if cell.is_text:
            continue
        printed = StringIO()
        source = "\n" * (cell.line - 1) + cell.text
        with redirect_stdout(printed):
            exec(compile(source, str(path), "exec"), namespace)
        outcomes.append({"printed": printed.getvalue(), "pictures": [list(one) for one in shown]})
        shown.clear()
    return outcomes


def bound(seconds: int) -> None:
    """Let this process, and those that it starts, end with SIGXCPU after so many seconds of CPU each."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))


if __name__ == "__main__":
    bound(int(sys.argv[2]))
    outcome = main(Path(sys.argv[1]).resolve())
    spent = os.times()
    seconds = spent.user + spent.system + spent.children_user + spent.children_system
    json.dump({"cells": outcome, "seconds": seconds}, sys.stdout)
