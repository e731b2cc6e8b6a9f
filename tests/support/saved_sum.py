"""A saved program, the sum of two blocks of four accumulator tiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import assemble, assemble_micro_ops
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.provenance import Origin
from vtac.targets.vta.stream.layout import Buffer

ASSEMBLY = """\
0: load.acc   sram 0 <- dram 0x40, 1 x 4 stride 4
1: load.acc   sram 4 <- dram 0x80, 1 x 4 stride 4
2: load.uop   sram 0 <- dram 0x1000, 1 x 1 stride 1
3: alu.add    uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1)                 push_next
4: store.out  sram 0 -> dram 0x300, 1 x 4 stride 4                               pop_prev push_prev
5: load.inp   nop                                                                push_next
6: load.uop   nop                                                                pop_prev pop_next
7: finish
"""
MICRO_OPS = "0: uop        dst 0, src 4, wgt 0\n"


def program() -> Program:
    config = VTAConfig()
    buffers = (
        Buffer("left", "input", "int32", (4, 1, 16), 0x1000, is_argument=True),
        Buffer("right", "input", "int32", (4, 1, 16), 0x2000, is_argument=True),
        Buffer("total", "output", "int8", (4, 1, 16), 0x3000, is_result=True),
        Buffer("micro_ops", "uop", "uint32", (1,), 0x4000),
    )
    origins = tuple(Origin("vta.load_2d" if at < 3 else "vta.alu", f"sum.mlir:{at + 1}:3") for at in range(8))
    return Program(config, assemble(ASSEMBLY, config), assemble_micro_ops(MICRO_OPS, config), buffers, origins=origins)


@pytest.fixture
def saved(tmp_path: Path) -> str:
    folder = tmp_path / "saved"
    program().save(folder)
    return str(folder)
