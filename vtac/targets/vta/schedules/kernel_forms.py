"""Device functions without what tells equal ones apart: names, places in the source, the numbers of large constants.

Nothing in a lowering is decided by these, so that what one form becomes, every function of that form becomes, with
its own names, places and numbers in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from math import prod
from typing import TypeAlias, cast

from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    FileLineColLoc,
    IntAttr,
    IntegerType,
    LocationAttr,
    ModuleOp,
    NameLoc,
    StringAttr,
    TensorType,
    UnknownLoc,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation
from xdsl.printer import Printer

from vtac.analysis.ir.attribute_texts import plain_text
from vtac.dialects.schedule.declared import NAME
from vtac.dialects.schedule.script import ScriptOp
from vtac.targets.vta.schedules.lowering import Lowering
from vtac.text.plain_attributes import composed_attribute, parsed_attribute
from vtac.text.plain_ir import PlainReader, PlainWriter, UnwritableError

Dense: TypeAlias = DenseIntOrFPElementsAttr

_MARK = re.compile(r"n\$(\d+)\$")
"""What stands for a name."""
_SYMBOL = re.compile(r"(?!.*n\$)[A-Za-z_][\w$.-]*")
_NAME = re.compile(r"(?!.*_\d+$)(?!.*n\$)[A-Za-z_][\w$.-]*")
"""Names that stay what they are wherever they are part of a longer one: xDSL takes numbers off the ends of values'."""
_MARKED = (IntegerType(8), IntegerType(32))
_LARGE = 64
_SPLAT = re.compile(r"dense<(\d+)> : (tensor<[\dx]+i\d+>)")
_FIRST, _LAST = 101, 127
"""Constants of more numbers than `_LARGE` are written as constants of one number from `_FIRST` on, by which."""


@dataclass(frozen=True)
class KernelForm:
    """`text` is equal for functions of one form; the rest is what was taken out, by number."""

    text: str
    names: tuple[str, ...]
    places: tuple[LocationAttr, ...]
    contents: tuple[Dense, ...]

    def with_own(self, record: KernelRecord) -> Lowering | None:
        """What the form has become, with the function's own names, places and numbers.

        None where names would meet, or a constant is not there any more: what stood for it may have decided something.
        """
        names = {self._named(name) for name in record.names}
        if len(names) != len(record.names) or not record.has_constants(len(self.contents)):
            return None
        reader = PlainReader(record.texts, self.places, self._named, self._read)
        script, module = reader.operation(record.script), reader.operation(record.module)
        return Lowering(cast(ScriptOp, script), cast(ModuleOp, module))

    def _named(self, name: str) -> str:
        return _MARK.sub(lambda found: self.names[int(found[1])], name) if "n$" in name else name

    def _read(self, text: str) -> Attribute:
        named = self._named(text)
        if "dense<" not in named:
            return parsed_attribute(named)
        return self._given(named) or composed_attribute(named, self._read) or parsed_attribute(named)

    def _given(self, text: str) -> Attribute | None:
        """The large constant that a text stands for; None where it stands for itself."""
        found = _SPLAT.fullmatch(text)
        if found is None or not _FIRST <= int(found[1]) <= _LAST:
            return None
        kind = cast("TensorType[IntegerType]", parsed_attribute(found[2]))
        own = self.contents[int(found[1]) - _FIRST] if prod(kind.get_shape()) > _LARGE else None
        return None if own is None else DenseIntOrFPElementsAttr(kind, own.data)


@dataclass(frozen=True)
class KernelRecord:
    """What a form has become: its script, its module at the vta level, and the work of its layers."""

    texts: Sequence[str]
    names: Sequence[str]
    """Of the values in it, and what else is spelled there."""
    script: Sequence[int]
    module: Sequence[int]
    work: dict[str, int]

    @staticmethod
    def of(lowering: Lowering, work: dict[str, int]) -> KernelRecord:
        """Raises `UnwritableError` for what is no function's of that form alone."""
        writer = _RecordWriter()
        script, module = writer.operation(lowering.script), writer.operation(lowering.module)
        spelled = [text[1:-1] for text in writer.texts if text.startswith('"')]
        return KernelRecord(writer.texts, sorted(writer.names.union(spelled)), script, module, work)

    def has_constants(self, number: int) -> bool:
        """Whether each of so many large constants is part of it."""
        return all(any(f"dense<{_FIRST + one}>" in text for text in self.texts) for one in range(number))

    def text(self) -> str:
        """As it is kept."""
        held = {"texts": self.texts, "names": self.names, "script": self.script, "module": self.module}
        return json.dumps({**held, "work": self.work}, separators=(",", ":"))

    @staticmethod
    def read(text: str) -> KernelRecord:
        """Raises `ValueError`, `TypeError` or `KeyError` for what is no record."""
        return KernelRecord(**json.loads(text))


