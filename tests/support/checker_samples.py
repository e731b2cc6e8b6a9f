"""Clean programs as text, and what the checker says of a text."""

from __future__ import annotations

from checker_streams import CONFIG, memory_image

from vtac.targets.vta.isa import MicroOp, assemble
from vtac.targets.vta.proof import Finding, check

# Loads four accumulator tiles, adds 1 and stores them.
CLEAN = """
load.uop sram 0 <- dram 0x1400, 1 x 3 stride 3
load.acc sram 0 <- dram 0xc0, 1 x 4 stride 4
alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1) push_next
store.out sram 0 -> dram 0x400, 1 x 4 stride 4 pop_prev push_prev
load.uop nop pop_next
finish
"""

# Multiplies one input tile by one weight tile, with the load unit one step ahead.
PRODUCT = """
load.uop sram 0 <- dram 0x1400, 1 x 3 stride 3
load.inp sram 0 <- dram 0x100, 1 x 1 stride 1
load.wgt sram 0 <- dram 0x20, 1 x 1 stride 1 push_next
gemm.reset uops 0:1, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0) pop_prev
gemm uops 0:1, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0) push_prev push_next
load.inp sram 0 <- dram 0x101, 1 x 1 stride 1 pop_next push_next
store.out sram 0 -> dram 0x400, 1 x 1 stride 1 pop_prev push_prev
load.uop nop pop_prev pop_next
finish
"""

MICRO_OPS = [MicroOp(0, 0, 0), MicroOp(1, 0, 0), MicroOp(2047, 2047, 1023)]


def checked(text: str) -> list[Finding]:
    """The findings on an assembly text run on memory that holds `MICRO_OPS`."""
    return check(assemble(text, CONFIG), CONFIG, dram=memory_image(0, MICRO_OPS))


def the_finding(text: str, kind: str) -> Finding:
    """The first finding of a kind."""
    found = checked(text)
    assert kind in [finding.kind for finding in found]
    return next(finding for finding in found if finding.kind == kind)
