"""vta-set-config: write a hardware configuration into the module."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from vtac.analysis.ir.target import set_config
from vtac.dialects.hardware import VTAConfig


@dataclass(frozen=True)
class VtaSetConfig(ModulePass):
    """Read a vta_config.json and make it the module's `vta.config`.

    One attribute of the module changes: there is no operation to match.

    requires: `file`, the path of the configuration; without it the default one.
    ensures:  the module carries every field.
    declines: a file that is no legal configuration.
    """

    name = "vta-set-config"

    file: str | None = None

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        set_config(op, VTAConfig() if self.file is None else VTAConfig.from_json(self.file))
