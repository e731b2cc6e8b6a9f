"""Attributes that one file sets and another reads: each declared once, by the dialect that owns it.

A declaration names the attribute, what it holds, and the operations that it may stand on. Code reads and
writes such an attribute through its declaration alone, and the verifier (`vtac.text.attributes`) refuses
what contradicts one. A dialect outside of this package declares its own in the same way: its module has to
be imported before IR that uses them is verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Generic, TypeVar, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation
from xdsl.utils.hints import isa

from vtac.dialects.frequent import number_attribute, numbers_attribute, text_attribute
from vtac.errors import CompileError

V = TypeVar("V")

ARGUMENT = "an argument of func.func"
"""Stands for the dictionary of an argument where declarations list operations."""

FUNCTION_RESULT = "a result of func.func"
"""Stands for the dictionary of a result."""

_OUR_DECLARATIONS = (
    "vtac.dialects.schedule.declared",
    "vtac.dialects.vta.declared",
    "vtac.dialects.wmma.declared",
    "vtac.dialects.mma.declared",
    "vtac.dialects.wgmma.declared",
    "vtac.dialects.tma.declared",
    "vtac.dialects.packing.declared",
)
_DECLARED: dict[str, Declared[object]] = {}


@dataclass(frozen=True)
class Kind(Generic[V]):
    """What an attribute holds: `read` gives the Python value, None for an attribute of another kind."""

    wanted: str
    read: Callable[[Attribute], V | None]
    write: Callable[[V], Attribute]


@dataclass(frozen=True)
class Declared(Generic[V]):
    """One attribute: its name, what it holds, where it stands (`on`, empty for everywhere), what it means.

    An entry of `on` that ends in a dot stands for all operations of a dialect. `directive` is the one that
    sets it on users' behalf. `maps_loop`: it gives a loop, with all it holds, to one hardware unit.
    """

    name: str
    kind: Kind[V]
    on: tuple[str, ...]
    meaning: str
    directive: str = ""
    maps_loop: bool = False

    @property
    def dialect(self) -> str:
        """The prefix of the name; empty for names without one, which stand on loops and allocations."""
        prefix, dot, _ = self.name.partition(".")
        return prefix if dot else ""

    def is_on(self, op: Operation) -> bool:
        return self.name in op.attributes

    def get(self, op: Operation) -> V | None:
        """The value on an operation, None without one. Raises `CompileError` for one of another kind."""
        return self._value(op.attributes.get(self.name), op.name)

    def set(self, op: Operation, value: V) -> None:
        op.attributes[self.name] = self.kind.write(value)

    def remove(self, op: Operation) -> V | None:
        """Take the attribute off an operation; returns what it was."""
        value = self.get(op)
        op.attributes.pop(self.name, None)
        return value

    def copy(self, source: Operation, into: Operation) -> None:
        """Give an operation what another has, if it has it."""
        if self.name in source.attributes:
            into.attributes[self.name] = source.attributes[self.name]

    def of_argument(self, function: FuncOp, position: int) -> V | None:
        """The value on an argument of a function."""
        dictionaries = function.arg_attrs
        if dictionaries is None or position >= len(dictionaries.data):
            return None
        return self.within(dictionaries.data[position])

    def within(self, attributes: DictionaryAttr) -> V | None:
        """The value in a dictionary of attributes."""
        return self._value(attributes.data.get(self.name), ARGUMENT)

    def entry(self, value: V) -> dict[str, Attribute]:
        """The attribute as an entry of a dictionary."""
        return {self.name: self.kind.write(value)}

    def may_stand_on(self, op_name: str) -> bool:
        dialect = op_name.partition(".")[0] + "."
        return not self.on or op_name in self.on or dialect in self.on

    def mismatch(self, attribute: Attribute) -> str:
        """Why an attribute is none of this kind; empty when it is."""
        if self.kind.read(attribute) is not None:
            return ""
        return f"{self.name} is {attribute}; {self.kind.wanted} is required: {self.meaning}"

    def _value(self, attribute: Attribute | None, where: str) -> V | None:
        if attribute is None:
            return None
        value = self.kind.read(attribute)
        if value is None:
            raise CompileError(f"'{where}': {self.mismatch(attribute)}")
        return value


def declare(attribute: Declared[V]) -> Declared[V]:
    """Make an attribute known to the verifier. Raises `ValueError` when another has its name."""
    if attribute.name in _DECLARED:
        raise ValueError(f"attribute '{attribute.name}' is declared twice")
    _DECLARED[attribute.name] = cast("Declared[object]", attribute)
    return attribute


def declared_attributes() -> Mapping[str, Declared[object]]:
    """Every declaration by name: ours, and those of other dialects that were imported."""
    _load_ours()
    return _DECLARED


def declared_count() -> int:
    """How many declarations there are so far."""
    return len(_DECLARED)


def owning_prefixes() -> frozenset[str]:
    """The dialects that declare attributes: one with such a prefix that none declares is a mistake."""
    return frozenset(declared.dialect for declared in declared_attributes().values()) - {"", "gpu"}


def taken_by(op: Operation) -> str:
    """The attribute that gives a loop to a hardware unit already; empty for a loop that is free."""
    if not op.attributes:
        return ""
    known = declared_attributes()
    return next((name for name in op.attributes if name in known and known[name].maps_loop), "")


@cache
def _load_ours() -> None:
    for module in _OUR_DECLARATIONS:
        import_module(module)


def integer(minimum: int) -> Kind[int]:
    """A 64-bit integer that is not below a minimum."""

    def read(attribute: Attribute) -> int | None:
        if not isinstance(attribute, IntegerAttr) or attribute.value.data < minimum:
            return None
        return attribute.value.data

    return Kind(f"an integer of at least {minimum}", read, number_attribute)


def integers(count: int, wanted: str, check: Callable[[Sequence[int]], bool]) -> Kind[tuple[int, ...]]:
    """An array of so many 64-bit integers that pass a check."""

    def read(attribute: Attribute) -> tuple[int, ...] | None:
        if not isa(attribute, DenseArrayBase[IntegerType]) or attribute.elt_type != i64 or len(attribute) != count:
            return None
        values = tuple(int(value) for value in attribute.get_values())
        return values if check(values) else None

    return Kind(wanted, read, lambda values: numbers_attribute(*values))


def _read_texts(attribute: Attribute) -> tuple[str, ...] | None:
    if not isa(attribute, ArrayAttr[Attribute]):
        return None
    texts = [item.data for item in attribute if isinstance(item, StringAttr)]
    return tuple(texts) if len(texts) == len(attribute) else None


def _write_texts(values: Iterable[str]) -> Attribute:
    return ArrayAttr([StringAttr(value) for value in values])


_MARKED = UnitAttr()
MARK: Kind[bool] = Kind("no value", lambda it: True if isinstance(it, UnitAttr) else None, lambda _: _MARKED)
"""An attribute that is there or not."""

TEXT: Kind[str] = Kind(
    "a string", lambda it: it.data if isinstance(it, StringAttr) and it.data else None, text_attribute
)

TEXTS: Kind[tuple[str, ...]] = Kind("an array of strings", _read_texts, _write_texts)

DICTIONARY: Kind[DictionaryAttr] = Kind(
    "a dictionary", lambda it: it if isinstance(it, DictionaryAttr) else None, lambda value: value
)

ELEMENTS: Kind[DenseIntOrFPElementsAttr] = Kind(
    "a dense tensor",
    lambda it: cast("DenseIntOrFPElementsAttr", it) if isinstance(it, DenseIntOrFPElementsAttr) else None,
    lambda value: value,
)
