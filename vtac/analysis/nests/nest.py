"""Questions about a loop nest: who encloses whom, who reads and writes what."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import cast

from xdsl.dialects.builtin import MemRefType, NoneAttr, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.dialects.schedule.declared import NAME
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.scopes import scope_names
from vtac.errors import CompileError


def enclosing_loops(op: Operation) -> list[ForOp]:
    """The schedule loops around an op, outermost first."""
    loops: list[ForOp] = []
    block = op.parent
    while block is not None and (region := block.parent) is not None and (holder := region.parent) is not None:
        if type(holder) is ForOp:
            loops.append(holder)
        block = holder.parent
    loops.reverse()
    return loops


def extents_around(op: Operation) -> dict[Hashable, int]:
    """Induction variable -> extent for every loop around an op, outermost first."""
    found: list[tuple[Hashable, int]] = []
    block = op.parent
    while block is not None and (region := block.parent) is not None and (holder := region.parent) is not None:
        if type(holder) is ForOp:
            found.append((block.args[0], holder.trip_count))
        block = holder.parent
    found.reverse()
    return dict(found)


def loops_within(op: Operation, body: Block) -> list[ForOp]:
    """The schedule loops around an op that stand in a body, outermost first; none where the op is not in the body."""
    loops: list[ForOp] = []
    block = op.parent
    while block is not None and block is not body:
        holder = block.parent_op()
        if type(holder) is ForOp:
            loops.append(holder)
        block = None if holder is None else holder.parent
    loops.reverse()
    return [] if block is None else loops


class Surroundings:
    """The loops around bodies, each body asked once: for as long as no loop moves and none gets another extent."""

    def __init__(self) -> None:
        self._loops: dict[Block, list[ForOp]] = {}
        self._extents: dict[Block, dict[Hashable, int]] = {}

    def loops(self, op: Operation) -> list[ForOp]:
        """`enclosing_loops` of an op that stands in a body."""
        body = _body_of(op)
        if body not in self._loops:
            self._loops[body] = enclosing_loops(op)
        return self._loops[body]

    def extents(self, op: Operation) -> dict[Hashable, int]:
        """`extents_around` an op that stands in a body."""
        body = _body_of(op)
        if body not in self._extents:
            self._extents[body] = {loop.induction_variable: loop.trip_count for loop in self.loops(op)}
        return self._extents[body]


def _body_of(op: Operation) -> Block:
    if op.parent is None:
        raise ValueError(f"'{op.name}' stands in no body")
    return op.parent


def outermost_first(variables: Iterable[Hashable]) -> list[Hashable]:
    """Loop variables in the order of their nest; those of one depth in the order given."""

    def depth(variable: Hashable) -> int:
        count = 0
        parent = cast(SSAValue, variable).owner.parent_op()
        while parent is not None:
            count += 1
            parent = parent.parent_op()
        return count

    return sorted(variables, key=depth)


def walk_payload(root: Operation | Block) -> list[ForOp | BlockOp]:
    """Loops and blocks under a root in program order, loops before what they hold."""
    found: list[ForOp | BlockOp] = []
    for block in [root] if isinstance(root, Block) else _blocks_of(root):
        _collect_payload(block, found)
    return found


def _collect_payload(block: Block, found: list[ForOp | BlockOp]) -> None:
    op = block._first_op
    while op is not None:
        if type(op) is BlockOp:
            found.append(op)
        elif type(op) is ForOp:
            found.append(op)
            body = op.regions[0]._first_block
            if body is not None:
                _collect_payload(body, found)
        elif op.regions:
            for inner in _blocks_of(op):
                _collect_payload(inner, found)
        op = op._next_op


def _blocks_of(op: Operation) -> list[Block]:
    blocks: list[Block] = []
    for region in op.regions:
        block = region.first_block
        while block is not None:
            blocks.append(block)
            block = block.next_block
    return blocks


def blocks_under(root: Operation | Block) -> list[BlockOp]:
    """Every block under a root, in program order; the root itself when it is a block."""
    if isinstance(root, BlockOp):
        return [root]
    return [op for op in walk_payload(root) if type(op) is BlockOp]


def child_holding(body: Block, op: Operation) -> Operation | None:
    """The direct child of `body` that is or encloses an op; None when it is outside."""
    current: Operation | None = op
    while current is not None and current.parent is not body:
        current = current.parent_op()
    return current


def buffer_name(buffer: SSAValue) -> str:
    """The buffer's name: the one it was given, else its SSA name, else its argument position."""
    if given := _given_name(buffer):
        return given
    if buffer.name_hint is not None:
        return buffer.name_hint
    return f"arg{buffer.index}" if isinstance(buffer, BlockArgument) else "buffer"


