"""The rewrite of each directive, registered by the file that holds it, and its application to the payload.

A package with a directive of its own derives an operation from `DirectiveOp` and marks its rewrite in the same
way, in a module that its target's record names, or that is imported before a script uses the directive.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TypeVar, cast

from vtac.analysis.ir.locations import location_of
from vtac.dialects.schedule.script import DirectiveOp
from vtac.errors import ScheduleError
from vtac.passes.directives.handles import Handles
from vtac.targets.registry import all_targets

_D = TypeVar("_D", bound=DirectiveOp)
_REWRITES: dict[type[DirectiveOp], Callable[[DirectiveOp, Handles], None]] = {}


def rewrites(kind: type[_D]) -> Callable[[Callable[[_D, Handles], None]], Callable[[_D, Handles], None]]:
    """Marks a function as what a directive does: it rewrites the payload and defines the directive's handles.

    Raises `ValueError` when the directive has a rewrite already.
    """

    def mark(rewrite: Callable[[_D, Handles], None]) -> Callable[[_D, Handles], None]:
        if kind in _REWRITES:
            raise ValueError(f"{kind.name} has two rewrites")
        _REWRITES[kind] = cast("Callable[[DirectiveOp, Handles], None]", rewrite)
        return rewrite

    return mark


def apply_directive(directive: DirectiveOp, handles: Handles) -> None:
    """Rewrite the payload as the directive says, and define its result handles.

    Raises `ScheduleError` when the directive is illegal; the payload is then unchanged.
    """
    if type(directive) not in _REWRITES:
        _load(directive)
    if type(directive) not in _REWRITES:
        _load_those_of_targets()
    rewrite = _REWRITES.get(type(directive))
    if rewrite is None:
        raise ScheduleError(f"no rewrite for directive '{directive.name}' was imported", location_of(directive))
    rewrite(directive, handles)


def _load(directive: DirectiveOp) -> None:
    """Import the file of a directive of ours: the one with its name, that of lookups, or any."""
    ours = _ours()
    likely = [name for name in (directive.directive, "lookup") if name in ours]
    for name in (*likely, *ours):
        if type(directive) in _REWRITES:
            return
        import_module(f"{__package__}.{name}")


@cache
def _ours() -> tuple[str, ...]:
    return tuple(module.name for module in iter_modules([str(Path(__file__).parent)]))


def _load_those_of_targets() -> None:
    for target in all_targets():
        for module in target.directives:
            import_module(module)
