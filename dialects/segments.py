"""How many operands each group of an operation has: the attribute, made once for equal numbers, and read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import cast

from xdsl.dialects.builtin import DenseArrayBase, IntegerType, i32
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import IRDLOperation, OperandDef, OptOperandDef, VarOperandDef

SEGMENTS = "operandSegmentSizes"
"""The property of operations whose groups of operands have any size."""

_STARTS = "_vtac_starts"
"""Where such an attribute, which never changes, keeps where each group starts, and the last one ends."""


@lru_cache(maxsize=1024)
def segments(*sizes: int) -> DenseArrayBase:
    """What `SEGMENTS` holds."""
    return DenseArrayBase.from_list(i32, sizes)


def read_groups_directly(*kinds: type[IRDLOperation]) -> None:
    """Let named operands of such operations be read by where their groups start.

    xDSL's own way unpacks the sizes of the groups, and adds them up, each time.
    """
    for kind in kinds:
        for position, (name, definition) in enumerate(kind.get_irdl_definition().operands):
            setattr(kind, name, property(_reader(position, definition)))


def _reader(position: int, definition: OperandDef | VarOperandDef) -> Callable[[Operation], object]:
    def group(op: Operation) -> Sequence[SSAValue]:
        starts = _starts(op)
        return op.operands[starts[position] : starts[position + 1]]

    if isinstance(definition, OptOperandDef):
        return lambda op: next(iter(group(op)), None)
    if isinstance(definition, VarOperandDef):
        return group
    return lambda op: op.operands[_starts(op)[position]]


def _starts(op: Operation) -> tuple[int, ...]:
    attribute = cast("DenseArrayBase[IntegerType]", op.properties[SEGMENTS])
    kept = cast("dict[str, tuple[int, ...]]", vars(attribute))
    if _STARTS not in kept:
        kept[_STARTS] = tuple(accumulate(attribute.get_values(), initial=0))
    return kept[_STARTS]
