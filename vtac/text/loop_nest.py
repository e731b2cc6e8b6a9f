"""A payload function as people write loop nests: loops with extents and kinds, buffers with scopes, statements.

Loops have their own names; one that stands in another of the same name has a prime for each such loop.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import cast

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import MemRefType, StringAttr, UnitAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSet,
)

from vtac.analysis.nests.nest import buffer_name
from vtac.dialects.schedule.attributes import AccessAttr, LoopKind
from vtac.dialects.schedule.declared import ANNOTATIONS
from vtac.dialects.schedule.payload import BlockOp, ForOp, YieldOp
from vtac.text.short import short_name

_TYPES = re.compile(r"(si|i|f)$")
"""What names of operations say of their type."""
_SIGNS: Mapping[AffineBinaryOpKind, str] = MappingProxyType(
    {
        AffineBinaryOpKind.Mul: "*",
        AffineBinaryOpKind.Mod: " mod ",
        AffineBinaryOpKind.FloorDiv: " floordiv ",
        AffineBinaryOpKind.CeilDiv: " ceildiv ",
    }
)
_CONVERSIONS = ("arith.ext", "arith.trunc", "arith.sitofp", "arith.uitofp", "arith.fptosi")
_INDENT = "  "
HERE = "  <-- here"
"""What stands behind a line that is marked."""

Names = Mapping[SSAValue, str]
"""Loops by their induction variables."""


Known = dict[tuple[object, ...], tuple[tuple[Attribute, ...], str]]
"""Statements by all that they are made of, with the attributes whose identity stands for them."""


def nest_text(function: FuncOp, culprits: Sequence[Operation] = (), known: Known | None = None) -> str:
    """The nest of a function, a line for each buffer, loop and statement, without a newline at the end.

    Loops and blocks among `culprits` are marked. Statements in `known` are taken from there, others kept in it.
    """
    arguments = ", ".join(
        f"{short_name(buffer_name(value))}: {_type(value.type)}" for value in function.body.block.args
    )
    found: list[tuple[Operation, str]] = []
    _add_lines(found, function.body.block, {}, _INDENT, {} if known is None else known)
    lines = [f"{line}{HERE}" if any(op is culprit for culprit in culprits) else line for op, line in found]
    return "\n".join([f"{short_name(function.sym_name.data)}({arguments})", *lines])


def _add_lines(lines: list[tuple[Operation, str]], block: Block, names: Names, indent: str, known: Known) -> None:
    """Add a line for each operation of a block, those of loops below them."""
    for op in block.ops:
        match op:
            case ForOp():
                name = _loop_name(op, names)
                kind = "" if op.loop_kind is LoopKind.SERIAL else f" {op.loop_kind.value}"
                lines.append((op, f"{indent}for {name} in 0..{op.trip_count}{kind}{_marks(op)}"))
                _add_lines(lines, op.body.block, {**names, op.induction_variable: name}, indent + _INDENT, known)
            case BlockOp():
                lines.append((op, f"{indent}{_known_statement(op, names, known)}{_marks(op)}"))
            case AllocOp():
                lines.append((op, f"{indent}{short_name(buffer_name(op.memref))}: {_type(op.memref.type)}"))
            case ReturnOp():
                pass
            case _:
                lines.append((op, f"{indent}{op.name}"))


def _loop_name(loop: ForOp, names: Names) -> str:
    """The loop's name, primed until no loop around it has the same."""
    name = short_name(loop.loop_name)
    while name in names.values():
        name += "'"
    return name


def _type(found: Attribute) -> str:
    if not isinstance(found, MemRefType):
        return str(found)
    kind = cast("MemRefType[Attribute]", found)
    text = "x".join([*map(str, kind.get_shape()), str(kind.element_type)])
    return f"{text} in {kind.memory_space.data}" if isinstance(kind.memory_space, StringAttr) else text


def _marks(op: Operation) -> str:
    """What directives left on a loop or block, what it is mapped to first of all: `[tensorize vta.gemm]`."""
    notes = ANNOTATIONS.get(op)
    marked = {name: value for name, value in op.attributes.items() if name != ANNOTATIONS.name}
    marks = [_mark(name, value) for name, value in {**marked, **(notes.data if notes is not None else {})}.items()]
    return f"  [{', '.join(marks)}]" if marks else ""


