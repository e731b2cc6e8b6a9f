"""Scripts of benchmarks/ as modules, whose functions tests call."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

_FOLDER = Path(__file__).parents[2] / "benchmarks"


def benchmark_script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script of that name, for one test; it finds the scripts beside it."""
    monkeypatch.setattr(sys, "path", [str(_FOLDER), *sys.path])
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", _FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module
