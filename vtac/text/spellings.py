"""Names as a text spells them, where an SSA value does not keep its own.

xDSL's values lose a number at the end of their name, `%row_2` is called `row`, because its printer adds such
numbers to tell values of one name apart. A number that no printer would have put there is part of the name that
somebody chose: what it names gets it as an attribute, as blocks, loops and buffers have their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import IsolatedFromAbove

from vtac.dialects.schedule.declared import NAME
from vtac.dialects.schedule.payload import ForOp

_NUMBERED = re.compile(r"(?P<base>.*[^\d].*)_(?P<number>\d+)", re.ASCII)


class Spellings:
    """What values are called in the text that is being parsed.

    Whether a number is the printer's is settled where a region ends that sees no values from outside:
    a printer names what an operation defines before what stands in its regions, a parser reads it after.
    """

    def __init__(self) -> None:
        self._names: list[set[str]] = [set()]
        self._numbered: list[dict[SSAValue, str]] = [{}]
        self._read: list[list[Operation]] = [[]]

    def enter(self) -> None:
        """A region begins that sees no values from outside: printers count anew in it."""
        self._names.append(set())
        self._numbered.append({})
        self._read.append([])

    def note(self, name: str, values: Sequence[SSAValue]) -> None:
        """A name is defined."""
        if len(values) == 1 and _NUMBERED.fullmatch(name) is not None:
            self._numbered[-1][values[0]] = name
        self._names[-1].add(name)

    def keep(self, op: Operation) -> None:
        """An operation has been read: what it defines gets the names that were chosen for it, at the region's end."""
        if op.has_trait(IsolatedFromAbove):
            names, numbered, read = self._names.pop(), self._numbered.pop(), self._read.pop()
            chosen = {value: name for value, name in numbered.items() if not _is_printers(name, names)}
            for inner in (*read, op) if chosen else ():
                _give_names(inner, chosen)
        elif self._numbered[-1]:
            self._read[-1].append(op)


def _give_names(op: Operation, chosen: Mapping[SSAValue, str]) -> None:
    """Give an operation the chosen names of what it defines, unless it states others."""
    if isinstance(op, FuncOp):
        _name_arguments(op, chosen)
        _name_results(op, chosen)
    elif isinstance(op, ForOp):
        _name_loop(op, chosen)
    elif len(op.results) == 1 and NAME.may_stand_on(op.name) and not NAME.is_on(op):
        name = chosen.get(op.results[0])
        if name is not None:
            NAME.set(op, name)


def _name_loop(loop: ForOp, chosen: Mapping[SSAValue, str]) -> None:
    name, stated = chosen.get(loop.induction_variable), loop.name_property
    if name is not None and (stated is None or stated.data == loop.induction_variable.name_hint):
        loop.name_property = StringAttr(name)


def _name_arguments(function: FuncOp, chosen: Mapping[SSAValue, str]) -> None:
    first = function.body.first_block
    names = [chosen.get(argument) for argument in (() if first is None else first.args)]
    if not any(names):
        return
    function.arg_attrs = _with_names(function.arg_attrs, names)


def _name_results(function: FuncOp, chosen: Mapping[SSAValue, str]) -> None:
    last = None if function.body.last_block is None else function.body.last_block.last_op
    names = [chosen.get(value) for value in last.operands] if isinstance(last, ReturnOp) else []
    if any(names):
        function.res_attrs = _with_names(function.res_attrs, names)


def _with_names(given: ArrayAttr[DictionaryAttr] | None, names: Sequence[str | None]) -> ArrayAttr[DictionaryAttr]:
    """Attributes of arguments or results, with names for those that state none."""
    return ArrayAttr(
        [
            entry if name is None or NAME.name in entry.data else DictionaryAttr({**entry.data, **NAME.entry(name)})
            for entry, name in zip(given or [DictionaryAttr({})] * len(names), names, strict=True)
        ]
    )


def _is_printers(name: str, names: set[str]) -> bool:
    """Whether a printer would have put the number there: the next after those of the same name."""
    found = _NUMBERED.fullmatch(name)
    if found is None or found["number"].startswith("0"):
        return found is None
    base, number = found["base"], found["number"]
    before = int(number) - 1 if len(number) < 19 else -1
    return base in names and (before == 0 or f"{base}_{before}" in names)
