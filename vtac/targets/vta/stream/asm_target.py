"""The `vta-asm` output target: a vta-level module as instruction text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.target import Target

from vtac.analysis.ir.device_functions import kernel_modules, kernel_of


@dataclass(frozen=True)
class VtaAsmTarget(Target):
    """Prints the instruction stream of a lowered module, one instruction per line.

    Of modules within the module each is a stream of its own; several are printed under their names.
    """

    name = "vta-asm"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        from vtac.targets.vta.stream.build import build_program

        streams = kernel_modules(module)
        for stream in streams or [module]:
            text = build_program(stream).disassemble()
            kernel = kernel_of(stream)
            if len(streams) > 1 and kernel is not None:
                text = f"// {kernel.sym_name.data}\n{text}\n"
            output.write(text)
