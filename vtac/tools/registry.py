"""What the tools know by name: passes and output formats, each imported when first used.

What other packages add as xDSL universes and as targets is known too.
"""

from __future__ import annotations

from collections.abc import Callable

from xdsl import transforms as upstream
from xdsl.passes import ModulePass
from xdsl.utils.target import Target as Format

from vtac.targets.registry import all_targets
from vtac.text.context import add_new, installed_universes
from vtac.text.printing import TextTarget
from vtac.universe import get_all_passes


def pass_factories() -> dict[str, Callable[[], type[ModulePass]]]:
    """All passes by name, none of them loaded yet."""
    known = upstream.get_all_passes() | get_all_passes()
    for name, universe in installed_universes().items():
        add_new(known, universe.all_passes, f"pass of universe {name}")
    return known


def format_factories() -> dict[str, Callable[[], type[Format]]]:
    """What `-t` can print, by name: MLIR, and the formats of all targets; none of them loaded yet."""
    known: dict[str, Callable[[], type[Format]]] = {"mlir": lambda: TextTarget}
    for target in all_targets():
        add_new(known, target.formats, f"format of target {target.name}")
    return known
