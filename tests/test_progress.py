"""How long work still takes, on a terminal; and nothing where nobody looks."""

from __future__ import annotations

import importlib.util
import sys
from io import StringIO
from types import SimpleNamespace

import pytest

from vtac import progress
from vtac.progress import Bar


class Terminal(StringIO):
    """A stderr that somebody reads."""

    def isatty(self) -> bool:
        return True


def lines_of(stream: StringIO, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a bar without tqdm writes of work that a store knew half of, ten seconds for each step."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "find_spec", lambda _: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    times = iter(range(0, 1000, 10))
    bar = Bar(clock=lambda: next(times))
    for done in (10, 12, 20):
        bar("explore", done, 20)
    bar.close()
    return stream.getvalue().splitlines()


def test_a_terminal_is_told_how_long_it_takes_still(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_of(Terminal(), monkeypatch) == [
        "explore: 10 of 20",
        "explore: 12 of 20, about 0:40 left",
        "explore: 20 of 20",
    ]


def test_a_file_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_of(StringIO(), monkeypatch) == []


@pytest.mark.skipif(importlib.util.find_spec("tqdm") is None, reason="needs the extra 'progress'")
def test_a_bar_begins_at_what_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would take what a store knew for work of the first second."""
    drawn = SimpleNamespace(set_description_str=str, refresh=str, close=str)
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "import_module", lambda _: SimpleNamespace(tqdm=lambda **_: drawn))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    bar = Bar()
    for done in (10, 12):
        bar("explore", done, 20)
    assert (drawn.initial, drawn.n, drawn.total) == (10, 12, 20)
