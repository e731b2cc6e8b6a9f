"""What vtac adds to xDSL: an entry point of the group `xdsl.universe`, which xDSL's own tools load.

In a universe no name may be taken twice, and xDSL has dialects `arith` and `linalg` already: with
`xdsl-opt`, programs are written in those, with `linalg.generic` for the named operations that only
ours have. `vtac-opt` reads all of them.
"""

from __future__ import annotations

from collections.abc import Callable

from xdsl import dialects as upstream
from xdsl.passes import ModulePass
from xdsl.universe import Universe

import vtac.dialects
import vtac.passes
from vtac.targets.registry import BUILT_IN, find_target


def get_all_passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Our passes and pipelines by name, none of them loaded yet."""

    def get_lower_to_vta() -> type[ModulePass]:
        from vtac.targets.vta.pipeline import LowerToVta

        return LowerToVta

    def get_lower_to_wmma() -> type[ModulePass]:
        from vtac.targets.cuda.pipeline import LowerToWmma

        return LowerToWmma

    def get_lower_plain_to_vta() -> type[ModulePass]:
        from vtac.targets.vta.plain_pipeline import LowerPlainToVta

        return LowerPlainToVta

    pipelines: dict[str, Callable[[], type[ModulePass]]] = {
        "lower-plain-to-vta": get_lower_plain_to_vta,
        "lower-to-vta": get_lower_to_vta,
        "lower-to-wmma": get_lower_to_wmma,
    }
    return vtac.passes.get_all_passes() | vtac.passes.find_passes("vtac.targets.vta.passes") | pipelines


VTAC = Universe(
    all_dialects={
        name: factory
        for name, factory in vtac.dialects.get_all_dialects().items()
        if name not in upstream.get_all_dialects()
    },
    all_passes=get_all_passes(),
    all_targets={name: format for target in BUILT_IN for name, format in find_target(target).formats.items()},
)
"""Our dialects, passes and output formats."""
