"""What values that a loop carries, and indices of a routine, are for: slots of pipelined buffers, taps of a window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from xdsl.dialects import arith, scf
from xdsl.dialects.affine import ApplyOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.kernels.gpu_indices import own_accesses
from vtac.analysis.kernels.warp_operations import PRODUCTS
from vtac.analysis.nests.nest import scope_of
from vtac.dialects.wmma import AsyncCopyOp, CallOp, VariableOp
from vtac.dialects.wmma.routines import routine_of

_TAPS = {1: ("tap",), 2: ("tap_row", "tap_column")}
"""Names of what guards a window, the slowest first."""
_AHEAD = "copy_"
"""Leads the names of what only copies ahead of the loop read."""


def carried_names(loop: scf.ForOp, name: str) -> dict[SSAValue, str]:
    """A name for each value that a loop carries."""
    carried = list(loop.body.block.args[1:])
    readers = {value: list(_readers(value)) for value in carried}
    ahead = {value for value in carried if readers[value] and all(reader.copies for reader in readers[value])}
    taps = [value for value in carried if any(isinstance(reader.op, scf.IfOp) for reader in readers[value])]
    names = dict.fromkeys(carried, "channels" if taps else f"{name}_part")
    for group in (
        [tap for tap in taps if any(reader.copies for reader in readers[tap])],
        [tap for tap in taps if tap not in ahead],
    ):
        names.update(zip(group, _TAPS.get(len(group), ("tap",) * len(group)), strict=True))
    return {value: f"{_AHEAD}{names[value]}" if value in ahead else names[value] for value in carried} | slot_names(
        carried
    )


def slot_names(values: Iterable[SSAValue]) -> dict[SSAValue, str]:
    """Names of those values that choose among the slots of buffers in shared memory, and nothing else."""
    readers = {value: list(_readers(value)) for value in values}
    slots = [value for value, own in readers.items() if own and all(reader.is_shared for reader in own)]
    return {value: f"{_AHEAD}slot" if all(reader.copies for reader in readers[value]) else "slot" for value in slots}


def argument_names(call: CallOp, names: Mapping[SSAValue, str]) -> dict[SSAValue, str]:
    """Names for the indices of a called routine: of slots, of what a loop carries and gives to it, else of a step."""
    arguments = routine_of(call).body.block.args
    slots = slot_names(arguments)
    found: dict[SSAValue, str] = {}
    for argument, given in zip(arguments, call.arguments, strict=True):
        name = slots.get(argument) or names.get(_made_of(given)) or "step"
        found[argument] = name.removeprefix(_AHEAD)
    return found


def _made_of(value: SSAValue) -> SSAValue:
    """The one index that a sum with a number is made of."""
    op = value.owner
    return op.mapOperands[0] if isinstance(op, ApplyOp) and len(op.mapOperands) == 1 else value


@dataclass(frozen=True)
class _Reader:
    """An access or choice, and the value that it reads, which may be a routine's index for another one."""

    op: Operation
    value: SSAValue

    @property
    def copies(self) -> bool:
        """Whether a reader only begins copies."""
        inside = {type(op) for op in self.op.walk()}
        return bool(inside & {AsyncCopyOp, CallOp}) and inside.isdisjoint(PRODUCTS)

    @property
    def is_shared(self) -> bool:
        """Whether the value is part of places in shared memory only."""
        places = [access for access in own_accesses(self.op) if _depends(access.place, self.value)]
        return bool(places) and all(scope_of(access.buffer) == "shared" for access in places)


def _readers(value: SSAValue) -> Iterator[_Reader]:
    """What reads a value, but for what takes it to the next iteration."""
    yield from _readers_through(value, value)


def _readers_through(value: SSAValue, root: SSAValue) -> Iterator[_Reader]:
    for use in value.uses:
        op = use.operation
        if isinstance(op, ApplyOp | VariableOp | arith.CmpiOp | arith.AndIOp):
            yield from _readers_through(op.results[0], root)
        elif isinstance(op, CallOp):
            yield from _readers(routine_of(op).body.block.args[use.index - 1])
        elif not isinstance(op, arith.SelectOp | scf.YieldOp):
            yield _Reader(op, root)


def _depends(index: SSAValue, value: SSAValue) -> bool:
    if index is value:
        return True
    op = index.owner
    return isinstance(op, ApplyOp | VariableOp) and any(_depends(operand, value) for operand in op.operands)
