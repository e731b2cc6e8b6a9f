"""Operations as plain data, and back: numbers, and each text once. Quicker to read than text, and no code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import StringIO

from xdsl.dialects.builtin import LocationAttr, UnknownLoc
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.printer import Printer
from xdsl.rewriter import InsertPoint, Rewriter

from vtac.analysis.ir.attribute_texts import plain_text
from vtac.text.plain_attributes import parsed_attribute, plain_context


class UnwritableError(Exception):
    """Operations that plain data does not hold."""


@lru_cache(maxsize=4096)
def _kind(name: str) -> type[Operation]:
    return plain_context().get_op(name)


@dataclass
class PlainWriter:
    """Writes operations as numbers; those of texts are places in `texts`. Subclasses say what is written instead."""

    texts: list[str] = field(default_factory=list[str])
    names: set[str] = field(default_factory=set[str])
    """The names of values that were written."""
    _places: dict[str, int] = field(default_factory=dict[str, int])
    _attributes: dict[int, tuple[Attribute, int]] = field(default_factory=dict[int, "tuple[Attribute, int]"])

    def operation(self, op: Operation) -> list[int]:
        """The numbers of an operation and all in it. Raises `UnwritableError`."""
        numbers: list[int] = []
        self._operation(op, {}, numbers)
        return numbers

    def spelled(self, attribute: Attribute) -> str:
        """The text of an attribute."""
        text = plain_text(attribute)
        if text is not None:
            return text
        stream = StringIO()
        Printer(stream, print_generic_format=True).print_attribute(attribute)
        return stream.getvalue()

    def named(self, name: str) -> str:
        """What the name of a value is written as."""
        return name

    def attribute_of(self, op: Operation, key: str, attribute: Attribute) -> Attribute:
        """What is written for an attribute or a property of an operation."""
        del op, key
        return attribute

    def placed(self, location: LocationAttr) -> int:
        """The number of a place in the source; 0 for none. Raises `UnwritableError` for one that has no number."""
        if isinstance(location, UnknownLoc):
            return 0
        raise UnwritableError(f"the place {location}")

    def _operation(self, op: Operation, values: dict[SSAValue, int], out: list[int]) -> None:
        if op.successors:
            raise UnwritableError(f"the branch {op.name}")
        out += (self._text(op.name), len(op.operands))
        for operand in op.operands:
            if operand not in values:
                raise UnwritableError(f"{op.name} before what it takes")
            out.append(values[operand])
        for held in (op.properties, op.attributes):
            self._dictionary(op, held, out)
        out += (self.placed(op.location), len(op.regions))
        for region in op.regions:
            out.append(len(region.blocks))
            for block in region.blocks:
                self._block(block, values, out)
        out.append(len(op.results))
        for result in op.results:
            self._value(result, values, out)

    def _block(self, block: Block, values: dict[SSAValue, int], out: list[int]) -> None:
        out.append(len(block.args))
        for argument in block.args:
            self._value(argument, values, out)
            out.append(self.placed(argument.location))
        ops = list(block.ops)
        out.append(len(ops))
        for op in ops:
            self._operation(op, values, out)

    def _value(self, value: SSAValue, values: dict[SSAValue, int], out: list[int]) -> None:
        values[value] = len(values)
        name = value.name_hint and self.named(value.name_hint)
        if name:
            self.names.add(name)
        out += (self._attribute(value.type), self._text(name) + 1 if name else 0)

    def _dictionary(self, op: Operation, held: Mapping[str, Attribute], out: list[int]) -> None:
        out.append(len(held))
        for key, attribute in held.items():
            out += (self._text(key), self._attribute(self.attribute_of(op, key, attribute)))

    def _attribute(self, attribute: Attribute) -> int:
        known = self._attributes.get(id(attribute))
        if known is None:
            known = self._attributes[id(attribute)] = (attribute, self._text(self.spelled(attribute)))
        return known[1]

    def _text(self, text: str) -> int:
        place = self._places.setdefault(text, len(self.texts))
        if place == len(self.texts):
            self.texts.append(text)
        return place


@dataclass
class PlainReader:
    """Makes operations of what a writer wrote.

    `texts` are those of the writer, `locations` what its numbers of places stand for, `named` gives the name of a
    value by what was written, and `read` an attribute by its text.
    """

    texts: Sequence[str]
    locations: Sequence[LocationAttr]
    named: Callable[[str], str] = str
    read: Callable[[str], Attribute] = field(default=parsed_attribute)
    _attributes: dict[int, Attribute] = field(default_factory=dict[int, Attribute])

    def operation(self, numbers: Sequence[int]) -> Operation:
        """The operation that numbers say; raises `ValueError`, `IndexError` or `StopIteration` for others."""
        return self._operation(iter(numbers), [])

    def _operation(self, numbers: Iterator[int], values: list[SSAValue]) -> Operation:
        kind = _kind(self.texts[next(numbers)])
        operands = [values[next(numbers)] for _ in range(next(numbers))]
        properties, attributes = self._dictionary(numbers), self._dictionary(numbers)
        location = self.locations[next(numbers)]
        regions = [Region([self._block(numbers, values) for _ in range(next(numbers))]) for _ in range(next(numbers))]
        results = [(next(numbers), next(numbers)) for _ in range(next(numbers))]
        op = kind.create(
            operands=operands,
            result_types=[self._attribute(number) for number, _ in results],
            properties=properties,
            attributes=attributes,
            location=location,
            regions=regions,
        )
        for result, (_, name) in zip(op.results, results, strict=True):
            self._keep(result, name, values)
        return op

    def _block(self, numbers: Iterator[int], values: list[SSAValue]) -> Block:
        arguments = [(next(numbers), next(numbers), next(numbers)) for _ in range(next(numbers))]
        block = Block(arg_types=[self._attribute(number) for number, _, _ in arguments])
        for argument, (_, name, place) in zip(block.args, arguments, strict=True):
            self._keep(argument, name, values)
            argument.location = self.locations[place]
        ops = [self._operation(numbers, values) for _ in range(next(numbers))]
        Rewriter.insert_op(ops, InsertPoint.at_end(block))
        return block

    def _keep(self, value: SSAValue, name: int, values: list[SSAValue]) -> None:
        values.append(value)
        if name:
            value.name_hint = self.named(self.texts[name - 1])

    def _dictionary(self, numbers: Iterator[int]) -> dict[str, Attribute]:
        return {self.texts[next(numbers)]: self._attribute(next(numbers)) for _ in range(next(numbers))}

    def _attribute(self, number: int) -> Attribute:
        found = self._attributes.get(number)
        if found is None:
            found = self._attributes[number] = self.read(self.texts[number])
        return found