def form_of(function: FuncOp) -> KernelForm | None:
    """The form of a device function; None where it has names or constants that cannot be taken out."""
    writer = _FormWriter()
    try:
        numbers = writer.operation(function)
    except UnwritableError:
        return None
    text = json.dumps([writer.texts, numbers, writer.place_names], separators=(",", ":"))
    return KernelForm(text, tuple(writer.taken), (UnknownLoc(), *writer.places), tuple(writer.contents))


def function_of_form(text: str) -> FuncOp:
    """A device function of a form, with marks for names, places and constants."""
    texts, numbers, names = cast("tuple[list[str], list[int], list[str]]", json.loads(text))
    places = [UnknownLoc(), *(_mark_of_place(number, name) for number, name in enumerate(names, 1))]
    return cast(FuncOp, PlainReader(texts, places).operation(numbers))


@dataclass
class _FormWriter(PlainWriter):
    """Takes names, places and large constants out."""

    taken: dict[str, int] = field(default_factory=dict[str, int])
    places: dict[LocationAttr, int] = field(default_factory=dict[LocationAttr, int])
    place_names: list[str] = field(default_factory=list[str])
    contents: list[Dense] = field(default_factory=list[Dense])

    def named(self, name: str, rule: re.Pattern[str] = _NAME) -> str:
        if not rule.fullmatch(name):
            raise UnwritableError(f"the name {name}")
        return f"n${self.taken.setdefault(name, len(self.taken))}$"

    def placed(self, location: LocationAttr) -> int:
        if isinstance(location, UnknownLoc):
            return 0
        number = self.places.setdefault(location, len(self.places) + 1)
        if number > len(self.place_names):
            self.place_names.append(self.named(location.desc.data) if isinstance(location, NameLoc) else "")
        return number

    def attribute_of(self, op: Operation, key: str, attribute: Attribute) -> Attribute:
        del op
        if isinstance(attribute, StringAttr) and key in ("sym_name", NAME.name):
            return StringAttr(self.named(attribute.data, _SYMBOL if key == "sym_name" else _NAME))
        return attribute

    def spelled(self, attribute: Attribute) -> str:
        text = plain_text(attribute)
        if text is not None:
            return text
        stream = StringIO()
        _FormPrinter(stream, self).print_attribute(attribute)
        return stream.getvalue()

    def mark_of(self, dense: Dense) -> str:
        """The text of the constant that stands for a large one."""
        number = _FIRST + len(self.contents)
        kind = dense.get_element_type()
        if number > _LAST or kind not in _MARKED:
            raise UnwritableError("one large constant more")
        self.contents.append(dense)
        return f"dense<{number}> : "


class _FormPrinter(Printer):
    """Prints large constants as what stands for them."""

    def __init__(self, stream: StringIO, owner: _FormWriter) -> None:
        super().__init__(stream, print_generic_format=True)
        self._owner = owner

    def print_attribute(self, attribute: Attribute) -> None:
        if isinstance(attribute, DenseResourceAttr):
            raise UnwritableError("numbers that stand elsewhere")
        if isinstance(attribute, DenseIntOrFPElementsAttr):
            dense = cast("Dense", attribute)
            if prod(dense.get_shape()) > _LARGE:
                self.print_string(self._owner.mark_of(dense))
                attribute = dense.get_type()
        super().print_attribute(cast(Attribute, attribute))


@dataclass
class _RecordWriter(PlainWriter):
    """Writes what a form has become: places are those that stand for others, large constants too."""

    def placed(self, location: LocationAttr) -> int:
        found = location.location if isinstance(location, NameLoc) else location
        if isinstance(found, UnknownLoc):
            return 0
        if not isinstance(found, FileLineColLoc) or found.filename.data != _PLACE:
            raise UnwritableError(f"the place {location}")
        return found.line.data

    def spelled(self, attribute: Attribute) -> str:
        if isinstance(attribute, DenseIntOrFPElementsAttr) and not _is_known(cast("Dense", attribute)):
            raise UnwritableError("a large constant of its own")
        return super().spelled(cast(Attribute, attribute))


_PLACE = "place"


def _mark_of_place(number: int, name: str) -> LocationAttr:
    place = FileLineColLoc(StringAttr(_PLACE), IntAttr(number), IntAttr(0))
    return NameLoc(StringAttr(name), place) if name else place


def _is_known(dense: Dense) -> bool:
    return prod(dense.get_shape()) <= _LARGE or _number_of(dense) is not None


def _number_of(dense: Dense) -> int | None:
    """Which large constant one stands for; None where it stands for itself."""
    if prod(dense.get_shape()) <= _LARGE or not dense.is_splat():
        return None
    number = int(cast(int, dense.get_values()[0])) - _FIRST
    return number if 0 <= number <= _LAST - _FIRST else None
