"""What can be wrong with instruction bytes, instruction fields and assembly text."""

from __future__ import annotations

from vtac.errors import VtacError


class EncodingError(VtacError, ValueError):
    """A field value that its bits cannot hold.

    `index` is the instruction's or micro-op's position in the list given.
    """

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


class DecodeError(VtacError, ValueError):
    """Bytes that are no instruction stream.

    `index` is the instruction's position; `kind` is `length`, `opcode`, `memory` or `alu-opcode`.
    """

    def __init__(self, message: str, index: int, kind: str) -> None:
        super().__init__(message)
        self.index = index
        self.kind = kind


class AssemblyError(VtacError, ValueError):
    """Assembly text that cannot be read. `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
