"""Verification of a module that is right, as it nearly always is: quick, and silent about what is wrong.

Most of an operation's rules look at its types, attributes and properties and the arguments of its blocks
alone. What passed them once passes again, here or on another operation, so that only the rest is looked at:
traits, terminators, symbols, and the verifier that the operation's class defines. That is kept for as long as the
process runs, by what it is about: attributes without contents in bulk, and no more of them than a few networks have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from inspect import getclosurevars
from itertools import count
from typing import cast

from xdsl.dialects.builtin import (
    AffineMapAttr,
    AffineSetAttr,
    ArrayAttr,
    BytesAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    DictionaryAttr,
    StringAttr,
    UnregisteredOp,
)
from xdsl.ir import Attribute, Block, Operation
from xdsl.irdl import BaseAttr, IRDLOperation, OpDef
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator, OpTrait, SymbolTable

from vtac.analysis.ir.dominance import defines_before_use
from vtac.analysis.ir.walks import operations_under
from vtac.dialects.declared import declared_count
from vtac.text.upstream_rules import LOOK_AROUND
from vtac.text.violations import repeated_symbols, violations

_Signature = tuple[object, ...]

_MOST_KEPT = 1 << 14
_MOST_HELD = 1 << 8
_MOST_BYTES = 1 << 12
_BULK = (DenseIntOrFPElementsAttr, DenseResourceAttr)


@dataclass(frozen=True)
class _Kind:
    """What the operations of one class are asked for each time."""

    verifiers: tuple[Callable[[Operation], None], ...]
    is_terminator: bool
    needs_terminators: bool
    holds_symbols: bool
    any_of_class: frozenset[str]
    """Properties of which the definition asks for a class that holds no attributes, and no more."""


@dataclass
class _Memory:
    """Signatures that passed in this process, and the numbers of the attributes in them."""

    signatures: set[_Signature] = field(default_factory=set[_Signature])
    numbers: dict[Attribute, int] = field(default_factory=dict[Attribute, int])
    _given: Iterator[int] = field(default_factory=count)
    _declared: int = 0

    def renew(self) -> None:
        """Forget everything where it has become much, or where rules have come: those of declared attributes."""
        if max(len(self.numbers), len(self.signatures)) > _MOST_KEPT or self._declared != declared_count():
            self.signatures, self.numbers, self._declared = set(), {}, declared_count()

    def number(self, attribute: Attribute) -> int:
        """A number for all attributes equal to this one, never that of another."""
        return self.numbers.setdefault(attribute, next(self._given))


@cache
def _memory() -> _Memory:
    return _Memory()


@dataclass
class Passed:
    """What passed in this process so far; it keeps the attributes alive of the modules that it is asked about."""

    _memory: _Memory = field(default_factory=_memory)
    _seen: dict[int, tuple[Attribute, int | None]] = field(default_factory=dict[int, "tuple[Attribute, int | None]"])

    def is_right(self, module: Operation) -> bool:
        """Whether nothing is wrong with a module; False also where it takes the full verification to tell."""
        self._memory.renew()
        return all(self._passes(op) for op in operations_under(module)) and defines_before_use(module)

    def _passes(self, op: Operation) -> bool:
        kind = _kind_of(type(op))
        if kind is None or op.name in LOOK_AROUND:
            return _is_faultless(op)
        signature = self._signature(op, kind)
        if signature in self._memory.signatures:
            return self._passes_rest(op, kind)
        if not _is_faultless(op):
            return False
        if signature is not None:
            self._memory.signatures.add(signature)
        return True

    def _passes_rest(self, op: Operation, kind: _Kind) -> bool:
        if op.successors or (kind.holds_symbols and repeated_symbols(op)):
            return _is_faultless(op)
        if (
            kind.needs_terminators
            and op.regions
            and not all(_ends(block) for region in op.regions for block in region.blocks)
        ):
            return False
        try:
            for verifier in kind.verifiers:
                verifier(op)
        except Exception:
            return False  # the full verification says what is wrong
        return True

    def _signature(self, op: Operation, kind: _Kind) -> _Signature | None:
        """Equal for operations of one class and one shape with equal types and attributes, as far as rules look.

        None where an attribute has contents in bulk.
        """
        arguments = [argument.type for region in op.regions for block in region.blocks for argument in block.args]
        properties = [
            type(attribute) if name in kind.any_of_class else self._number(attribute)
            for name, attribute in op.properties.items()
        ]
        attributes = [self._number(attribute) for attribute in op.attributes.values()]
        if None in properties or None in attributes:
            return None
        return (
            type(op),
            *[tuple([len(block.args) for block in region.blocks]) for region in op.regions],
            *[self._number(value.type) for value in op.operands],
            None,
            *[self._number(value.type) for value in op.results],
            *[self._number(argument) for argument in arguments],
            *op.properties,
            *properties,
            None,
            *op.attributes,
            *attributes,
        )

    def _number(self, attribute: Attribute) -> int | None:
        """A number for all attributes equal to this one, which is hashed once: that takes long. None for bulk."""
        seen = self._seen.get(id(attribute))
        if seen is None:
            number = None if _has_bulk(attribute) else self._memory.number(attribute)
            seen = self._seen[id(attribute)] = (attribute, number)
        return seen[1]


def _ends(block: Block) -> bool:
    last = block.last_op
    kind = None if last is None else _kind_of(type(last))
    return kind is not None and kind.is_terminator


def _has_bulk(attribute: Attribute) -> bool:
    """Whether an attribute may hold contents in bulk, itself or in what it holds."""
    if isinstance(attribute, DenseArrayBase):
        attribute = attribute.data
    if isinstance(attribute, BytesAttr | StringAttr):
        return len(attribute.data) > _MOST_BYTES
    held: Collection[Attribute] = ()
    if isinstance(attribute, ArrayAttr):
        held = cast("ArrayAttr[Attribute]", attribute).data
    elif isinstance(attribute, DictionaryAttr):
        held = attribute.data.values()
    return isinstance(attribute, _BULK) or len(held) > _MOST_HELD or any(map(_has_bulk, held))


def _is_faultless(op: Operation) -> bool:
    return not any(violations(op)) and not repeated_symbols(op)


_LEAVES = (StringAttr, AffineMapAttr, AffineSetAttr)


@cache
def _kind_of(kind: type[Operation]) -> _Kind | None:
    """What to ask operations of a class for; None where the class is not one that IRDL defines."""
    found = _definition_of(kind)
    if found is None:
        return None
    definition, own = found
    # That values from outside are not used is seen in the walk over uses.
    traits = [trait.verify for trait in kind.traits if _has_rule(trait) and not isinstance(trait, IsolatedFromAbove)]
    is_local = _looks_at_types_alone(kind)
    return _Kind(
        (*traits, *(() if is_local else own)),
        is_terminator=kind.has_trait(IsTerminator),
        needs_terminators=not kind.has_trait(NoTerminator),
        holds_symbols=kind.has_trait(SymbolTable),
        any_of_class=frozenset() if is_local else _properties_of_any_value(definition),
    )


def _looks_at_types_alone(kind: type[Operation]) -> bool:
    """Whether a class's own verifier looks at types and attributes alone, so that it need not run again."""
    if not kind.name.startswith("linalg."):
        return False
    from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation

    return issubclass(kind, LinalgStructuredOperation)


def _has_rule(trait: OpTrait) -> bool:
    return type(trait).verify is not OpTrait.verify


def _properties_of_any_value(definition: OpDef) -> frozenset[str]:
    return frozenset(
        name
        for name, wanted in definition.properties.items()
        if isinstance(wanted.constr, BaseAttr) and wanted.constr.attr in _LEAVES
    )


def _definition_of(kind: type[Operation]) -> tuple[OpDef, tuple[Callable[[Operation], None], ...]] | None:
    """The definition of a class, and the rules that it adds, at most one function; None for one without definition.

    xDSL makes `verify_` of the two, and keeps them in its closure.
    """
    if not issubclass(kind, IRDLOperation) or issubclass(kind, UnregisteredOp):
        return None
    parts: dict[str, object] = dict(getclosurevars(kind.verify_).nonlocals)
    definition, own = parts.get("op_def"), parts.get("custom_verify")
    if not isinstance(definition, OpDef):
        return None
    adds_rules = callable(own) and own is not Operation.verify_
    return definition, (cast("Callable[[Operation], None]", own),) if adds_rules else ()
