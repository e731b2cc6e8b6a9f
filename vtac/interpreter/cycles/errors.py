"""What keeps a stream from having a cycle count."""

from __future__ import annotations

from vtac.dialects.diagnostics import VtacError


class CycleError(VtacError):
    """A stream that never finishes on the hardware, or whose run the hardware does not define.

    `index` is the instruction at fault (for a deadlock, of the first unit that waits); `kind` is
    `finish` (none, or not last), `memory` (a LOAD that no unit executes), `range` (a block larger
    than its memory), `deadlock`, `hang` (a LOAD that never ends) or `tokens` (a queue overflows).
    """

    index: int
    kind: str

    def __init__(self, message: str, index: int, kind: str) -> None:
        super().__init__(message)
        self.index = index
        self.kind = kind
