"""A digest of all that a module says: operations, values with their names, types, attributes and places in the source.

The numbers of constants count by their bytes: printed, a network's would be megabytes of text.
"""

from __future__ import annotations

import hashlib
from io import StringIO
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DenseResourceAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.printer import Printer

from vtac.analysis.ir.attribute_texts import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Attribute


def fingerprint_of(module: ModuleOp) -> str | None:
    """Equal for modules that nothing tells apart; None for one with numbers that stand elsewhere, as resources."""
    writer = _Writer()
    text = "\n".join(writer.operation(module))
    return None if writer.attributes.has_resources else hashlib.sha256(text.encode()).hexdigest()


class _Writer:
    """Writes what tells modules apart, quickly: an attribute is spelled once, however often it stands there."""

    def __init__(self) -> None:
        self.attributes = _AttributeText()
        self._values: dict[SSAValue, int] = {}
        self._blocks: dict[Block, int] = {}

    def operation(self, op: Operation) -> Iterator[str]:
        """Lines: the operation, and what it holds between marks."""
        spelled = self.attributes.spelled
        given = " ".join(str(self._number(value)) for value in op.operands)
        made = " ".join(f"{self._number(value)}{value.name_hint}:{spelled(value.type)}" for value in op.results)
        after = " ".join(str(self._block(block)) for block in op.successors)
        yield f"{op.name}({given}){after}->{made} @{spelled(op.location)}"
        for kind, held in (("p", op.properties), ("a", op.attributes)):
            for name in sorted(held):
                yield f"{kind} {name}={spelled(held[name])}"
        for region in op.regions:
            yield "{"
            for block in region.blocks:
                arguments = (f"{self._number(one)}{one.name_hint}:{spelled(one.type)}" for one in block.args)
                yield f"^{self._block(block)} {' '.join(arguments)}"
                for inner in block.ops:
                    yield from self.operation(inner)
            yield "}"

    def _number(self, value: SSAValue) -> int:
        return self._values.setdefault(value, len(self._values))

    def _block(self, block: Block) -> int:
        return self._blocks.setdefault(block, len(self._blocks))


class _AttributeText:
    """The text of attributes."""

    def __init__(self) -> None:
        self.has_resources = False
        self._known: dict[int, tuple[Attribute, str]] = {}
        self._stream = StringIO()
        self._printer = _AttributePrinter(self._stream, self)

    def spelled(self, attribute: Attribute) -> str:
        known = self._known.get(id(attribute))
        if known is None:
            known = self._known[id(attribute)] = (attribute, plain_text(attribute) or self._printed(attribute))
        return known[1]

    def _printed(self, attribute: Attribute) -> str:
        self._stream.seek(0)
        self._stream.truncate()
        self._printer.print_attribute(attribute)
        return self._stream.getvalue()


class _AttributePrinter(Printer):
    """Prints the numbers of a constant as their digest."""

    def __init__(self, stream: StringIO, owner: _AttributeText) -> None:
        super().__init__(stream, print_generic_format=True)
        self._owner = owner

    def print_attribute(self, attribute: Attribute) -> None:
        if isinstance(attribute, DenseIntOrFPElementsAttr):
            super().print_attribute(attribute.get_type())
            self.print_string(hashlib.sha256(attribute.data.data).hexdigest())
            return
        if isinstance(attribute, DenseResourceAttr):
            self._owner.has_resources = True
        super().print_attribute(attribute)
