"""`--split-input-file`: one input file as several programs, separated by lines that read `// -----`."""

from __future__ import annotations

import re

_SEPARATOR = re.compile(r"^[ \t]*// -----[ \t]*$", re.MULTILINE)


def split_chunks(text: str) -> list[str]:
    """Returns the programs in `text`, which are separated by lines that hold only `// -----`.

    Each comes after as many empty lines as precede it in the file, so that its lines keep their numbers.
    """
    chunks: list[str] = []
    start = 0
    for separator in [*_SEPARATOR.finditer(text), None]:
        end = len(text) if separator is None else separator.start()
        chunks.append("\n" * text.count("\n", 0, start) + text[start:end])
        start = end if separator is None else separator.end()
    return chunks
