"""Assembly text to bytes: reads exactly what `vtac.targets.vta.isa.text` writes, blank lines and `#` comments."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from vtac.dialects.hardware import VTAConfig
from vtac.errors import AssemblyError, EncodingError
from vtac.targets.vta.isa.encode import encode_word, opcode_of
from vtac.targets.vta.isa.fields import DEPENDENCE_FIELDS, WORD_BYTES, instruction_layout
from vtac.targets.vta.isa.instructions import (
    Alu,
    AluOpcode,
    Dependences,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    MicroOp,
    Store,
)
from vtac.targets.vta.isa.micro_ops import encode_micro_ops
from vtac.targets.vta.isa.text import memory_mnemonic

_NUMBER = r"0x[0-9a-f]{1,32}|-?[0-9]{1,32}"
"""Leading zeros mean nothing; no field is wider than 32 digits, whatever their base."""
_FORMS = {
    "memory": "sram 0 {arrow} dram 0x0, 1 x 1 stride 1[, pad 0 0 0 0]",
    "gemm": "uops 0:1, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)",
    "alu": "[imm 0, ]uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0)",
    "uop": "dst 0, src 0, wgt 0",
}
_MEMORIES = {memory_mnemonic(memory): memory for memory in Memory}
_ALU_OPCODES = {opcode.name.lower(): opcode for opcode in AluOpcode}
_MNEMONICS = (
    *(f"{kind}.{memory}" for kind in ("load", "store") for memory in _MEMORIES),
    *("gemm", "gemm.reset"),
    *(f"alu.{name}" for name in _ALU_OPCODES),
    "finish",
)
_TAIL = re.compile(
    r"(?P<operands>.*?)(?P<tokens>(?:\s+(?:p(?:op|ush)_(?:prev|next)))*)(?:\s+unused\s+(?P<unused>0x[0-9a-f]+))?"
)


@cache
def _pattern(form: str) -> re.Pattern[str]:
    """The regular expression of a form: its numbers become groups, its spaces optional."""
    parts: list[str] = []
    for token in re.findall(r"0x0|\d+|\[|\]|[a-z]+|\S", form):
        if token in "[]":
            parts.append("(?:" if token == "[" else ")?")
        elif token[0].isdigit():
            parts.append(rf"\s*({_NUMBER})\s*")
        else:
            parts.append(rf"\s*{re.escape(token)}\s*")
    return re.compile("".join(parts))


def _numbers(form: str, operands: str, line: int) -> list[int]:
    match = _pattern(form).fullmatch(operands)
    if match is None:
        found = repr(operands) if operands else "nothing"
        raise AssemblyError(f"cannot read the operands: found {found}; expected the form '{form}'", line)
    return [_number(group or "0") for group in match.groups()]


def _number(text: str) -> int:
    return int(text, 16) if text.startswith("0x") else int(text)


def _memory(kind: type[Load | Store], name: str, operands: str, tokens: Dependences, line: int) -> Instruction:
    if operands == "nop":
        return kind(_MEMORIES[name], 0, 0, 0, 0, 0, dependences=tokens)
    form = _FORMS["memory"].format(arrow="<-" if kind is Load else "->")
    return kind(_MEMORIES[name], *_numbers(form, operands, line), dependences=tokens)


def _gemm(reset: bool, operands: str, tokens: Dependences, line: int) -> Instruction:
    bgn, end, *loops = _numbers(_FORMS["gemm"], operands, line)
    out, dst_out, src_out, wgt_out, inner, dst_in, src_in, wgt_in = loops
    return Gemm(reset, bgn, end, out, inner, dst_out, dst_in, src_out, src_in, wgt_out, wgt_in, tokens)


def _alu(name: str, operands: str, tokens: Dependences, line: int) -> Instruction:
    imm, bgn, end, *loops = _numbers(_FORMS["alu"], operands.partition(", no imm ")[0], line)
    out, dst_out, src_out, inner, dst_in, src_in = loops
    use_imm = operands.startswith("imm")
    if ", no imm " in operands and not use_imm:
        (imm,) = _numbers("no imm 0", "no imm " + operands.partition(", no imm ")[2], line)
    return Alu(_ALU_OPCODES[name], use_imm, imm, bgn, end, out, inner, dst_out, dst_in, src_out, src_in, tokens)


def _finish(operands: str, tokens: Dependences, line: int) -> Instruction:
    if operands:
        raise AssemblyError(f"finish has no operands; found {operands!r}", line)
    return Finish(tokens)


def _parser(mnemonic: str) -> Callable[[str, Dependences, int], Instruction] | None:
    if mnemonic not in _MNEMONICS:
        return None
    head, _, tail = mnemonic.partition(".")
    match head:
        case "load" | "store":
            return lambda operands, tokens, line: _memory(
                Load if head == "load" else Store, tail, operands, tokens, line
            )
        case "gemm":
            return lambda operands, tokens, line: _gemm(tail == "reset", operands, tokens, line)
        case "alu":
            return lambda operands, tokens, line: _alu(tail, operands, tokens, line)
        case _:
            return _finish


def _tokens(text: str, line: int) -> Dependences:
    names = text.split()
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise AssemblyError(f"{repeated[0]} stands twice; each token bit may stand once", line)
    return Dependences(*(name in names for name in DEPENDENCE_FIELDS))


def _assemble_line(text: str, config: VTAConfig, line: int, position: int) -> int:
    mnemonic, _, rest = text.partition(" ")
    parse = _parser(mnemonic)
    if parse is None:
        raise AssemblyError(f"unknown mnemonic {mnemonic!r}; known: {', '.join(_MNEMONICS)}", line)
    match = _TAIL.fullmatch(f" {rest}".rstrip())
    if match is None:
        raise AssemblyError(f"cannot read {text!r}", line)
    instruction = parse(match["operands"].strip(), _tokens(match["tokens"], line), line)
    try:
        word = encode_word(instruction, config, position)
    except EncodingError as error:
        raise AssemblyError(error.message, line) from None
    unused = int(match["unused"] or "0", 16)
    mask = (1 << 8 * WORD_BYTES) - 1 & ~instruction_layout(config, opcode_of(instruction)).mask
    if unused & ~mask:
        raise AssemblyError(f"unused 0x{unused:x} has bits of fields; only 0x{mask:x} are unused here", line)
    return word | unused


def _lines(text: str) -> list[tuple[int, str]]:
    """Numbered lines without comments, position labels and surplus space, in lower case."""
    stripped = [(number, line.partition("#")[0].strip().lower()) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, " ".join(re.sub(r"^\d+:", "", line).split())) for number, line in stripped if line]


def assemble(text: str, config: VTAConfig) -> bytes:
    """The instruction stream that assembly text means.

    One instruction per line in the form that `disassemble` writes; a leading `12:` is a label
    for the reader and ignored, `#` starts a comment. Raises `AssemblyError` with the line number
    for text that cannot be read and for values that their fields cannot hold.
    """
    words = [
        _assemble_line(line, config, number, position)
        for position, (number, line) in enumerate((number, line) for number, line in _lines(text) if line)
    ]
    return b"".join(word.to_bytes(WORD_BYTES, "little") for word in words)


def assemble_micro_ops(text: str, config: VTAConfig) -> bytes:
    """The bytes of micro-op lines `uop dst 0, src 0, wgt 0`, as `disassemble_micro_ops` writes them.

    Raises `AssemblyError` with the number of the line that is none.
    """
    ops: list[MicroOp] = []
    numbers: list[int] = []
    for number, line in _lines(text):
        mnemonic, _, operands = line.partition(" ")
        if mnemonic != "uop":
            raise AssemblyError(f"unknown mnemonic {mnemonic!r}; expected uop", number)
        ops.append(MicroOp(*_numbers(_FORMS["uop"], operands, number)))
        numbers.append(number)
    try:
        return encode_micro_ops(ops, config)
    except EncodingError as error:
        raise AssemblyError(error.message, numbers[error.index]) from None
