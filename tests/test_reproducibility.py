"""Random tests draw the same data in every run: one profile says so, and no test says otherwise."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import settings

TESTS = Path(__file__).parent


def test_the_profile_holds_where_a_test_sets_something_else() -> None:
    for found in (settings(), settings(max_examples=3)):
        assert found.derandomize
        assert found.deadline is None
        assert found.database is None


def test_no_test_chooses_its_own_profile() -> None:
    own = re.compile(r"\bsettings\([^)]*\b(derandomize|deadline|database)\b|\bload_profile\(|^@seed\b", re.MULTILINE)
    ours = (TESTS / "conftest.py", Path(__file__))
    assert not [path.name for path in TESTS.rglob("*.py") if path not in ours and own.search(path.read_text())]
