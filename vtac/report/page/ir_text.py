"""IR as lines, each with the places in the source that it comes from; large constants are left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    CallSiteLoc,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FileLineColLoc,
    FusedLoc,
    IntegerType,
    ModuleOp,
    NameLoc,
)
from xdsl.ir import Attribute, Operation
from xdsl.utils.hints import isa

from vtac.report.page.highlight import shortened
from vtac.text.printing import TextPrinter

MOST_ELEMENTS = 16
"""Elements of a constant that are printed; of larger ones the type alone."""


@dataclass
class Lines:
    """Lines of text, and for each the places that it comes from: `file:line`."""

    text: list[str] = field(default_factory=list[str])
    places: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    def add(self, text: list[str], places: list[tuple[str, ...]]) -> None:
        """More lines below."""
        self.text += text
        self.places += places


def ir_lines(module: ModuleOp) -> Lines:
    """The operations of a module; modules within it are left out, as they have levels of their own."""
    lines = Lines()
    for op in module.ops:
        if isinstance(op, ModuleOp):
            continue
        printer = _PlacedPrinter(StringIO())
        printer.print_op(op)
        text = shortened(printer.text().split("\n"))
        lines.add([*text, ""], [printer.at.get(number, ()) for number in range(len(text) + 1)])
    return lines


def places_of(location: Attribute) -> Iterator[str]:
    """The places of a location, each once: `file:line`."""
    match location:
        case FileLineColLoc():
            yield f"{location.filename.data}:{location.line.data}"
        case NameLoc():
            yield from places_of(location.location)
        case CallSiteLoc():
            yield from places_of(location.callee)
        case FusedLoc() if isa(location.locations, ArrayAttr[Attribute]):
            for part in location.locations:
                yield from places_of(part)
        case _:
            return


class _PlacedPrinter(TextPrinter):
    """A printer that remembers where the operations of each line come from."""

    def __init__(self, stream: StringIO) -> None:
        super().__init__(stream)
        self._written = stream
        self.at: dict[int, tuple[str, ...]] = {}

    def text(self) -> str:
        return self._written.getvalue()

    def print_op(self, op: Operation) -> None:
        found = (*self.at.get(self._current_line, ()), *places_of(op.location))
        self.at[self._current_line] = tuple(dict.fromkeys(found))
        super().print_op(op)

    def print_attribute(self, attribute: Attribute) -> None:
        short = _short_constant(attribute)
        if short:
            self.print_string(short)
        else:
            super().print_attribute(attribute)


def _short_constant(attribute: Attribute) -> str:
    """A large constant without its elements; empty for any other attribute."""
    if isinstance(attribute, DenseIntOrFPElementsAttr):
        constant = cast("DenseIntOrFPElementsAttr[IntegerType]", attribute)
        is_large = len(constant) > MOST_ELEMENTS and not _is_splat(constant.data.data, len(constant))
        return f"dense<… {len(constant):,} elements> : {constant.type}" if is_large else ""
    if isinstance(attribute, DenseArrayBase):
        array = cast("DenseArrayBase[IntegerType]", attribute)
        is_large = len(array) > 4 * MOST_ELEMENTS
        return f"array<{array.elt_type}: … {len(array):,} elements>" if is_large else ""
    return ""


def _is_splat(data: bytes, elements: int) -> bool:
    """Whether all elements have the same bytes."""
    return data == data[: len(data) // elements] * elements
