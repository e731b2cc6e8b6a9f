"""The `vta-asm` output target: a vta-level module as instruction text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.target import Target


@dataclass(frozen=True)
class VtaAsmTarget(Target):
    """Prints the instruction stream of a lowered module, one instruction per line."""

    name = "vta-asm"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        from vtac.targets.vta.stream.build import build_program

        output.write(build_program(module).disassemble())
