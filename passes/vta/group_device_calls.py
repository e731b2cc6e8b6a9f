"""group-device-calls: device calls with nothing for the host between them become one program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FunctionType, IntegerType, ModuleOp, TensorType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.tensor import EmptyOp, InsertSliceOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.programs.call_levels import VIEWS, Level, call_levels
from vtac.analysis.types.tile_slices import chain_root
from vtac.dialects.packing import UnspecifiedOp
from vtac.dialects.packing.declared import CHOICE, DEVICE, PROGRAM
from vtac.rewriting.choices import placed_choices
from vtac.rewriting.edits import before_end, discard, erase, insert_ops, move_ops
from vtac.rewriting.walker import rewrite_once


@dataclass
class GroupCalls(RewritePattern):
    """A host function calls a program for each level of several device calls."""

    devices: Sequence[FuncOp]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        if not op.body.blocks or DEVICE.is_on(op) or PROGRAM.is_on(op):
            return
        levels = call_levels(op, {device.sym_name.data for device in self.devices})
        grouped = [level for level in levels if len(level.calls) > 1]
        order: list[Operation] = []
        for level in levels:
            _fill_with_zeros(level, levels, rewriter)
        for level in levels:
            order += level.host
            if level not in grouped:
                order += level.inside
                continue
            suffix = f"_{grouped.index(level)}" if len(grouped) > 1 else ""
            group = _Group(f"{op.sym_name.data}_vta{suffix}", level)
            rewriter.insert(group.build(), InsertPoint.before(self.devices[0]))
            order += [group.call, *group.kept]
        if not grouped:
            return
        move_ops(order, before_end(op.body.block), rewriter)
        for left in [left for level in reversed(grouped) for left in reversed(level.inside) if left not in order]:
            discard(left, rewriter)


@dataclass
class _Group:
    """The calls of one level as a function, and the call of it."""

    name: str
    level: Level
    body: Block = field(default_factory=Block)
    outer: list[SSAValue] = field(default_factory=list[SSAValue])
    """What comes from outside, one value for each argument."""
    values: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    """What stands for a value inside."""

    def __post_init__(self) -> None:
        self.inside = set(self.level.inside)
        self.kept = self._kept_views()

    def build(self) -> FuncOp:
        """The function; `call` is then its call, and what others read of the calls inside is read of that."""
        for op in self.level.inside:
            for operand in op.operands:
                self._take(operand)
            clone = op.clone(self.values)
            clone.location = op.location
            insert_ops(clone, InsertPoint.at_end(self.body))
            for old, new in zip(op.results, clone.results, strict=True):
                new.name_hint = old.name_hint
                self.values[old] = new
        given = [op for op in self.level.inside if isinstance(op, CallOp | InsertSliceOp)]
        results = [value for op in given for value in op.results if self._is_used_outside(value)]
        insert_ops(ReturnOp(*(self.values[value] for value in results)), InsertPoint.at_end(self.body))
        _erase_unused_views(self.body)
        kinds = FunctionType.from_lists([value.type for value in self.outer], [value.type for value in results])
        function = FuncOp(self.name, kinds, Region(self.body), "private")
        PROGRAM.set(function, True)
        self.call = self._call(results)
        return function

    def _call(self, results: Sequence[SSAValue]) -> CallOp:
        call = CallOp(self.name, self.outer, [value.type for value in results])
        choices = [choice for inner in self.level.calls for choice in placed_choices(inner)]
        if choices:
            CHOICE.set(call, choices)
        for old, new in zip(results, call.res, strict=True):
            new.name_hint = old.name_hint
            old.replace_uses_with_if(new, lambda use: self._is_outside(use.operation))
        return call

    def _take(self, operand: SSAValue) -> None:
        """Give the function what comes from outside: constants as its own, other values as arguments."""
        if operand in self.values:
            return
        if isinstance(operand.owner, ConstantOp | EmptyOp | UnspecifiedOp):
            clone = operand.owner.clone()
            clone.results[0].name_hint = operand.name_hint
            insert_ops(clone, InsertPoint.at_end(self.body))
            self.values[operand] = clone.results[0]
            return
        self.outer.append(operand)
        argument = self.body.insert_arg(operand.type, len(self.body.args))
        argument.name_hint = operand.name_hint
        self.values[operand] = argument

    def _kept_views(self) -> list[Operation]:
        """Views that something outside reads; what the group puts together is a buffer, which it returns."""
        kept: list[Operation] = []
        for view in reversed(self.level.views):
            users = {use.operation for use in view.result.uses}
            outside = any(user in kept or user not in self.inside for user in users)
            if outside and not isinstance(view, InsertSliceOp):
                kept.insert(0, view)
        return kept

    def _is_used_outside(self, value: SSAValue) -> bool:
        return any(self._is_outside(use.operation) for use in value.uses)

    def _is_outside(self, user: Operation) -> bool:
        return user in self.kept or user not in self.inside


def _fill_with_zeros(level: Level, levels: Sequence[Level], rewriter: PatternRewriter) -> None:
    """A tensor that the host has put something into, and the level puts more into, has contents everywhere."""
    for op in level.inside:
        if not isinstance(op, InsertSliceOp) or not isinstance(op.dest.owner, InsertSliceOp):
            continue
        root = chain_root(op.dest).owner
        if op.dest.owner in level.host and isinstance(root, EmptyOp):
            kind = cast("TensorType[IntegerType]", root.tensor.type)
            zeros = ConstantOp(DenseIntOrFPElementsAttr.from_list(kind, [0]))
            for other in levels:
                other.host = [zeros if one is root else one for one in other.host]
            rewriter.replace(root, zeros)


def _erase_unused_views(block: Block) -> None:
    for op in reversed(list(block.ops)):
        if isinstance(op, VIEWS) and not op.result.uses:
            erase(op)


@dataclass(frozen=True)
class GroupDeviceCalls(ModulePass):
    """Move calls of device functions that need no host operation between them into one function.

    The levels of calls are a plan of the whole host function. Host operations are ordered so
    that few programs are needed: what no device result reaches comes first. Reshapes and slices of
    device results are views of the same buffer, and what these are put into is a buffer around
    them: they go with the calls around them.

    requires: host functions of one block, as pack-for-vta leaves them.
    ensures:  each group of several calls is a private function marked `packing.program`, with
              the constants that it takes as its own; a call that stands alone stays as it is.
    declines: nothing.
    """

    name = "group-device-calls"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        devices = [f for f in op.ops if isinstance(f, FuncOp) and DEVICE.is_on(f)]
        if devices:
            rewrite_once(op, GroupCalls(devices))
