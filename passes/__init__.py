"""Passes: one file, one pass.

The file of the pass `vta-place-buffers` is `vta_place_buffers.py`, its class `VtaPlaceBuffers`;
that is how `get_all_passes` finds it, so that a new pass is a new file and nothing else.
`directives` holds no passes: it is how `apply-schedule` does each directive.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from xdsl.passes import ModulePass

_ROOMS = ("gpu", "linalg", "schedule", "vta")


def get_all_passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Our passes by name, none of them loaded yet."""
    found: dict[str, Callable[[], type[ModulePass]]] = {}
    for room in _ROOMS:
        found |= find_passes(f"{__name__}.{room}")
    return found


def find_passes(room: str) -> dict[str, Callable[[], type[ModulePass]]]:
    """The passes of a package of which each file holds one, by name, none of them loaded yet."""
    package = import_module(room)
    return {
        module.name.replace("_", "-"): _factory(f"{room}.{module.name}") for module in iter_modules(package.__path__)
    }


def _factory(module: str) -> Callable[[], type[ModulePass]]:
    def load() -> type[ModulePass]:
        from xdsl.passes import ModulePass

        name = "".join(word.capitalize() for word in module.rpartition(".")[2].split("_"))
        found: object = getattr(import_module(module), name, None)
        if not (isinstance(found, type) and issubclass(found, ModulePass)):
            raise TypeError(f"{module} holds no pass {name}")
        return found

    return load
