"""What the values that a loop of a kernel carries are for: slots of pipelined buffers, taps of a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xdsl.dialects import arith, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.gpu_indices import own_accesses
from vtac.analysis.nest import scope_of
from vtac.analysis.warp_operations import PRODUCTS
from vtac.dialects.wmma import AsyncCopyOp, VariableOp

_TAPS = {1: ("tap",), 2: ("tap_row", "tap_column")}
"""Names of what guards a window, the slowest first."""


def carried_names(loop: scf.ForOp, name: str) -> dict[SSAValue, str]:
    """A name for each value that a loop carries; `copy_` leads those that only copies ahead of the loop read."""
    carried = list(loop.body.block.args[1:])
    readers = {value: list(_readers(value)) for value in carried}
    ahead = {value for value in carried if readers[value] and all(map(_is_copy, readers[value]))}
    taps = [value for value in carried if any(isinstance(reader, scf.IfOp) for reader in readers[value])]
    names = dict.fromkeys(carried, "channels" if taps else f"{name}_part")
    for group in ([tap for tap in taps if any(map(_is_copy, readers[tap]))], [tap for tap in taps if tap not in ahead]):
        names.update(zip(group, _TAPS.get(len(group), ("tap",) * len(group)), strict=True))
    return {value: f"copy_{names[value]}" if value in ahead else names[value] for value in carried} | slot_names(
        carried
    )


def slot_names(values: Iterable[SSAValue]) -> dict[SSAValue, str]:
    """Names of those values that choose among the slots of buffers in shared memory, and nothing else."""
    readers = {value: list(_readers(value)) for value in values}
    slots = [value for value, own in readers.items() if own and all(_is_shared(value, reader) for reader in own)]
    return {value: "copy_slot" if all(map(_is_copy, readers[value])) else "slot" for value in slots}


def _readers(value: SSAValue) -> Iterator[Operation]:
    """The accesses and choices that read a value, but for what takes it to the next iteration."""
    for use in value.uses:
        op = use.operation
        if isinstance(op, ApplyOp | VariableOp | arith.CmpiOp | arith.AndIOp):
            yield from _readers(op.results[0])
        elif not isinstance(op, arith.SelectOp | scf.YieldOp):
            yield op


def _is_copy(reader: Operation) -> bool:
    """Whether a reader only begins copies."""
    inside = {type(op) for op in reader.walk()}
    return AsyncCopyOp in inside and inside.isdisjoint(PRODUCTS)


def _is_shared(value: SSAValue, reader: Operation) -> bool:
    """Whether a value is part of places in shared memory only."""
    places = [access for access in own_accesses(reader) if _depends(access.place, value)]
    return bool(places) and all(scope_of(access.buffer) == "shared" for access in places)


def _depends(index: SSAValue, value: SSAValue) -> bool:
    if index is value:
        return True
    op = index.owner
    return isinstance(op, ApplyOp | VariableOp) and any(_depends(operand, value) for operand in op.operands)
