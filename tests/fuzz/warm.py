"""A parent that has done once what every case would do again, so that its forks begin at the case itself."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib import import_module
from pkgutil import walk_packages

import vtac
from fuzz.case import FuzzTarget, draw_case

_VADD = """func.func @warm(%a: tensor<2x16xi32>) -> tensor<2x16xi32> {
  %e = tensor.empty() : tensor<2x16xi32>
  %r = linalg.add ins(%a, %a : tensor<2x16xi32>, tensor<2x16xi32>) outs(%e : tensor<2x16xi32>) -> tensor<2x16xi32>
  func.return %r : tensor<2x16xi32>
}
"""


_DRAWS = 8


def warm(targets: Iterable[FuzzTarget]) -> None:
    """Import the compiler, fill the caches that draws of the targets fill, and take all of it out of collection.

    A draw that raises is left to the cases themselves to report.
    """
    import_everything()
    for target in targets:
        for seed in range(_DRAWS):
            with suppress(Exception):
                draw_case(target, seed)
    gc.collect()
    gc.freeze()


@cache
def import_everything() -> None:
    """Import every module of the compiler, and compile one small program: dialects and tables are then read."""
    for module in walk_packages(vtac.__path__, "vtac."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    vtac.compile(_VADD)
