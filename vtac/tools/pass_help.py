"""What `vtac-opt` says about passes, from their classes: docstring, options, and the passes within."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import get_type_hints

from xdsl import transforms as upstream
from xdsl.passes import ModulePass
from xdsl.utils.hints import type_repr

from vtac.pipelines import CompositePass
from vtac.text.reports import suggestion
from vtac.tools.entry import UsageError
from vtac.tools.registry import pass_factories


def list_passes() -> str:
    """Each pass of ours and of other packages with the first line of its docstring; then the names of xDSL's."""
    names = sorted(upstream.get_all_passes())
    own = {name: load() for name, load in sorted(pass_factories().items()) if name not in names}
    width = max(map(len, own))
    lines = [f"{name:<{width}}  {_docstring(found).partition(chr(10))[0]}" for name, found in own.items()]
    theirs = textwrap.fill(", ".join(names), 110, break_on_hyphens=False)
    return "\n".join([*lines, "", "passes of xDSL:", theirs, ""])


def help_pass(name: str) -> str:
    """What a pass does, requires, ensures and declines, its options, and the passes that it consists of.

    Raises `UsageError` for a name that no pass has.
    """
    factories = pass_factories()
    if name not in factories:
        raise UsageError(f"unknown pass '{name}'{suggestion(name, factories) or '; --list-passes lists them'}")
    found = factories[name]()
    return "\n".join([found.name, "", _docstring(found), "", *_options(found), *_phases(found), ""])


def _docstring(found: type[ModulePass]) -> str:
    own = found.__dict__.get("__doc__") or "(not documented)"
    return inspect.cleandoc("(not documented)" if own.startswith(f"{found.__name__}(") else own)


def _options(found: type[ModulePass]) -> list[str]:
    types = get_type_hints(found)
    lines = [f"  {one.name.replace('_', '-')}: {type_repr(types[one.name])}{_default(one)}" for one in fields(found)]
    return ["options:", *lines] if lines else ["options: none"]


def _default(option: Field[object]) -> str:
    if option.default is not MISSING:
        return f" = {option.default!r}"
    return "" if option.default_factory is MISSING else f" = {option.default_factory()!r}"


def _phases(found: type[ModulePass]) -> Iterator[str]:
    if issubclass(found, CompositePass) and not found.required_fields():
        yield from ("", "phases:")
        for phase in found().phases:
            yield f"  {phase.name}: {', '.join(step.name for step in phase.passes) or 'nothing'}"