def _given_name(buffer: SSAValue) -> str | None:
    if not isinstance(buffer, BlockArgument):
        return NAME.get(buffer.owner) if isinstance(buffer.owner, Operation) else None
    function = buffer.owner.parent_op()
    return NAME.of_argument(function, buffer.index) if isinstance(function, FuncOp) else None


def scope_of(buffer: SSAValue) -> str:
    """The scope that a buffer lives in: its memory space, `global` when it names none.

    Raises `CompileError` for a memory space that is no string: what other projects number is no scope of ours.
    """
    kind = buffer.type
    if not isinstance(kind, MemRefType) or isinstance(kind.memory_space, NoneAttr):
        return "global"
    space: Attribute = kind.memory_space
    if isinstance(space, StringAttr):
        return space.data
    owner = buffer.owner if isinstance(buffer.owner, Operation) else buffer.owner.parent_op()
    raise CompileError(
        f"'{buffer_name(buffer)}' lives in memory space {space}: a scope is named by a string, such as "
        f"{', '.join(scope_names())}",
        location_of(owner) if owner is not None else "",
    )


def element_type_of(buffer: SSAValue) -> Attribute:
    """Element type of a buffer."""
    return memref_type_of(buffer).element_type


def memref_type_of(buffer: SSAValue) -> MemRefType[Attribute]:
    """The memref type of a buffer. Raises `TypeError` for a value of another type."""
    if not isinstance(buffer.type, MemRefType):
        raise TypeError(f"{buffer.type} is not a memref")
    return cast(MemRefType[Attribute], buffer.type)


def shape_of(buffer: SSAValue) -> tuple[int, ...]:
    """Static shape of a buffer in scalars."""
    return tuple(memref_type_of(buffer).get_shape())


def strides_of(buffer: SSAValue) -> tuple[int, ...]:
    """Distance in elements between neighbours of each dimension.

    Raises `TypeError` for a layout without static strides.
    """
    strides = memref_type_of(buffer).get_strides()
    if strides is None or any(stride is None for stride in strides):
        raise TypeError(f"{buffer.type} has no static strides")
    return tuple(stride for stride in strides if stride is not None)


def readers_of(buffer: SSAValue) -> list[BlockOp]:
    """Blocks that read a buffer through an input, without order."""
    found: list[BlockOp] = []
    for use in buffer.uses:
        block = use.operation
        if isinstance(block, BlockOp) and block not in found and any(value is buffer for value in block.buffers[:-1]):
            found.append(block)
    return found


def writers_of(buffer: SSAValue) -> list[BlockOp]:
    """Blocks that write a buffer, without order."""
    return [
        use.operation
        for use in buffer.uses
        if isinstance(use.operation, BlockOp) and use.operation.buffers[-1] is buffer
    ]


def precedes(first: Operation, second: Operation) -> bool:
    """True when `first` starts before `second` in program order (neither holds the other)."""
    ancestors: dict[Block, Operation] = {}
    current: Operation | None = first
    while current is not None and current.parent is not None:
        ancestors[current.parent] = current
        current = current.parent_op()
    other: Operation | None = second
    while other is not None and other.parent is not None:
        if other.parent in ancestors:
            mine = ancestors[other.parent]
            return mine is not other and mine.is_before_in_block(other)
        other = other.parent_op()
    return False


def overwrite_before(block: BlockOp, places: Sequence[Operation]) -> tuple[BlockOp, SSAValue] | None:
    """A block that writes an input of `block` after it, yet not after the nests of all `places`.

    Moved to one of the places, `block` would read what was written there.
    """
    for value in block.inputs:
        for writer in writers_of(value):
            if writer is block or precedes(writer, block):
                continue
            if not all(precedes([*enclosing_loops(place), place][0], writer) for place in places):
                return writer, value
    return None
