"""The dialects that programs may use, each loaded when it is first met: vtac's, xDSL's, and those of other packages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TypeVar

from xdsl import dialects as upstream
from xdsl.context import Context
from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import Builtin
from xdsl.ir import Dialect
from xdsl.universe import Universe

from vtac.dialects import get_all_dialects
from vtac.errors import VtacError

T = TypeVar("T")


_OWN = ("xdsl", "vtac")
"""The packages whose universes are known without being looked for."""


def dialect_factories() -> dict[str, Callable[[], Dialect]]:
    """All dialects by name, none of them loaded yet."""
    known = upstream.get_all_dialects() | get_all_dialects()
    known["builtin"] = _own_builtin
    for name, universe in installed_universes().items():
        add_new(known, universe.all_dialects, f"dialect of universe {name}")
    return known


def _own_builtin() -> Dialect:
    """The builtin dialect with a store of resources of its own: xDSL's is shared by all texts that a process reads."""
    return Dialect("builtin", list(Builtin.operations), list(Builtin.attributes), [OpAsmDialectInterface()])


def make_context(*, allow_unregistered: bool = False) -> Context:
    """A context that knows every dialect and loads each one when it is first met."""
    context = Context(allow_unregistered=allow_unregistered)
    for name, factory in dialect_factories().items():
        context.register_dialect(name, factory)
    return context


def installed_universes() -> Mapping[str, Universe]:
    """What other packages add to xDSL, by the name of their entry point in the group `xdsl.universe`."""
    return _universes(tuple(sys.path))


def add_new(known: dict[str, T], added: Mapping[str, T], what: str) -> None:
    """Adds what is not known yet. Raises `VtacError` for a name that is known, called `what`."""
    for name, factory in added.items():
        if name in known:
            raise VtacError(f"{what} '{name}': that name is taken; uninstall its package")
        known[name] = factory


@cache
def _universes(_path: tuple[str, ...]) -> Mapping[str, Universe]:
    found: dict[str, Universe] = {}
    for entry in entry_points(group="xdsl.universe"):
        if entry.value.partition(".")[0] in _OWN:
            continue
        universe: object = entry.load()
        if not isinstance(universe, Universe):
            raise VtacError(f"entry point xdsl.universe '{entry.name}' = {entry.value} is no xdsl.universe.Universe")
        found[entry.name] = universe
    return MappingProxyType(found)
