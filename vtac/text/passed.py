"""Verification of a module that is right, as it nearly always is: quick, and silent about what is wrong.

Most of an operation's rules look at its types, attributes and properties and the arguments of its blocks
alone. What passed them once passes again, here or on another operation, so that only the rest is looked at:
traits, terminators, symbols, and the verifier that the operation's class defines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from inspect import getclosurevars
from typing import cast

from xdsl.dialects.builtin import AffineMapAttr, AffineSetAttr, StringAttr, UnregisteredOp
from xdsl.ir import Attribute, Block, Operation
from xdsl.irdl import BaseAttr, IRDLOperation, OpDef
from xdsl.traits import IsolatedFromAbove, IsTerminator, NoTerminator, OpTrait, SymbolTable

from vtac.analysis.dominance import defines_before_use
from vtac.analysis.walks import operations_under
from vtac.text.violations import repeated_symbols, violations

_Signature = tuple[object, ...]


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
class Passed:
    """What passed in the modules that one run has verified so far; it keeps their attributes alive."""

    _known: set[_Signature] = field(default_factory=set[_Signature])
    _numbers: dict[Attribute, int] = field(default_factory=dict[Attribute, int])
    _seen: dict[int, tuple[Attribute, int]] = field(default_factory=dict[int, "tuple[Attribute, int]"])
    _kinds: dict[type[Operation], _Kind | None] = field(default_factory=dict[type[Operation], "_Kind | None"])

    def is_right(self, module: Operation) -> bool:
        """Whether nothing is wrong with a module; False also where it takes the full verification to tell."""
        return all(self._passes(op) for op in operations_under(module)) and defines_before_use(module)

    def _passes(self, op: Operation) -> bool:
        kind = self._kind(type(op))
        if kind is None:
            return _is_faultless(op)
        signature = self._signature(op, kind)
        if signature not in self._known:
            if not _is_faultless(op):
                return False
            self._known.add(signature)
            return True
        return self._passes_rest(op, kind)

    def _passes_rest(self, op: Operation, kind: _Kind) -> bool:
        if op.successors or (kind.holds_symbols and repeated_symbols(op)):
            return _is_faultless(op)
        if (
            kind.needs_terminators
            and op.regions
            and not all(self._ends(block) for region in op.regions for block in region.blocks)
        ):
            return False
        try:
            for verifier in kind.verifiers:
                verifier(op)
        except Exception:
            return False  # the full verification says what is wrong
        return True

    def _signature(self, op: Operation, kind: _Kind) -> _Signature:
        """Equal for operations of one class and one shape with equal types and attributes, as far as rules look."""
        arguments = [argument.type for region in op.regions for block in region.blocks for argument in block.args]
        return (
            type(op),
            *[tuple([len(block.args) for block in region.blocks]) for region in op.regions],
            *[self._number(value.type) for value in op.operands],
            None,
            *[self._number(value.type) for value in op.results],
            *[self._number(argument) for argument in arguments],
            *op.properties,
            *[
                type(attribute) if name in kind.any_of_class else self._number(attribute)
                for name, attribute in op.properties.items()
            ],
            None,
            *op.attributes,
            *map(self._number, op.attributes.values()),
        )

    def _number(self, attribute: Attribute) -> int:
        """A number for all attributes equal to this one, which is hashed once: that takes long."""
        seen = self._seen.get(id(attribute))
        if seen is None:
            number = self._numbers.setdefault(attribute, len(self._numbers))
            seen = self._seen[id(attribute)] = (attribute, number)
        return seen[1]

    def _ends(self, block: Block) -> bool:
        last = block.last_op
        if last is None:
            return False
        kind = self._kind(type(last))
        return kind is not None and kind.is_terminator

    def _kind(self, kind: type[Operation]) -> _Kind | None:
        if kind not in self._kinds:
            self._kinds[kind] = _kind_of(kind)
        return self._kinds[kind]


def _is_faultless(op: Operation) -> bool:
    return not any(violations(op)) and not repeated_symbols(op)


_LEAVES = (StringAttr, AffineMapAttr, AffineSetAttr)


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


@cache
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
