"""SSA values renamed in the text of a module, as a tool that keeps no names prints them."""

from __future__ import annotations

import re

_NAME = re.compile(r"(\"(?:[^\"\\]|\\.)*\")|%([\w$.-]+)")


def renumber(text: str) -> str:
    """The text with %0, %1, ... in place of all named values, the same number for the same name."""
    numbers: dict[str, int] = {}

    def renamed(match: re.Match[str]) -> str:
        quoted, name = match.groups()
        return quoted if quoted is not None else f"%{numbers.setdefault(name, len(numbers))}"

    return _NAME.sub(renamed, text)
