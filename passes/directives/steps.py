"""A script played again, directive by directive: the loop nest after each, and what it changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, StringAttr, UnitAttr, i1
from xdsl.dialects.func import FuncOp
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, SSAValue

from vtac.dialects.schedule.lookups import GetBlockOp, GetBufferOp, GetLoopOp, GetLoopsOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.schedule.script import DirectiveOp, ScriptOp
from vtac.dialects.segments import SEGMENTS
from vtac.passes.directives.apply import apply_directive
from vtac.passes.directives.handles import Handles
from vtac.text.loop_nest import Known, nest_text
from vtac.text.nest_excerpts import nest_around
from vtac.text.short import short_name

_LOOKUPS = (GetBlockOp, GetBufferOp, GetLoopOp, GetLoopsOp)


@dataclass(frozen=True)
class Step:
    """One directive: its text, and the loop nest before it and after it."""

    directive: str
    before: str
    after: str

    def diff(self) -> str:
        """The nest after the directive, lines that it took away and added among them, marked with - and +."""
        before, after = self.before.splitlines(), self.after.splitlines()
        lines: list[str] = []
        for kind, begin, end, new_begin, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if kind == "equal":
                lines += [f"  {line}" for line in before[begin:end]]
                continue
            lines += [f"- {line}" for line in before[begin:end]]
            lines += [f"+ {line}" for line in after[new_begin:new_end]]
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.directive}\n{self.diff()}"

    def __repr__(self) -> str:
        return f"<Step {self.directive}>"


def steps_of(script: ScriptOp, function: FuncOp) -> Iterator[Step]:
    """Each directive of a script that is no lookup, applied to a payload function, which is used up."""
    handles = Handles(function)
    names: dict[SSAValue, str] = {}
    known: Known = {}
    before = nest_text(function, known=known)
    for op in script.body.block.ops:
        if not isinstance(op, DirectiveOp):
            continue
        text = directive_text(op, names)
        apply_directive(op, handles)
        names.update({handle: _handle_name(op, handle, handles) for handle in op.results})
        if isinstance(op, _LOOKUPS):
            continue
        after = nest_text(function, known=known)
        yield Step(text, before, after)
        before = after


def nest_at(op: DirectiveOp, handles: Handles) -> str:
    """What is around the place where a directive is refused, under a heading; what its handles stand for is marked."""
    culprits = [found for handle in op.operands if (found := handles.known(handle)) is not None]
    return f"the loop nest:\n{nest_around(nest_text(handles.function, culprits))}"


def directive_text(op: DirectiveOp, names: dict[SSAValue, str]) -> str:
    """A directive as a call, handles by the names of what they stand for: `split(i1, factor=16)`."""
    handles = [names.get(handle, "?") for handle in op.operands]
    shown = [f"{name}={_value(value)}" for name, value in op.properties.items() if name != SEGMENTS]
    return f"{short_name(op.directive)}({', '.join([*handles, *shown])})"


def _handle_name(op: DirectiveOp, handle: SSAValue, handles: Handles) -> str:
    if isinstance(op, GetBufferOp):
        return short_name(op.buffer_name.data)
    target = handles.target(handle, op)
    return short_name(target.block_name if isinstance(target, BlockOp) else target.loop_name)


def _value(value: Attribute) -> str:
    match value:
        case UnitAttr():
            return "True"
        case IntegerAttr():
            return str(bool(value.value.data) if value.type == i1 else value.value.data)
        case StringAttr():
            return repr(short_name(value.data))
        case EnumAttribute():
            return repr(str(value.data))
        case ArrayAttr():
            return f"[{', '.join(map(_value, value.data))}]"
        case DenseArrayBase():
            return f"[{str(value).partition(': ')[2].removesuffix('>')}]"
        case _:
            return short_name(str(value))
