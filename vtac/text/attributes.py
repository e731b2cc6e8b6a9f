"""Verification of attributes against their declarations, and of memory spaces against the scopes there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import cast

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, MemRefType, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.dialects.declared import ARGUMENT, FUNCTION_RESULT, Declared, declared_attributes, owning_prefixes
from vtac.dialects.schedule.declared import CONSTANT, RESULT
from vtac.dialects.scopes import scope_problem

_CLOSED = frozenset({"schedule.for", "schedule.block"})
"""Operations of ours that bear declared attributes only: users' own stand in `schedule.annotations`."""


def attribute_violations(operation: Operation) -> Iterator[str]:
    """What attributes of an operation, and of its arguments and results, contradict their declarations."""
    if operation.attributes:
        yield from _violations(operation.name, operation.attributes)
    if isinstance(operation, FuncOp):
        for where, dictionaries in ((ARGUMENT, operation.arg_attrs), (FUNCTION_RESULT, operation.res_attrs)):
            for dictionary in dictionaries or ():
                yield from _violations(where, dictionary.data)
        yield from _buffer_marks(operation)


def _buffer_marks(function: FuncOp) -> Iterator[str]:
    """Arguments that stand for results, or have contents, and are no buffers, or other ones."""
    entries = function.arg_attrs or ()
    for position, (dictionary, kind) in enumerate(zip(entries, function.function_type.inputs, strict=False)):
        marks = [mark.name for mark in (RESULT, CONSTANT) if mark.name in dictionary.data]
        if marks and not isinstance(kind, MemRefType):
            yield f"'{ARGUMENT}' does not verify: {marks[0]} is for buffers, and argument {position} is {kind}"
        contents = dictionary.data.get(CONSTANT.name)
        if not isinstance(contents, DenseIntOrFPElementsAttr) or not isinstance(kind, MemRefType):
            continue
        buffer = cast("MemRefType[Attribute]", kind)
        if (contents.get_element_type(), contents.get_shape()) != (buffer.element_type, buffer.get_shape()):
            held = cast(Attribute, contents.type)
            found = f"{CONSTANT.name} holds {held}, and argument {position} is {kind}"
            yield f"'{ARGUMENT}' does not verify: {found}"


def scope_violations(operation: Operation) -> Iterator[str]:
    """Memory spaces of the memrefs that an operation makes, or that its bodies take, which are no scopes."""
    values: list[SSAValue] = [*operation.results]
    for region in operation.regions:
        for block in region.blocks:
            values += block.args
    for value in values:
        kind = value.type
        if isinstance(kind, MemRefType) and isinstance(kind.memory_space, StringAttr):
            problem = scope_problem(kind.memory_space.data)
            if problem:
                yield f"'{operation.name}' has a buffer in memory space '{kind.memory_space.data}': {problem}"


def _violations(where: str, attributes: Mapping[str, Attribute]) -> Iterator[str]:
    for name, attribute in attributes.items():
        problem = _problem(where, name, attribute)
        if problem:
            yield f"'{where}' does not verify: {problem}"


def _problem(where: str, name: str, attribute: Attribute) -> str:
    declared = declared_attributes().get(name)
    prefix, dot, _ = name.partition(".")
    if declared is None:
        owned = prefix in owning_prefixes() if dot else where in _CLOSED
        return _unknown(where, name) if owned else ""
    if not declared.may_stand_on(where):
        return f"{name} stands on {' and '.join(declared.on)} only" if dot or where in _CLOSED else ""
    return declared.mismatch(attribute)


def _unknown(where: str, name: str) -> str:
    here = [declared.name for declared in _allowed(where)]
    close = get_close_matches(name, here, 1)
    meant = f"the nearest is {close[0]}" if close else f"the attributes there are {', '.join(here) or 'none'}"
    own = "; annotate keeps notes of your own in schedule.annotations" if where in _CLOSED else ""
    return f"no dialect declares {name} there; {meant}{own}"


def _allowed(where: str) -> list[Declared[object]]:
    return [declared for declared in declared_attributes().values() if declared.on and declared.may_stand_on(where)]
