"""The tables of names: each leads to the thing that bears the name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from xdsl.passes import ModulePass
from xdsl.universe import XDSL_UNIVERSE
from xdsl.utils.target import Target

from vtac.dialects import get_all_dialects
from vtac.text.context import dialect_factories, make_context
from vtac.tools.registry import format_factories, pass_factories
from vtac.universe import VTAC, get_all_passes


@pytest.mark.parametrize("name", get_all_dialects())
def test_dialects_bear_their_names(name: str) -> None:
    assert dialect_factories()[name]().name == name


@pytest.mark.parametrize("name", get_all_passes())
def test_passes_bear_their_names_and_are_documented(name: str) -> None:
    found = pass_factories()[name]()
    assert issubclass(found, ModulePass)
    assert found.name == name
    assert found.__doc__ is not None


def test_every_pass_is_registered() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [
        path.read_text()
        for path in (
            *(root / "passes").rglob("*.py"),
            *(root / "vtac" / "targets").rglob("passes/*.py"),
            *(root / "vtac" / "targets").rglob("*pipeline.py"),
        )
    ]
    names = {name for text in sources for name in re.findall(r'^    name = "(.*)"$', text, re.MULTILINE)}
    assert names == set(get_all_passes())


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


def test_a_file_without_its_pass_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("vtac.passes.schedule.apply_schedule.ApplySchedule")
    with pytest.raises(TypeError, match=r"vtac\.passes\.schedule\.apply_schedule holds no pass ApplySchedule"):
        pass_factories()["apply-schedule"]()


def test_the_universe_clashes_with_nothing_of_xdsl() -> None:
    assert set(VTAC.all_dialects) == {"mma", "packing", "schedule", "tma", "vta", "wgmma", "wmma"}
    assert VTAC.all_passes.keys() == get_all_passes().keys()
    for own, upstream in (
        (VTAC.all_dialects, XDSL_UNIVERSE.all_dialects),
        (VTAC.all_passes, XDSL_UNIVERSE.all_passes),
        (VTAC.all_targets, XDSL_UNIVERSE.all_targets),
    ):
        assert not own.keys() & upstream.keys()
