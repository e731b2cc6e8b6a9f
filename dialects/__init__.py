"""The languages of the compiler and the records that describe its hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtac.lazily import submodules_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from xdsl.ir import Dialect

__getattr__ = submodules_of(__name__)


def get_all_dialects() -> dict[str, Callable[[], Dialect]]:
    """Our dialects by name, none of them loaded yet.

    `arith` and `linalg` are xDSL's with more operations and more syntax: where they are
    registered, they take the place of xDSL's.
    """

    def get_arith() -> Dialect:
        from vtac.dialects.frontend_arith import FrontendArith

        return FrontendArith

    def get_linalg() -> Dialect:
        from vtac.dialects.named_linalg import NamedLinalg

        return NamedLinalg

    def get_mma() -> Dialect:
        from vtac.dialects.mma import MMA

        return MMA

    def get_packing() -> Dialect:
        from vtac.dialects.packing import Packing

        return Packing

    def get_schedule() -> Dialect:
        from vtac.dialects.schedule import Schedule

        return Schedule

    def get_tma() -> Dialect:
        from vtac.dialects.tma import TMA

        return TMA

    def get_vta() -> Dialect:
        from vtac.dialects.vta import VTA

        return VTA

    def get_wgmma() -> Dialect:
        from vtac.dialects.wgmma import WGMMA

        return WGMMA

    def get_wmma() -> Dialect:
        from vtac.dialects.wmma import WMMA

        return WMMA

    return {
        "arith": get_arith,
        "linalg": get_linalg,
        "mma": get_mma,
        "packing": get_packing,
        "schedule": get_schedule,
        "tma": get_tma,
        "vta": get_vta,
        "wgmma": get_wgmma,
        "wmma": get_wmma,
    }
