"""Inline PTX of a kernel's text as calls of the models in `vtac_mma.h`: the instruction that stands there is executed.

What the template says counts, register by register: which operand stands where in the instruction, which of them are
written, read, or both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vtac.errors import KernelTextError
from vtac.targets.cuda.cpu.async_ptx import ASYNC_INSTRUCTIONS, async_call

_ASM = re.compile(r"\basm\s+volatile\s*\(")
_STRING = re.compile(r'\s*"((?:\\.|[^"\\])*)"')
_OPERAND = re.compile(r'\s*"([=+]?[a-z])"\s*\(')
_FUNCTION = re.compile(
    r"(?P<head>__device__\s+__forceinline__\s+\w+\s+\w+\s*\((?P<parameters>[^(){}]*(?:\([^()]*\)[^(){}]*)*))\)\s*\{"
)
_LDMATRIX = re.compile(r"ldmatrix\.sync\.aligned\.m8n8\.x([124])(\.trans)?\.shared(?:::cta)?\.b16")
_STMATRIX = re.compile(r"stmatrix\.sync\.aligned\.m8n8\.x([124])(\.trans)?\.shared(?:::cta)?\.b16")
_MMA = re.compile(r"mma\.sync\.aligned\.(m16n8k\d+)\.row\.col\.(\w+)\.(\w+)\.(\w+)\.(\w+)")
_ROUND = "cvt.rna.tf32.f32"
_GROUP = re.compile(r"\s*(?:\{([^{}]*)\}|\[([^\[\]]*)\]|(%\d+))\s*(,|;|$)")
_DEPTHS = {"f16": 16, "bf16": 16, "tf32": 8, "s8": 32, "u8": 32}
_SUMS = {"f32": "float", "s32": "int"}
_CLOBBER = re.compile(r'[\s:,]*"(memory|cc)"')
_ORDERING = re.compile(
    r"\b(?:mbarrier|barrier\.cluster|fence|cp\.async|stmatrix|wgmma\.(?:fence|commit_group|wait_group))\.[\w.:]+"
)
_LINE = "vtac_line"


@dataclass(frozen=True, slots=True)
class _Statement:
    """One asm statement: its template, and constraint and expression of each operand."""

    template: str
    operands: tuple[tuple[str, str], ...]
    end: int
    clobbers_memory: bool


def rewrite_asm(text: str) -> str:
    """Turn asm statements into calls of their models, which are told the line that calls the function around.

    Lines keep their numbers. Raises `KernelTextError` for an instruction without a model.
    """
    pieces: list[str] = []
    position = 0
    while (match := _ASM.search(text, position)) is not None:
        statement = _parsed(text, match.end())
        newlines = "\n" * text.count("\n", match.start(), statement.end)
        pieces += [text[position : match.start()], _call(statement, _place(text, match.start())), newlines]
        position = statement.end
    pieces.append(text[position:])
    return text if position == 0 else _FUNCTION.sub(_with_line, "".join(pieces))


def _with_line(match: re.Match[str]) -> str:
    comma = ", " if match["parameters"].strip() else ""
    return f"{match['head']}{comma}int {_LINE} = __builtin_LINE()) {{"


def _place(text: str, position: int) -> str:
    return f"kernel.cu:{text.count(chr(10), 0, position) + 1}"


def _parsed(text: str, position: int) -> _Statement:
    """The statement whose parenthesis opens before a position."""
    template = ""
    start = position
    while (string := _STRING.match(text, position)) is not None:
        template += string[1].replace("\\n", " ").replace("\\t", " ")
        position = string.end()
    operands: list[tuple[str, str]] = []
    while (operand := _OPERAND.match(text, _skipped(text, position))) is not None:
        close = _closing(text, operand.end())
        operands.append((operand[1], text[operand.end() : close]))
        position = close + 1
    clobbers_memory = False
    while (clobber := _CLOBBER.match(text, position)) is not None:
        position = clobber.end()
        clobbers_memory = clobbers_memory or clobber[1] == "memory"
    end = re.compile(r"[\s:]*\)\s*;").match(text, position)
    if end is None:
        raise KernelTextError(
            "cannot run this asm statement on the CPU: it has more than operands", _place(text, start)
        )
    return _Statement(template, tuple(operands), end.end(), clobbers_memory)


def _skipped(text: str, position: int) -> int:
    """Past the comma or colons before an operand."""
    match = re.compile(r"[\s:,]+").match(text, position)
    return match.end() if match is not None else position


def _closing(text: str, position: int) -> int:
    depth = 1
    while depth:
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        position += 1
    return position - 1


def _call(statement: _Statement, place: str) -> str:
    asynchronous = async_call(statement.template, statement.operands, _LINE, place)
    if asynchronous is not None:
        _check_clobber(statement, place)
        return asynchronous
    instruction, _, rest = statement.template.strip().partition(" ")
    groups = _groups(rest, statement, place)
    load, multiply = _LDMATRIX.fullmatch(instruction), _MMA.fullmatch(instruction)
    store = _STMATRIX.fullmatch(instruction)
    if store is not None:
        _check_clobber(statement, place)
        return _store(int(store[1]), bool(store[2]), groups, statement, place)
    if load is not None:
        return _load(int(load[1]), bool(load[2]), groups, statement, place)
    if multiply is not None:
        return _multiply(multiply, groups, statement, place)
    if instruction == _ROUND:
        return _round(groups, statement, place)
    raise KernelTextError(
        f"cannot run `{instruction}` on the CPU: the PTX instructions with a model are ldmatrix.sync.aligned.m8n8, "
        "stmatrix.sync.aligned.m8n8, mma.sync.aligned of f16, bf16, tf32, s8 and u8, cvt.rna.tf32.f32, and "
        f"{ASYNC_INSTRUCTIONS}",
        place,
    )


def _check_clobber(statement: _Statement, place: str) -> None:
    """What orders accesses of memory says so to the compiler. Raises `KernelTextError` otherwise."""
    ordering = _ORDERING.search(statement.template)
    if ordering is not None and not statement.clobbers_memory:
        raise KernelTextError(
            f'`{ordering[0]}` orders accesses of memory, and its asm statement does not say "memory": the compiler may '
            'move accesses over it; write : "memory" behind the operands',
            place,
        )


def _groups(rest: str, statement: _Statement, place: str) -> list[list[int]]:
    """The numbers of the operands in each argument of an instruction."""
    found: list[list[int]] = []
    position = 0
    while (match := _GROUP.match(rest, position)) is not None and match.end() > position:
        numbers = [int(number) for number in re.findall(r"%(\d+)", match[0])]
        if any(number >= len(statement.operands) for number in numbers):
            raise KernelTextError(f"asm operand %{max(numbers)} of {len(statement.operands)}", place)
        found.append(numbers)
        position = match.end()
    return found


def _load(matrices: int, transposed: bool, groups: list[list[int]], statement: _Statement, place: str) -> str:
    if [len(group) for group in groups] != [matrices, 1]:
        raise KernelTextError(f"ldmatrix of {matrices} matrices takes {matrices} registers and an address", place)
    registers = ", ".join(f"&({_written(number, statement, place)})" for number in groups[0])
    address = statement.operands[groups[1][0]][1]
    flag = "true" if transposed else "false"
    return f"::vtac::ptx::ldmatrix<{matrices}, {flag}>({{{registers}}}, {address}, {_LINE});"


def _store(matrices: int, transposed: bool, groups: list[list[int]], statement: _Statement, place: str) -> str:
    if [len(group) for group in groups] != [1, matrices]:
        raise KernelTextError(f"stmatrix of {matrices} matrices takes an address and {matrices} registers", place)
    address, *registers = (_read(number, statement, place) for group in groups for number in group)
    flag = "true" if transposed else "false"
    return f"::vtac::ptx::stmatrix<{matrices}, {flag}>({address}, {{{', '.join(registers)}}}, {_LINE});"


def _multiply(match: re.Match[str], groups: list[list[int]], statement: _Statement, place: str) -> str:
    shape, result, left, right, start = match.groups()
    if left != right or result != start or result not in (*_SUMS, "f16") or shape != f"m16n8k{_DEPTHS.get(left, 0)}":
        raise KernelTextError(f"cannot run mma.sync of {shape} {result}.{left}.{right}.{start} on the CPU", place)
    sums = 2 if result == "f16" else 4
    if [len(group) for group in groups] != [sums, 4, 2, sums]:
        raise KernelTextError(f"mma.sync of {shape} takes {sums}, 4, 2 and {sums} registers", place)
    results = ", ".join(f"&({_written(number, statement, place)})" for number in groups[0])
    read = [", ".join(_read(number, statement, place) for number in group) for group in groups[1:]]
    kinds = f"::vtac::ptx::{left}" if result == "f16" else f"::vtac::ptx::{left}, {_SUMS[result]}"
    return f"::vtac::ptx::mma<{kinds}>({{{results}}}, {{{read[0]}}}, {{{read[1]}}}, {{{read[2]}}}, {_LINE});"


def _round(groups: list[list[int]], statement: _Statement, place: str) -> str:
    if [len(group) for group in groups] != [1, 1]:
        raise KernelTextError(f"{_ROUND} takes two registers", place)
    result, value = _written(groups[0][0], statement, place), _read(groups[1][0], statement, place)
    return f"({result}) = ::vtac::as_bits(::vtac::round_to_tf32({value}));"


def _written(number: int, statement: _Statement, place: str) -> str:
    constraint, expression = statement.operands[number]
    if constraint[0] not in "=+":
        raise KernelTextError(f"asm operand %{number} is written, and its constraint '{constraint}' only reads", place)
    return expression


def _read(number: int, statement: _Statement, place: str) -> str:
    constraint, expression = statement.operands[number]
    if constraint[0] == "=":
        raise KernelTextError(f"asm operand %{number} is read, and its constraint '{constraint}' only writes", place)
    return expression
