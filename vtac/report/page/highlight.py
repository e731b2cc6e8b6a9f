"""Colours of MLIR, of VTA assembly and of CUDA text, as Pygments finds them; spans with one letter each."""

from __future__ import annotations

import re
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
            (r"[\w$]+\s*", Text),
            (r"[\s()\[\]{},:=]+", Text),
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
            (r"^\s*\d+:", Comment),
            (r"\b(?:push|pop)_(?:prev|next)\b", Name.Variable),
            (r"\b(?:load|store|gemm|alu|finish)(?:\.\w+)*\b", Keyword),
            (r"\b(?:inp|wgt|acc|out|uops?|sram|dram|stride|pad|for|dst|src)\b", Name.Attribute),
            (r"-?\b(?:0x[0-9a-f]+|\d+)\b", Number),
            (r"\w+\s*", Text),
            (r"[\s,(){}<]+", Text),
            (r".", Operator),
        ]
    }


class Highlighter:
    """Highlights lines of a language in which each stands for itself; what comes again is not looked at again.

    `lead` is what tells lines apart that are alike else, such as their numbers.
    """

    def __init__(self, lexer: RegexLexer, lead: str = "") -> None:
        self._lexer = lexer
        self._lead = re.compile(lead)
        self._known: dict[str, str] = {}

    def __call__(self, lines: Sequence[str]) -> list[str]:
        """Lines as HTML."""
        return list(map(self._line, lines))

    def _line(self, line: str) -> str:
        found = self._lead.match(line)
        lead = found[0] if found else ""
        return f"{_span('c', lead)}{self._rest(line[len(lead) :])}"

    def _rest(self, text: str) -> str:
        if text not in self._known:
            tokens = self._lexer.get_tokens_unprocessed(text)
            self._known[text] = "".join(_span(_letter(kind), value) for _, kind, value in tokens)
        return self._known[text]


def mlir_highlighter() -> Highlighter:
    """What makes lines of MLIR HTML."""
    return Highlighter(MlirLexer())


def vta_highlighter() -> Highlighter:
    """What makes lines of VTA assembly HTML."""
    return Highlighter(VtaLexer(), r"\s*\d+:")


def cuda_lines(lines: Sequence[str]) -> list[str]:
    """Lines of CUDA C++ as HTML."""
    return _lines(get_lexer_by_name("cpp", stripnl=False, ensurenl=False), "\n".join(lines))


def _lines(lexer: Lexer, text: str) -> list[str]:
    shown: list[str] = []
    parts: list[str] = []
    for kind, value in lexer.get_tokens(text):
        letter = _letter(kind)
        first, *rest = value.split("\n")
        parts.append(_span(letter, first))
        for piece in rest:
            shown.append("".join(parts))
            parts = [_span(letter, piece)]
    last = "".join(parts)
    return [*shown, last] if last else shown


@cache
def _letter(kind: object) -> str:
    return next((letter for known, letter in _CLASSES.items() if str(kind).startswith(known)), "")


def _span(letter: str, text: str) -> str:
    return f"<i class={letter}>{escape(text)}</i>" if letter and text else escape(text)


def shortened(lines: Sequence[str], longest: int = 1000) -> list[str]:
    """Lines of text, long ones such as those with constants cut, and how many letters are left out."""
    return [
        line if len(line) <= longest else f"{line[: longest - 60]} … {len(line) - longest + 60:,} letters left out"
        for line in lines
    ]
