"""Tilings of a store, for compilation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from vtac.dialects.hardware import VTAConfig
from vtac.store.store import Store
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.tuning import stored


@pytest.mark.parametrize("is_copy", [False, True])
def test_a_copy_of_the_process_opens_the_store_itself(
    is_copy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection to SQLite must not be used on the other side of a fork."""
    asked: list[Store] = []
    monkeypatch.setattr(stored, "_best", lambda store, *_: asked.append(store))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with Store(tmp_path / "tune.db") as store:
        tilings = stored.tilings_in(store)
        here = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: here + is_copy)
        assert tilings.find(cast(Layer, None), VTAConfig()) is None
        (found,) = asked
        assert (found is store, found.path) == (not is_copy, store.path)
