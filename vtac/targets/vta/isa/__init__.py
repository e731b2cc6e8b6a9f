"""The VTA's instruction set: records, bytes, and assembly text, for any configuration."""

from vtac.errors import AssemblyError, DecodeError, EncodingError
from vtac.targets.vta.isa.assemble import assemble, assemble_micro_ops
from vtac.targets.vta.isa.decode import decode, dependences_of
from vtac.targets.vta.isa.encode import encode, encode_word, opcode_of
from vtac.targets.vta.isa.fields import (
    MICRO_OP_BYTES,
    WORD_BYTES,
    Field,
    Layout,
    instruction_layout,
    micro_op_layout,
)
from vtac.targets.vta.isa.instructions import (
    NO_DEPENDENCES,
    Alu,
    AluOpcode,
    Dependences,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    MicroOp,
    Opcode,
    Store,
    Unit,
    is_nop,
    unit_of,
)
from vtac.targets.vta.isa.micro_ops import decode_micro_op_array, decode_micro_ops, encode_micro_ops, micro_op_indices
from vtac.targets.vta.isa.table import InstructionTable, decode_table
from vtac.targets.vta.isa.text import (
    disassemble,
    disassemble_micro_ops,
    format_instruction,
    format_micro_op,
)

__all__ = [
    "MICRO_OP_BYTES",
    "NO_DEPENDENCES",
    "WORD_BYTES",
    "Alu",
    "AluOpcode",
    "AssemblyError",
    "DecodeError",
    "Dependences",
    "EncodingError",
    "Field",
    "Finish",
    "Gemm",
    "Instruction",
    "InstructionTable",
    "Layout",
    "Load",
    "Memory",
    "MicroOp",
    "Opcode",
    "Store",
    "Unit",
    "assemble",
    "assemble_micro_ops",
    "decode",
    "decode_micro_op_array",
    "decode_micro_ops",
    "decode_table",
    "dependences_of",
    "disassemble",
    "disassemble_micro_ops",
    "encode",
    "encode_micro_ops",
    "encode_word",
    "format_instruction",
    "format_micro_op",
    "instruction_layout",
    "is_nop",
    "micro_op_indices",
    "micro_op_layout",
    "opcode_of",
    "unit_of",
]
