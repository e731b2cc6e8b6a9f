"""Instructions as text, one line each; `vtac.targets.vta.isa.assemble` reads the same text back.

    load.inp   sram 14 <- dram 0x100, 8 x 14 stride 14, pad 1 0 1 1     pop_next push_next
    gemm       uops 1:127, for 8 (dst+14 src+16 wgt+0), for 14 (dst+1 src+1 wgt+0)
    alu.shr    imm 8, uops 0:1, for 1 (dst+0 src+0), for 64 (dst+1 src+1)
    store.out  sram 0 -> dram 0x9e00, 1 x 1 stride 1                    push_prev
    load.uop   nop                                                      pop_prev

Memory sizes are rows x columns in elements of the memory; pads are top, bottom, left, right.
A memory instruction whose fields are all zero reads `nop`. Bits without a meaning that are
nonzero stand at the end as `unused 0x...`, a mask over the whole word.
"""

from __future__ import annotations

import struct

from vtac.dialects.hardware import VTAConfig
from vtac.errors import DecodeError
from vtac.targets.vta.isa.decode import decode
from vtac.targets.vta.isa.encode import opcode_of
from vtac.targets.vta.isa.fields import DEPENDENCE_FIELDS, WORD_BYTES, instruction_layout, micro_op_layout
from vtac.targets.vta.isa.instructions import (
    Alu,
    Dependences,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    MicroOp,
    Opcode,
    Store,
)
from vtac.targets.vta.isa.micro_ops import decode_micro_ops

_MNEMONIC_WIDTH = 10
_OPERAND_WIDTH = 66


def _dependences(dependences: Dependences) -> str:
    return " ".join(name for name in DEPENDENCE_FIELDS if getattr(dependences, name))


def _pads(instruction: Load | Store) -> str:
    pads = (instruction.y_pad_0, instruction.y_pad_1, instruction.x_pad_0, instruction.x_pad_1)
    return ", pad {} {} {} {}".format(*pads) if any(pads) else ""


def _is_bare_nop(instruction: Load | Store) -> bool:
    sizes = (instruction.y_size, instruction.x_size, instruction.x_stride)
    return not any((instruction.sram_base, instruction.dram_base, *sizes)) and not _pads(instruction)


def memory_mnemonic(memory: Memory) -> str:
    """The name of a memory in assembly: `inp`, `acc`, ..., `acc8`."""
    return "acc8" if memory is Memory.ACC_8BIT else memory.name.lower()


def _memory_operands(instruction: Load | Store) -> str:
    if _is_bare_nop(instruction):
        return "nop"
    arrow = "<-" if isinstance(instruction, Load) else "->"
    block = f"{instruction.y_size} x {instruction.x_size} stride {instruction.x_stride}"
    return f"sram {instruction.sram_base} {arrow} dram 0x{instruction.dram_base:x}, {block}{_pads(instruction)}"


def _loops(gemm: Gemm | Alu) -> str:
    outer = f"dst+{gemm.dst_factor_out} src+{gemm.src_factor_out}"
    inner = f"dst+{gemm.dst_factor_in} src+{gemm.src_factor_in}"
    if isinstance(gemm, Gemm):
        outer += f" wgt+{gemm.wgt_factor_out}"
        inner += f" wgt+{gemm.wgt_factor_in}"
    return f"uops {gemm.uop_bgn}:{gemm.uop_end}, for {gemm.iter_out} ({outer}), for {gemm.iter_in} ({inner})"


def _alu_operands(alu: Alu) -> str:
    if alu.use_imm:
        return f"imm {alu.imm}, {_loops(alu)}"
    # The immediate of a tensor-tensor instruction means nothing, but has bits.
    return f"{_loops(alu)}, no imm {alu.imm}" if alu.imm else _loops(alu)


def _mnemonic_and_operands(instruction: Instruction) -> tuple[str, str]:
    match instruction:
        case Load():
            return f"load.{memory_mnemonic(instruction.memory)}", _memory_operands(instruction)
        case Store():
            return f"store.{memory_mnemonic(instruction.memory)}", _memory_operands(instruction)
        case Gemm():
            return "gemm.reset" if instruction.reset else "gemm", _loops(instruction)
        case Alu():
            return f"alu.{instruction.opcode.name.lower()}", _alu_operands(instruction)
        case Finish():
            return "finish", ""


def format_instruction(instruction: Instruction) -> str:
    """One instruction as a line of assembly, without a line end."""
    mnemonic, operands = _mnemonic_and_operands(instruction)
    line = f"{mnemonic:<{_MNEMONIC_WIDTH}} {operands:<{_OPERAND_WIDTH}} {_dependences(instruction.dependences)}"
    return line.rstrip()


def _unused_bits(data: bytes, instructions: list[Instruction], config: VTAConfig) -> list[int]:
    """For each instruction the bits of its word that no field names and that are not zero."""
    masks = {opcode: ~instruction_layout(config, opcode).mask for opcode in Opcode}
    words = [int.from_bytes(data[at : at + WORD_BYTES], "little") for at in range(0, len(data), WORD_BYTES)]
    return [word & masks[opcode_of(instruction)] for word, instruction in zip(words, instructions, strict=True)]


def disassemble(data: bytes, config: VTAConfig, first: int = 0, total: int = 0) -> str:
    """The stream as assembly: a line per instruction, each led by its position and ended by a newline.

    Of a part of a stream of `total` instructions, `first` is the position of the part's first one. `assemble` of the
    text gives `data` back bit for bit. Raises `DecodeError` as `decode` does.
    """
    instructions = decode(data, config)
    digits = len(str(max(len(instructions) - 1, total - 1, 0)))
    lines: list[str] = []
    for position, (instruction, unused) in enumerate(
        zip(instructions, _unused_bits(data, instructions, config), strict=True), first
    ):
        tail = f" unused 0x{unused:x}" if unused else ""
        lines.append(f"{position:>{digits}}: {format_instruction(instruction)}{tail}\n")
    return "".join(lines)


def format_micro_op(op: MicroOp) -> str:
    """One micro-op as a line of assembly."""
    return f"uop        dst {op.dst}, src {op.src}, wgt {op.wgt}"


def disassemble_micro_ops(data: bytes, config: VTAConfig) -> str:
    """Micro-ops as assembly, a line each, led by their position. Raises `DecodeError` for a broken length.

    A configuration whose micro-op leaves bits unused must have them zero, else `DecodeError`.
    """
    ops = decode_micro_ops(data, config)
    mask = micro_op_layout(config).mask
    for position, word in enumerate(struct.unpack(f"<{len(ops)}I", data)):
        if word & ~mask:
            raise DecodeError(
                f"micro-op {position} is 0x{word:08x}; only the bits 0x{mask:x} mean something", position, "micro-op"
            )
    digits = len(str(max(len(ops) - 1, 0)))
    return "".join(f"{position:>{digits}}: {format_micro_op(op)}\n" for position, op in enumerate(ops))
