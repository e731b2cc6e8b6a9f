"""How often Python looks for garbage while compiling and importing."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from vtac.collection import seldom_collected
from vtac.lazily import load_module


def test_thresholds_are_as_before_behind_a_compilation_that_fails() -> None:
    usual = gc.get_threshold()
    with pytest.raises(ValueError, match="inside"), seldom_collected():
        assert gc.get_threshold()[0] > usual[0]
        raise ValueError("inside")
    assert gc.get_threshold() == usual


def test_what_is_seldom_already_stays_so() -> None:
    usual = gc.get_threshold()
    with seldom_collected():
        outer = gc.get_threshold()
        with seldom_collected():
            assert gc.get_threshold() == outer
    assert gc.get_threshold() == usual


def test_what_a_compilation_leaves_is_not_looked_through_at_its_end() -> None:
    looks: list[str] = []
    gc.collect()
    gc.callbacks.append(lambda phase, _: looks.append(phase))
    try:
        with seldom_collected():
            left = [[number] for number in range(50_000)]
        assert looks == []
    finally:
        gc.callbacks.pop()
    assert len(left) == 50_000
    assert gc.get_freeze_count() == 0


def test_what_compilations_leave_is_looked_through_once_it_is_much() -> None:
    """A million objects, whatever many compilations have left them."""
    looks: list[int] = []
    gc.callbacks.append(lambda _, about: looks.append(about["generation"]))
    try:
        left: list[list[list[int]]] = []
        for _ in range(3):
            with seldom_collected():
                left.append([[number] for number in range(400_000)])
    finally:
        gc.callbacks.pop()
    assert 2 in looks
    assert len(left) == 3


def test_what_others_have_frozen_stays_so() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with seldom_collected():
            pass
        assert gc.get_freeze_count() >= frozen
    finally:
        gc.unfreeze()


def test_modules_are_imported_without_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "has_many_objects.py").write_text("made = [[number] for number in range(50_000)]\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    looks: list[str] = []
    gc.collect()
    usual = gc.get_threshold()
    gc.callbacks.append(lambda phase, _: looks.append(phase))
    try:
        module = load_module("has_many_objects")
    finally:
        gc.callbacks.pop()
    assert (looks, len(module.made), gc.get_threshold()) == ([], 50_000, usual)


def test_a_module_that_is_not_there_leaves_thresholds_as_before() -> None:
    usual = gc.get_threshold()
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'there_is_no_such_module'$"):
        load_module("there_is_no_such_module")
    assert gc.get_threshold() == usual


def test_a_mention_of_what_is_loaded_leaves_the_collector_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages ask for their modules at each mention, and a process that froze its objects would be counted through."""
    from vtac.dialects import mma

    load_module("vtac.dialects.mma.dialect")
    calls: list[str] = []

    def called(*_: int) -> None:
        calls.append("gc")

    for name in ("freeze", "get_freeze_count", "collect", "set_threshold"):
        monkeypatch.setattr(gc, name, called)
    assert mma.SyncOp.name == "mma.sync"
    assert calls == []
