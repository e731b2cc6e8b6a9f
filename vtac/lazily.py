"""Modules that are imported when they are first named: `import vtac` is enough for `vtac.evaluate.bfloat16`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module


def submodules_of(package: str) -> Callable[[str], object]:
    """A package's `__getattr__`: what it does not hold is a module in it."""

    def load(name: str) -> object:
        module = f"{package}.{name}"
        if not name.startswith("_"):
            try:
                return import_module(module)
            except ModuleNotFoundError as error:
                if error.name != module:
                    raise
        raise AttributeError(f"module '{package}' has no attribute '{name}'")

    return load
