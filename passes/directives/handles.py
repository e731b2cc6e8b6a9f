"""What the handles of a schedule script stand for, and lookup by name."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import blocks_under, buffer_name
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import marks_of
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.schedule.script import DirectiveOp
from vtac.errors import ScheduleError
from vtac.text.reports import suggestion


class Handles:
    """The payload function of a script and the payload op behind each handle."""

    def __init__(self, function: FuncOp) -> None:
        self.function = function
        self._blocks: dict[SSAValue, BlockOp] = {}
        self._loops: dict[SSAValue, ForOp] = {}
        self._buffers: dict[SSAValue, str] = {}
        self._named: dict[str, BlockOp] = {}

    @property
    def module(self) -> ModuleOp:
        """The module around the function, which states the hardware.

        Raises `ValueError` for a function in no module.
        """
        module = self.function.parent_op()
        if not isinstance(module, ModuleOp):
            raise ValueError(f"function '{self.function.sym_name.data}' stands in no module")
        return module

    def define_block(self, handle: SSAValue, block: BlockOp) -> None:
        self._blocks[handle] = block

    def define_loop(self, handle: SSAValue, loop: ForOp) -> None:
        self._loops[handle] = loop

    def define_buffer(self, handle: SSAValue, name: str) -> None:
        self._buffers[handle] = name

    def known(self, handle: SSAValue) -> BlockOp | ForOp | None:
        """The block or loop behind a handle, where it still stands in the payload."""
        found = self._blocks.get(handle) or self._loops.get(handle)
        return found if found is not None and _is_inside(found, self.function) else None

    def block(self, handle: SSAValue, directive: DirectiveOp) -> BlockOp:
        """The block behind a handle; refused when an earlier directive removed it."""
        block = self._blocks.get(handle)
        if block is None:
            raise _foreign(directive)
        if not _is_inside(block, self.function):
            raise refusal(directive, "the block of this handle no longer exists", "get a new handle with get_block")
        return block

    def loop(self, handle: SSAValue, directive: DirectiveOp) -> ForOp:
        """The loop behind a handle; refused when an earlier directive replaced it."""
        loop = self._loops.get(handle)
        if loop is None:
            raise _foreign(directive)
        if not _is_inside(loop, self.function):
            raise refusal(
                directive,
                "the loop of this handle no longer exists: it was split, fused or moved with its block",
                "use the handles that directive returned, or get_loops",
            )
        return loop

    def buffer(self, handle: SSAValue, directive: DirectiveOp) -> SSAValue:
        """The buffer behind a handle. Raises `ScheduleError` for a handle that no directive of this schedule gave."""
        if handle not in self._buffers:
            raise _foreign(directive)
        return self.find_buffer(self._buffers[handle], directive)

    def target(self, handle: SSAValue, directive: DirectiveOp) -> BlockOp | ForOp:
        """The block or loop behind a handle."""
        return self.block(handle, directive) if handle in self._blocks else self.loop(handle, directive)

    def find_block(self, name: str, directive: DirectiveOp) -> BlockOp:
        """The block of that name. Raises `ScheduleError` that lists the names there are."""
        known = self._named.get(name)
        if known is not None and known.block_name == name and _is_inside(known, self.function):
            return known
        blocks = blocks_under(self.function)
        self._named = {block.block_name: block for block in reversed(blocks)}
        if name in self._named:
            return self._named[name]
        raise refusal(
            directive,
            f"no block '{name}'; blocks here: {_names(block.block_name for block in blocks)}",
            "name one of these" + suggestion(name, [block.block_name for block in blocks]),
        )

    def find_buffer(self, name: str, directive: DirectiveOp) -> SSAValue:
        """The buffer of that name. Raises `ScheduleError` that lists the names there are."""
        buffers = self._all_buffers()
        for buffer in buffers:
            if buffer_name(buffer) == name:
                return buffer
        found = _names(map(buffer_name, buffers))
        raise refusal(directive, f"no buffer '{name}'; buffers here: {found}", "name one of these")

    def unique_buffer_name(self, name: str) -> str:
        """A name that no buffer has yet: the name itself or name_x2, name_x3, ..."""
        return _unused(name, {buffer_name(buffer) for buffer in self._all_buffers()})

    def _all_buffers(self) -> list[SSAValue]:
        found = list[SSAValue](self.function.body.block.args)
        _collect_buffers(self.function.body.block, found)
        return found

    def unique_block_name(self, name: str) -> str:
        """A name that no block has yet: the name itself or name_1, name_2, ..."""
        taken = {block.block_name for block in blocks_under(self.function)}
        candidate, count = name, 1
        while candidate in taken:
            candidate, count = f"{name}_{count}", count + 1
        return candidate


def _collect_buffers(body: Block, found: list[SSAValue]) -> None:
    """The buffers that a body allocates, in program order, those in what it holds among them; blocks allocate none."""
    op = body.first_op
    while op is not None:
        if type(op) is AllocOp:
            found.append(op.results[0])
        elif type(op) is not BlockOp and op.regions:
            for region in op.regions:
                for inner in region.blocks:
                    _collect_buffers(inner, found)
        op = op.next_op


def _foreign(directive: DirectiveOp) -> ScheduleError:
    """The error for a handle that no directive of this schedule gave."""
    return refusal(
        directive,
        "this handle belongs to another schedule",
        "get one from the schedule that the directive is for, by get_block, get_loops or get_buffer",
    )


def _unused(name: str, taken: set[str]) -> str:
    """The name, or with the first of _x2, _x3, ... that is free (SSA names lose plain number suffixes)."""
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}_x{count}"
    return candidate


def refusal(directive: DirectiveOp, found: str, remedy: str) -> ScheduleError:
    """The error for an illegal directive: what was tried, what was found, what to do."""
    error = ScheduleError(f"{directive.directive}: {found}; {remedy}", location_of(directive))
    return error.parts(tried=directive.directive, found=found, remedy=remedy)


def describe(loop: ForOp) -> str:
    """A loop for a message: name and extent."""
    return f"'{loop.loop_name}' (extent {loop.trip_count})"


def occupation(loop: ForOp) -> str:
    """What a loop has been given to already: its kind or its annotations; empty for a plain serial loop."""
    if loop.loop_kind is not LoopKind.SERIAL:
        return loop.loop_kind.value
    marks = marks_of(loop)
    return f"annotated {', '.join(marks)}" if marks else ""


def _is_inside(op: Operation, function: FuncOp) -> bool:
    return function.is_ancestor(op)


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
