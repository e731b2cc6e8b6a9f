"""What goes wrong when a program is executed at the level of its IR."""

from __future__ import annotations

from xdsl.ir import Operation

from vtac.analysis.locations import location_of
from vtac.errors import VtacError


class EvaluationError(VtacError):
    """A program that cannot be executed, or whose execution has no defined result.

    `location` is `file:line:col` of the operation at fault, or empty when it has none.
    """

    location: str

    def __init__(self, message: str, op: Operation | None = None) -> None:
        self.location = "" if op is None else location_of(op)
        super().__init__(f"{self.location}: {message}" if self.location else message)