def _mark(name: str, value: Attribute) -> str:
    if isinstance(value, UnitAttr):
        return short_name(name)
    return f"{short_name(name)} {short_name(value.data if isinstance(value, StringAttr) else str(value))}"


def _known_statement(block: BlockOp, names: Names, known: Known) -> str:
    """A statement, made once as long as nothing changes that it is made of."""
    loops = [names.get(loop, "?") for loop in block.loops]
    attributes = (*filter(None, (block.bindings, block.guard, block.init)), *block.accesses)
    buffers = map(buffer_name, (*block.inputs, block.output))
    steps = (op.name for op in block.body.block.ops)
    key = (*map(id, attributes), block.block_name, *loops, *buffers, *steps)
    if key not in known:
        known[key] = attributes, _statement(block, loops)
    return known[key][1]


def _statement(block: BlockOp, loops: list[str]) -> str:
    """`res[i0] += mul(data[i0, r4], weight[r4]) from 0`; conversions and constants are left out.

    The block's name stands before it where it is not that of the buffer that it writes.
    """
    bindings = block.bindings.data
    *reads, write = [
        _access(buffer, access, bindings, loops)
        for buffer, access in zip((*block.inputs, block.output), block.accesses, strict=True)
    ]
    name = "" if block.block_name == buffer_name(block.output) else f"{short_name(block.block_name)}: "
    init = "" if block.init is None else f" from {block.init.value.data}"
    guard = "" if block.guard is None else f" where {_constraints(block.guard.data, loops)}"
    return f"{name}{write} {_computed(block, reads)}{init}{guard}"


def _computed(block: BlockOp, reads: list[str]) -> str:
    """The sign of assignment, and what is assigned: operations by name, in order, on all that is read."""
    steps = [op.name for op in block.body.block.ops if not isinstance(op, YieldOp | ConstantOp)]
    done = [_TYPES.sub("", name.rpartition(".")[2]) for name in steps if not name.startswith(_CONVERSIONS)]
    sign = "accumulates" if block.has_reduction else "="
    if block.has_reduction and done and done[-1] == "add":
        sign, done = "+=", done[:-1]
    values = ", ".join(reads)
    return f"{sign} {' '.join(dict.fromkeys(done))}({values})" if done else f"{sign} {values or 'a constant'}"


def _access(buffer: SSAValue, access: AccessAttr, bindings: AffineMap, loops: list[str]) -> str:
    indices = access.indices.compose(bindings)
    shown = ", ".join(_sum(index, loops) for index in indices.results)
    pad = "" if access.pad_value is None else f" padded with {access.pad_value.value.data}"
    return f"{short_name(buffer_name(buffer))}[{shown}]{pad}"


def _constraints(guard: AffineSet, loops: list[str]) -> str:
    return " and ".join(f"{_sum(one.lhs, loops)} {one.kind.value} {_sum(one.rhs, loops)}" for one in guard.constraints)


def _sum(expression: AffineExpr, loops: list[str]) -> str:
    """An affine expression with the names of loops in it."""
    first, *rest = _terms(expression)
    if not rest:
        return _factor(first, loops, is_alone=True)
    text = _factor(first, loops)
    for term in rest:
        factor = _factor(term, loops)
        text += f" - {factor[1:]}" if factor.startswith("-") else f" + {factor}"
    return text


def _terms(expression: AffineExpr) -> list[AffineExpr]:
    if not isinstance(expression, AffineBinaryOpExpr) or expression.kind is not AffineBinaryOpKind.Add:
        return [expression]
    return [*_terms(expression.lhs), *_terms(expression.rhs)]


def _factor(expression: AffineExpr, loops: list[str], *, is_alone: bool = False) -> str:
    match expression:
        case AffineDimExpr():
            return loops[expression.position]
        case AffineConstantExpr():
            return str(expression.value)
        case AffineBinaryOpExpr() if expression.kind is AffineBinaryOpKind.Add:
            return f"({_sum(expression, loops)})"
        case AffineBinaryOpExpr():
            left, right = _factor(expression.lhs, loops), _factor(expression.rhs, loops)
            text = f"{left}{_SIGNS[expression.kind]}{right}"
            return text if is_alone or expression.kind is AffineBinaryOpKind.Mul else f"({text})"
        case _:
            return str(expression)
