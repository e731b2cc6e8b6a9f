"""Pieces of Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence

_CONTRACT = re.compile(r"^(requires|ensures|declines|refused|raises|returns):\s*(.*)$", re.IGNORECASE)


def fence(text: str, language: str = "text") -> str:
    """A block of code, fenced with more backticks than stand in it."""
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}\n"


def wrapped(text: str, language: str = "text") -> str:
    """A block of code whose long lines are folded on the page: messages and signatures."""
    return fence(text, f"{{code-block}} {language}\n:class: message\n")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, whose cells are Markdown of one line each; nothing without rows."""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *lines]) + "\n"


def code(text: str) -> str:
    """Text as it is written, within a line."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def docstring(found: object, instead: str = "") -> str:
    """A docstring as Markdown: its sentences, then a list of what it requires, ensures, declines or refuses.

    Lines set off in it, such as programs before and after, stay as they are.
    """
    text = inspect.getdoc(found) or instead
    return prose(text)


def prose(text: str) -> str:
    """The text of a docstring as Markdown."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        lines = paragraph.splitlines()
        if any(_CONTRACT.match(line) for line in lines):
            parts.append(_contract(lines))
        elif all(line.startswith("    ") for line in lines):
            parts.append(fence(textwrap.dedent(paragraph)))
        elif any(re.search(r"\S {3,}\S", line) or line.startswith("  ") for line in lines):
            parts.append(fence(paragraph))
        else:
            parts.append(paragraph)
    return "\n\n".join(parts) + "\n"


def shortened(text: str, most: int = 60) -> str:
    """A text of at most so many lines; what is left out is counted."""
    lines = text.rstrip().splitlines()
    if len(lines) <= most:
        return "\n".join(lines)
    return "\n".join([*lines[:most], f"... {len(lines) - most} more lines"])


def section(level: int, title: str, *parts: str) -> str:
    """A heading and what stands under it."""
    body = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    return f"{'#' * level} {title}\n\n{body}\n"


def page(title: str, *parts: str) -> str:
    """A page: its title, then its parts."""
    return section(1, title, *parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _contract(lines: Sequence[str]) -> str:
    before: list[str] = []
    items: list[str] = []
    for line in lines:
        found = _CONTRACT.match(line)
        if found:
            items.append(f"* **{found[1].lower()}** {found[2]}")
        elif items:
            items[-1] += f" {line.strip()}"
        else:
            before.append(line)
    return "\n".join([*before, *([""] if before else []), *items])
