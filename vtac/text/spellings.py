"""Names as a text spells them, where an SSA value does not keep its own.

xDSL's values lose a number at the end of their name, `%row_2` is called `row`, because its printer adds such
numbers to tell values of one name apart. A number that no printer would have put there is part of the name that
somebody chose: what it names gets it as an attribute, as blocks, loops and buffers have their names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import IsolatedFromAbove

from vtac.dialects.schedule.declared import NAME
from vtac.dialects.schedule.payload import ForOp

_NUMBERED = re.compile(r"(?P<base>.*[^\d].*)_(?P<number>\d+)", re.ASCII)


class Spellings:
    """What values are called in the text that is being parsed."""

    def __init__(self) -> None:
        self._names: list[set[str]] = [set()]
        self._chosen: dict[SSAValue, str] = {}

    def enter(self) -> None:
        """A region begins that sees no values from outside: printers count anew in it."""
        self._names.append(set())

    def note(self, name: str, values: Sequence[SSAValue]) -> None:
        """A name is defined."""
        names = self._names[-1]
        numbered = _NUMBERED.fullmatch(name)
        if numbered is not None and len(values) == 1 and not _is_printers(numbered["base"], numbered["number"], names):
            self._chosen[values[0]] = name
        names.add(name)

    def keep(self, op: Operation) -> None:
        """Give an operation that has been read the chosen names of what it defines, unless it states others."""
        if op.has_trait(IsolatedFromAbove):
            self._names.pop()
        if not self._chosen:
            return
        if isinstance(op, FuncOp):
            self._name_arguments(op)
        elif isinstance(op, ForOp):
            self._name_loop(op)
        elif len(op.results) == 1 and NAME.may_stand_on(op.name) and not NAME.is_on(op):
            name = self._chosen.pop(op.results[0], None)
            if name is not None:
                NAME.set(op, name)

    def _name_loop(self, loop: ForOp) -> None:
        name = self._chosen.pop(loop.induction_variable, None)
        stated = loop.name_property
        if name is not None and (stated is None or stated.data == loop.induction_variable.name_hint):
            loop.name_property = StringAttr(name)

    def _name_arguments(self, function: FuncOp) -> None:
        first = function.body.first_block
        arguments = () if first is None else first.args
        names = [self._chosen.pop(argument, None) for argument in arguments]
        if not any(names):
            return
        given = function.arg_attrs.data if function.arg_attrs is not None else [DictionaryAttr({})] * len(names)
        function.arg_attrs = ArrayAttr(
            [
                entry if name is None or NAME.name in entry.data else DictionaryAttr({**entry.data, **NAME.entry(name)})
                for entry, name in zip(given, names, strict=True)
            ]
        )


def _is_printers(base: str, number: str, names: set[str]) -> bool:
    """Whether a printer would have put the number there: the next after those of the same name before."""
    if number.startswith("0"):
        return False
    before = int(number) - 1 if len(number) < 19 else -1
    return base in names and (before == 0 or f"{base}_{before}" in names)
