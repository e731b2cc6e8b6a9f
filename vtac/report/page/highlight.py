"""Colours of MLIR, of VTA assembly and of CUDA text, as Pygments finds them; spans with one letter each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from types import MappingProxyType
from typing import ClassVar

from pygments.lexer import Lexer, RegexLexer
from pygments.lexers import get_lexer_by_name  # pyright: ignore[reportUnknownVariableType]
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Text

_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "Token.Comment": "c",
        "Token.Keyword.Type": "t",
        "Token.Keyword": "k",
        "Token.Name.Variable": "v",
        "Token.Name.Function": "f",
        "Token.Name.Attribute": "a",
        "Token.Literal.Number": "m",
        "Token.Literal.String": "s",
    }
)
"""The letter of a kind of token; the first that a kind begins with counts."""

_Rules = dict[str, list[tuple[str, object]]]
_STRING = r'"(?:[^"\\]|\\.)*"'


class MlirLexer(RegexLexer):
    """MLIR, from operation names to types."""

    name = "MLIR"
    aliases: ClassVar = ["mlir"]
    tokens: ClassVar[_Rules] = {
        "root": [
            (r"//.*", Comment),
            (_STRING, String),
            (r"[%^][\w$.#-]+", Name.Variable),
            (r"@(?:[\w$.-]+|" + _STRING + ")", Name.Function),
            (r"[#!][a-zA-Z_][\w.]*", Name.Attribute),
            (r"\b[a-z_]\w*(?:\.\w+)+", Keyword),
            (r"\b(?:tensor|memref|vector|index|none|(?:si|ui|i|f|bf)\d+)\b", Keyword.Type),
            (r"(?<=[<x?])(?:\d+|\?)x[\dx?]*(?:[if]\d+)?|x(?:si|ui|i|f|bf)\d+", Keyword.Type),
            (r"-?\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b", Number),
            (r"[\w$]+", Text),
            (r"\s+", Text),
            (r".", Operator),
        ]
    }


class VtaLexer(RegexLexer):
    """VTA assembly: position, mnemonic, operands, tokens."""

    name = "VTA assembly"
    aliases: ClassVar = ["vta-asm"]
    tokens: ClassVar[_Rules] = {
        "root": [
            (r"#.*", Comment),
            (r"\s*\d+:", Comment),
            (r"\b(?:push|pop)_(?:prev|next)\b", Name.Variable),
            (r"\b(?:load|store|gemm|alu|finish)(?:\.\w+)*\b", Keyword),
            (r"\b(?:inp|wgt|acc|out|uops?|sram|dram|stride|pad|for|dst|src)\b", Name.Attribute),
            (r"-?\b(?:0x[0-9a-f]+|\d+)\b", Number),
            (r"\w+", Text),
            (r"\s+", Text),
            (r".", Operator),
        ]
    }


def mlir_lines(text: str) -> list[str]:
    """Lines of MLIR as HTML."""
    return _lines(MlirLexer(stripnl=False, ensurenl=False), text)


def vta_lines(text: str) -> list[str]:
    """Lines of VTA assembly as HTML."""
    return _lines(VtaLexer(stripnl=False, ensurenl=False), text)


def cuda_lines(text: str) -> list[str]:
    """Lines of CUDA C++ as HTML."""
    return _lines(get_lexer_by_name("cpp", stripnl=False, ensurenl=False), text)


def _lines(lexer: Lexer, text: str) -> list[str]:
    shown: list[str] = []
    parts: list[str] = []
    for kind, value in lexer.get_tokens(text):
        letter = _letter(str(kind))
        first, *rest = value.split("\n")
        parts.append(_span(letter, first))
        for piece in rest:
            shown.append("".join(parts))
            parts = [_span(letter, piece)]
    last = "".join(parts)
    return [*shown, last] if last else shown


@cache
def _letter(kind: str) -> str:
    return next((letter for known, letter in _CLASSES.items() if kind.startswith(known)), "")


def _span(letter: str, text: str) -> str:
    return f"<i class={letter}>{escape(text)}</i>" if letter and text else escape(text)


def shortened(lines: Sequence[str], longest: int = 1000) -> list[str]:
    """Lines of text, long ones such as those with constants cut, and how many letters are left out."""
    return [
        line if len(line) <= longest else f"{line[: longest - 60]} … {len(line) - longest + 60:,} letters left out"
        for line in lines
    ]
