"""What the package adds to xDSL: a dialect and passes, each imported when first used."""

from __future__ import annotations

from xdsl.ir import Dialect
from xdsl.passes import ModulePass
from xdsl.universe import Universe


def _dialect() -> Dialect:
    from vtac_vec.dialect import Vec

    return Vec


def _convert() -> type[ModulePass]:
    from vtac_vec.convert_loops_to_vec import ConvertLoopsToVec

    return ConvertLoopsToVec


def _assign() -> type[ModulePass]:
    from vtac_vec.vec_assign_registers import VecAssignRegisters

    return VecAssignRegisters


def _lower() -> type[ModulePass]:
    from vtac_vec.pipeline import LowerToVec

    return LowerToVec


UNIVERSE = Universe(
    all_dialects={"vec": _dialect},
    all_passes={"convert-loops-to-vec": _convert, "vec-assign-registers": _assign, "lower-to-vec": _lower},
)
