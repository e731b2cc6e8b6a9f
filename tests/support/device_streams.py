"""Streams of a few instructions, written as assembly, and programs of them."""

from __future__ import annotations

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import assemble, assemble_micro_ops
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.layout import Buffer

CONFIG = VTAConfig()

ACCUMULATE = """load.uop sram 0 <- dram 0x800, 1 x 1 stride 1
load.acc sram 0 <- dram 0x40, 1 x 4 stride 4
alu.add imm 3, uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1)    push_next
store.out sram 0 -> dram 0x100, 1 x 4 stride 4                       pop_prev push_prev
load.uop nop                                                         pop_next
finish
"""
"""Adds 3 to four tiles at 0x1000, and stores over the first of them, which a second run loads again."""


def accumulating_program() -> Program:
    """A program that loads and then stores over the contents of its only result."""
    state = Buffer("state", "filled", "int8", (256,), 0x1000, False, True)
    micro_ops = Buffer("micro_ops", "uop", "uint32", (1,), 0x2000)
    contents = {"state": bytes(range(256))}
    return Program(CONFIG, assemble(ACCUMULATE, CONFIG), bytes(4), (state, micro_ops), contents, name="accumulate")


def words(text: str) -> bytes:
    """The instructions of an assembly text."""
    return assemble(text, CONFIG)


def micro_ops(text: str) -> bytes:
    """The micro-ops of an assembly text."""
    return assemble_micro_ops(text, CONFIG)
