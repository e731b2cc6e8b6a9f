"""Targets by name: those of vtac, and those that installed packages add as entry points `vtac.targets`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING
from warnings import warn

from vtac.errors import CompileError
from vtac.targets.target import Target

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.dialects.schedule.payload import ForOp

GROUP = "vtac.targets"
"""Entry points of this group name a `Target` record; the entry point's name is the target's."""

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {"vta": "vtac.targets.vta.target:VTA", "cuda": "vtac.targets.cuda.target:CUDA"}
)


def target_names() -> tuple[str, ...]:
    """The names of all targets, vtac's own first."""
    return tuple(_homes(tuple(sys.path)))


def find_target(name: str) -> Target:
    """The target of that name. Raises `CompileError` with the names there are, or why a record cannot be loaded."""
    home = _homes(tuple(sys.path)).get(name)
    if home is None:
        raise CompileError(f"unknown target '{name}'; the targets are {', '.join(target_names())}")
    return _load(name, home)


def all_targets() -> Iterator[Target]:
    """Every target, vtac's own first; one that cannot be loaded is passed over with a warning."""
    for name in target_names():
        try:
            target = find_target(name)
        except CompileError as error:
            warn(str(error), RuntimeWarning, stacklevel=2)
            continue
        yield target


def find_intrinsic(name: str) -> Callable[[ForOp, ModuleOp], object] | None:
    """What matches a loop with the intrinsic of that name, of whichever target; None when there is none."""
    found = (one.named(name) for target in all_targets() for one in target.intrinsics)
    return next((match for match in found if match is not None), None)


def intrinsic_names() -> tuple[str, ...]:
    """The names of all intrinsics; of a family, its own."""
    return tuple(one.name for target in all_targets() for one in target.intrinsics)


@cache
def _homes(_path: tuple[str, ...]) -> Mapping[str, str]:
    """`module:attribute` by name; what is installed where `sys.path` says."""
    found = dict(BUILT_IN)
    for entry in entry_points(group=GROUP):
        if entry.name in found and found[entry.name] != entry.value:
            raise CompileError(
                f"two targets are called '{entry.name}': {found[entry.name]} and {entry.value}; uninstall one"
            )
        found[entry.name] = entry.value
    return MappingProxyType(found)


@cache
def _load(name: str, home: str) -> Target:
    module, _, attribute = home.partition(":")
    try:
        target: object = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise CompileError(f"target '{name}' cannot be loaded from {home}: {error}") from error
    if not isinstance(target, Target) or target.name != name:
        raise CompileError(f"{home}, which target '{name}' names, is no vtac.targets.target.Target of that name")
    return target
