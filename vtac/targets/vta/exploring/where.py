"""Conditions on a point, such as `BLOCK in (16, 32) and sram_kib <= 512`: read and evaluated here, not by Python."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import cast

from vtac.errors import VtacError
from vtac.text.reports import suggestion

_Value = float | tuple[float, ...]
_MOST_CHARACTERS = 2000

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_KNOWN_LATER = ("cycles", "bytes", "energy", "area", "utilisation", "limit", "error")
"""What a point has, and no machine."""
_ELSEWHERE = {
    r"(?<![=<>!])=(?!=)": "`==` compares",
    r"&&": "it is written `and`",
    r"\|\|": "it is written `or`",
    r"!(?!=)": "it is written `not`",
}
_SAID = "names, numbers, + - * / // %, comparisons, `in (...)`, and, or, not"


class WhereError(VtacError):
    """A condition that cannot be read, or that names what no point has."""

    kind = "where"


@dataclass(frozen=True)
class Where:
    """A condition and the names that it uses."""

    text: str
    names: frozenset[str]
    _tree: ast.expr

    def holds(self, values: Mapping[str, float]) -> bool:
        """Whether it is true of these values, which all its names have."""
        return bool(_evaluate(self._tree, values))

    @property
    def is_number(self) -> bool:
        """Whether it is no comparison, nor made of such: a name or an amount."""
        return not isinstance(self._tree, ast.Compare | ast.BoolOp) and not (
            isinstance(self._tree, ast.UnaryOp) and isinstance(self._tree.op, ast.Not)
        )

    def asked(self) -> list[tuple[str, float]]:
        """Names with the numbers that they are to equal, one by one or in a list, in the order of the text."""
        found: list[tuple[str, float]] = []
        for part in ast.walk(self._tree):
            match part:
                case ast.Compare(
                    left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant(value=int() as one)]
                ):
                    found.append((name, one))
                case ast.Compare(
                    left=ast.Name(id=name), ops=[ast.In()], comparators=[ast.Tuple() | ast.List() as list_]
                ):
                    values = [one.value for one in list_.elts if isinstance(one, ast.Constant)]
                    found += [(name, value) for value in values if isinstance(value, int | float)]
                case _:
                    pass
        return found


def parse_where(text: str, names: Collection[str]) -> Where:
    """Read a condition. Raises `WhereError` for what is no such expression and for a name that is not in `names`."""
    if len(text) > _MOST_CHARACTERS:
        raise WhereError(f"--where has {len(text):,} characters; at most {_MOST_CHARACTERS:,} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        used = frozenset(_check(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = f"{error.msg}{_hint(text)}" if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise WhereError(f"--where '{text}' is no condition: {said}; it may have {_SAID}") from None
    if isinstance(tree, ast.Tuple | ast.List):
        raise WhereError(f"--where '{text}' is a list, no condition: ask what is in it, as in `BLOCK in (16, 32)`")
    unknown = sorted(used - set(names))
    if unknown and unknown[0] in _KNOWN_LATER:
        raise WhereError(
            f"--where: '{unknown[0]}' is known of a machine only when the networks were compiled for it: sweep, and "
            f"choose among the points, which --csv and --json have all; the names are {', '.join(names)}"
        )
    if unknown:
        hint = suggestion(unknown[0], names) or f"; the names are {', '.join(names)}"
        raise WhereError(f"--where: nothing is called '{unknown[0]}'{hint}")
    return Where(text, used, tree)


def _hint(text: str) -> str:
    """What another language has that stands in a text, and how it is written here; empty for anything else."""
    found = next((spelled for pattern, spelled in _ELSEWHERE.items() if re.search(pattern, text)), "")
    return f" ({found})" if found else ""


def _check(tree: ast.expr) -> list[str]:
    """The names of an expression. Raises `WhereError` for a part that a condition may not have."""
    match tree:
        case ast.Constant(value=int() | float()):
            return []
        case ast.Name(id=name):
            return [name]
        case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            return [name for part in parts for name in _check(part)]
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=part):
            return _check(part)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _check(left) + _check(right)
        case ast.Compare(left=left, ops=ops, comparators=rest):
            return _check(left) + [name for op, part in zip(ops, rest, strict=True) for name in _compared(op, part)]
        case _:
            raise WhereError(f"--where: '{ast.unparse(tree)[:60]}' is not allowed there; a condition may have {_SAID}")


def _compared(op: ast.cmpop, part: ast.expr) -> list[str]:
    is_list = isinstance(part, ast.Tuple | ast.List)
    if isinstance(op, ast.In | ast.NotIn) == is_list and type(op) in (*_COMPARISONS, ast.In, ast.NotIn):
        return _check(part)
    raise WhereError(
        f"--where: '{ast.unparse(part)[:60]}': `in` takes a list such as (16, 32), comparisons take numbers"
    )


def _evaluate(tree: ast.expr, values: Mapping[str, float]) -> _Value:
    match tree:
        case ast.Constant(value=value):
            return cast(float, value)
        case ast.Name(id=name):
            return values[name]
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_evaluate(part, values) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_evaluate(part, values) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return not _evaluate(part, values)
        case ast.UnaryOp(operand=part):
            return -_number(part, values)
        case ast.BinOp(left=left, op=op, right=right):
            return _computed(tree, op, _number(left, values), _number(right, values), values)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(_number(part, values) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=rest):
            sides = [left, *rest]
            return all(_holds(a, op, b, values) for a, op, b in zip(sides, ops, sides[1:], strict=False))
        case _:
            raise WhereError(f"'{ast.unparse(tree)}' is no part of a condition")


def _number(tree: ast.expr, values: Mapping[str, float]) -> float:
    found = _evaluate(tree, values)
    if isinstance(found, tuple):
        raise WhereError(f"--where: '{ast.unparse(tree)}' is a list where a number is required")
    return found


def _computed(tree: ast.expr, op: ast.operator, left: float, right: float, values: Mapping[str, float]) -> float:
    try:
        return _ARITHMETIC[type(op)](left, right)
    except ZeroDivisionError:
        zeros = [f"{name} is 0" for name in sorted(set(_check(tree))) if values[name] == 0]
        where = f" where {' and '.join(zeros)}" if zeros else ""
        raise WhereError(f"--where divides by zero{where}: '{ast.unparse(tree)[:60]}'") from None
    except OverflowError:
        raise WhereError(f"--where: a number of '{ast.unparse(tree)[:60]}' is too large") from None


def _holds(left: ast.expr, op: ast.cmpop, right: ast.expr, values: Mapping[str, float]) -> bool:
    if isinstance(op, ast.In | ast.NotIn):
        found = _number(left, values) in cast("tuple[float, ...]", _evaluate(right, values))
        return found == isinstance(op, ast.In)
    return _COMPARISONS[type(op)](_number(left, values), _number(right, values))
