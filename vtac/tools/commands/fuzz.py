"""`vtac fuzz`: attacks the compiler with random cases; the generators stand with the tests of a checkout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from vtac.tools.entry import UsageError

_TESTS = Path(__file__).resolve().parents[3] / "tests"


class _Campaigns(Protocol):
    def main(self, arguments: Sequence[str]) -> int: ...


def main(arguments: Sequence[str]) -> int:
    """Runs the campaign. Raises `UsageError` where vtac is installed without its tests."""
    if not (_TESTS / "fuzz" / "main.py").is_file():
        raise UsageError(
            f"vtac fuzz needs the generators in tests/fuzz of a source checkout, and {_TESTS.parent} has none; "
            "run it from a clone that is installed with 'pip install --editable .[test]'"
        )
    for folder in (_TESTS, _TESTS / "support"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    return cast(_Campaigns, import_module("fuzz.main")).main(arguments)
