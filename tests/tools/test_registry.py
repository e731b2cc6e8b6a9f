"""The tables of names: each leads to the thing that bears the name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from xdsl.passes import ModulePass
from xdsl.utils.target import Target

from vtac.text.context import DIALECTS, Home, dialect_factories, make_context
from vtac.tools.registry import PASSES, format_factories, pass_factories


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects_bear_their_names(name: str) -> None:
    assert dialect_factories()[name]().name == name


@pytest.mark.parametrize("name", PASSES)
def test_passes_bear_their_names_and_are_documented(name: str) -> None:
    found = pass_factories()[name]()
    assert issubclass(found, ModulePass)
    assert found.name == name
    assert found.__doc__ is not None


def test_every_pass_is_registered() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [
        path.read_text()
        for path in (*(root / "passes").rglob("*.py"), *(root / "vtac" / "targets").rglob("pipeline.py"))
    ]
    names = {name for text in sources for name in re.findall(r'^    name = "(.*)"$', text, re.MULTILINE)}
    assert names == set(PASSES)


@pytest.mark.parametrize("name", format_factories())
def test_formats_bear_their_names(name: str) -> None:
    found = format_factories()[name]()
    assert issubclass(found, Target)
    assert found.name == name


def test_a_context_loads_dialects_when_they_are_met() -> None:
    context = make_context()
    assert not list(context.loaded_dialects)
    assert context.get_optional_op("func.func") is not None
    assert [dialect.name for dialect in context.loaded_dialects] == ["func"]


def test_a_wrong_home_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PASSES, "odd", Home("vtac.text.context", "Home"))
    with pytest.raises(TypeError, match=r"vtac\.text\.context\.Home is no subclass of ModulePass"):
        pass_factories()["odd"]()
    monkeypatch.setitem(DIALECTS, "odd", Home("vtac.text.context", "Home"))
    with pytest.raises(TypeError, match=r"vtac\.text\.context\.Home is no Dialect"):
        dialect_factories()["odd"]()
