"""Typical mistakes get the messages that the documentation lists."""

from __future__ import annotations

import pytest

import vtac
from mistakes.cases import MISTAKES, told
from mistakes.table import PAGE, page


def test_the_page_lists_them() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python tests/mistakes/table.py writes it anew"
    assert len(MISTAKES) >= 40


@pytest.mark.parametrize("name", MISTAKES)
def test_parts_are_those_of_the_message(name: str) -> None:
    with pytest.raises(vtac.VtacError) as caught:
        MISTAKES[name]()
    error = caught.value
    fields = error.to_fields()
    assert fields["message"] == str(error) == told(MISTAKES[name])
    assert str(fields["kind"])
    for part in ("tried", "found", "remedy"):
        assert str(fields[part]) in str(error)
