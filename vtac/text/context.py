"""The dialects that programs may use, each loaded when it is first met: vtac's, xDSL's, and those of other packages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from xdsl.context import Context
from xdsl.dialects import get_all_dialects
from xdsl.ir import Dialect
from xdsl.universe import Universe

from vtac.errors import VtacError

T = TypeVar("T")


class Home(NamedTuple):
    """The module and the attribute in it that a name stands for."""

    module: str
    attribute: str

    def load(self) -> object:
        return getattr(import_module(self.module), self.attribute)


DIALECTS: dict[str, Home] = {
    "arith": Home("vtac.dialects.frontend_arith", "FrontendArith"),
    "linalg": Home("vtac.dialects.named_linalg", "NamedLinalg"),
    "packing": Home("vtac.dialects.packing", "Packing"),
    "schedule": Home("vtac.dialects.schedule", "Schedule"),
    "vta": Home("vtac.dialects.vta", "VTA"),
    "wmma": Home("vtac.dialects.wmma", "WMMA"),
}
"""Our dialects. One that bears the name of an xDSL dialect replaces it."""

_OWN = ("xdsl", "vtac")
"""The universes that the tables here and in `vtac.tools.registry` stand for."""


def dialect_factories() -> dict[str, Callable[[], Dialect]]:
    """All dialects by name, none of them loaded yet."""
    known = get_all_dialects() | {name: _dialect_factory(home) for name, home in DIALECTS.items()}
    for name, universe in installed_universes().items():
        add_new(known, universe.all_dialects, f"dialect of universe {name}")
    return known


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


def _dialect_factory(home: Home) -> Callable[[], Dialect]:
    def load() -> Dialect:
        dialect = home.load()
        if not isinstance(dialect, Dialect):
            raise TypeError(f"{home.module}.{home.attribute} is no Dialect")
        return dialect

    return load
