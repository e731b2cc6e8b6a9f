"""The targets of the campaign, by name; each is imported when first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from fuzz.case import FuzzTarget

TARGETS: tuple[str, ...] = ("linalg", "schedule", "script", "cuda", "stream", "text", "artefact", "assembly", "launch")


def fuzz_target(name: str) -> FuzzTarget:
    """The target of that name."""
    return cast(FuzzTarget, import_module(f"fuzz.targets.{name}").TARGET)
