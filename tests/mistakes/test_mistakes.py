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
    for part in ("tried", "found", "required", "remedy"):
        assert str(fields[part]) in str(error)


def test_most_say_what_would_be_right() -> None:
    said = 0
    for mistake in MISTAKES.values():
        with pytest.raises(vtac.VtacError) as caught:
            mistake()
        said += bool(caught.value.required or caught.value.remedy)
    assert said >= len(MISTAKES) - 4


@pytest.mark.parametrize(
    ("message", "tried", "required", "remedy"),
    [
        ("cannot read 'x': no such file; did you mean 'y'?", "read 'x'", "", "did you mean 'y'?"),
        ("called with 1 array; the program takes 2 (a: i8, b: i8)", "", "2 (a: i8, b: i8)", ""),
        ("expected a loop, found a block; use get_loops", "", "a loop", "use get_loops"),
        ("unknown target 'tpu'; the targets are vta, cuda", "", "the targets are vta, cuda", ""),
    ],
)
def test_parts_are_read_from_a_message(message: str, tried: str, required: str, remedy: str) -> None:
    error = vtac.VtacError(message)
    assert (error.tried, error.required, error.remedy) == (tried, required, remedy)
