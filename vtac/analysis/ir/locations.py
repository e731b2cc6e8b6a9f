"""Where in the source an operation came from, as the text that messages begin with."""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc
from xdsl.ir import Attribute, Operation
from xdsl.utils.hints import isa


def location_of(operation: Operation | None) -> str:
    """Returns `file:line:col` of the operation, or of its nearest ancestor that has one; else an empty string."""
    while operation is not None:
        found = _file_location(operation.location)
        if found is not None:
            return f"{found.filename.data}:{found.line.data}:{found.column.data}"
        operation = operation.parent_op()
    return ""


def _file_location(location: Attribute) -> FileLineColLoc | None:
    match location:
        case FileLineColLoc():
            return location
        case NameLoc():
            return _file_location(location.location)
        case CallSiteLoc():
            return _file_location(location.callee)
        case FusedLoc() if isa(location.locations, ArrayAttr[Attribute]):
            return next((found for part in location.locations if (found := _file_location(part)) is not None), None)
        case _:
            return None
