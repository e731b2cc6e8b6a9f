"""The one error that executing an instruction stream can end in."""

from __future__ import annotations

from vtac.errors import VtacError


class ExecutionError(VtacError):
    """An instruction stream that cannot be executed.

    `message` is complete by itself; `index` is the position of the instruction at fault, None when
    no instruction is; `kind` is one word for the rule that was broken.
    """

    def __init__(self, message: str, index: int | None, kind: str) -> None:
        super().__init__(message)
        self.index = index
        self.kind = kind
