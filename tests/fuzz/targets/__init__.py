"""The targets of the campaign, by name; each is imported when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

from fuzz.case import FuzzTarget

TARGETS: Mapping[str, int] = MappingProxyType(
    {
        "linalg": 60,
        "schedule": 100,
        "script": 120,
        "cuda": 120,
        "stream": 150,
        "host": 100,
        "text": 150,
        "artefact": 100,
        "assembly": 100,
        "launch": 100,
        "command": 100,
        "configuration": 60,
    }
)
"""Names, and the share that each has of the cases of all: the dearer a case is, the fewer."""


def fuzz_target(name: str) -> FuzzTarget:
    """The target of that name."""
    return cast(FuzzTarget, import_module(f"fuzz.targets.{name}").TARGET)
