"""What cannot be executed, said at the operation at fault."""

from __future__ import annotations

from xdsl.ir import Operation

from vtac.analysis.ir.locations import location_of
from vtac.errors import EvaluationError


def refused(message: str, op: Operation | None = None) -> EvaluationError:
    """The error of a program that cannot be executed, at `op` where it has a location."""
    return EvaluationError(message, location_of(op))
