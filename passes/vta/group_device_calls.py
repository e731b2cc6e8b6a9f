"""group-device-calls: device calls with nothing for the host between them become one program."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import cast

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ArrayAttr, FunctionType, ModuleOp, StringAttr, UnitAttr
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from vtac.dialects.packing import ReshapeOp
from vtac.dialects.packing_attributes import CHOICE, DEVICE, PROGRAM, choices_of


@dataclass(frozen=True)
class GroupDeviceCalls(ModulePass):
    """Move calls of device functions that need no host operation between them into one function.

    Host operations are ordered so that few such functions are needed: what no device result
    reaches comes first. A reshape of a device result is another view of the same buffer, and
    goes with the calls around it.

    requires: host functions of one block, as pack-for-vta leaves them.
    ensures:  each group of several calls is a private function marked `packing.program`, with
              the constants that it takes as its own; a call that stands alone stays as it is.
    declines: nothing.
    """

    name = "group-device-calls"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        functions = [f for f in op.ops if isinstance(f, FuncOp)]
        devices = {f.sym_name.data for f in functions if DEVICE in f.attributes}
        for function in functions:
            if function.body.blocks and not {DEVICE, PROGRAM} & function.attributes.keys():
                for program in _Grouping(function, devices).run():
                    op.body.block.insert_op_before(program, next(f for f in functions if DEVICE in f.attributes))


@dataclass
class _Level:
    """Host operations, then the device calls that need no other; and the views of what those return."""

    host: list[Operation] = field(default_factory=list[Operation])
    inside: list[Operation] = field(default_factory=list[Operation])

    @property
    def calls(self) -> list[CallOp]:
        return [op for op in self.inside if isinstance(op, CallOp)]

    @property
    def views(self) -> list[ReshapeOp]:
        return [op for op in self.inside if isinstance(op, ReshapeOp)]


class _Grouping:
    def __init__(self, function: FuncOp, devices: Collection[str]) -> None:
        self.function = function
        self.devices = devices
        self.block = function.body.block
        self.levels: list[_Level] = []
        self.level_of: dict[Operation, int] = {}
        self.on_device: set[Operation | Block] = set()
        """Device calls, and views of what they return."""

    def run(self) -> list[FuncOp]:
        """Rewrite the function; returns the program functions that it calls now."""
        last = cast(Operation, self.block.last_op)
        for op in list(self.block.ops):
            if op is not last:
                self._assign(op)
        grouped = [level for level in self.levels if len(level.calls) > 1]
        if not grouped:
            return []
        programs: list[FuncOp] = []
        for level in self.levels:
            moved = [*level.host, *level.inside]
            if level in grouped:
                suffix = f"_{len(programs)}" if len(grouped) > 1 else ""
                group = _Group(f"{self.function.sym_name.data}_vta{suffix}", level)
                programs.append(group.build())
                moved = [*level.host, group.call, *group.kept]
            for op in moved:
                if op.parent is not None:
                    op.detach()
                self.block.insert_op_before(op, last)
            if level in grouped:
                _erase([op for op in level.inside if op not in moved])
        return programs

    def _assign(self, op: Operation) -> None:
        """The first level at which an operation can run."""
        inputs = [v.owner for inner in op.walk() for v in inner.operands if isinstance(v.owner, Operation)]
        known = [(self.level_of[owner], owner) for owner in inputs if owner in self.level_of]
        if isinstance(op, CallOp) and op.callee.string_value() in self.devices:
            number = max((level for level, _ in known), default=0)
            self._level(number).inside.append(op)
            self.on_device.add(op)
        elif isinstance(op, ReshapeOp) and op.source.owner in self.on_device:
            number = known[0][0]
            self._level(number).inside.append(op)
            self.on_device.add(op)
        else:
            number = max((level + (owner in self.on_device) for level, owner in known), default=0)
            self._level(number).host.append(op)
        self.level_of[op] = number

    def _level(self, number: int) -> _Level:
        while len(self.levels) <= number:
            self.levels.append(_Level())
        return self.levels[number]


class _Group:
    """The calls of one level as a function, and the call of it."""

    def __init__(self, name: str, level: _Level) -> None:
        self.name = name
        self.level = level
        self.inside = level.inside
        self.kept = self._kept_views()
        self.block = Block()
        self.outer: list[SSAValue] = []
        self.values: dict[SSAValue, SSAValue] = {}

    def build(self) -> FuncOp:
        for op in self.inside:
            for operand in op.operands:
                self._take(operand)
            clone = op.clone(self.values)
            clone.location = op.location
            self.block.add_op(clone)
            for old, new in zip(op.results, clone.results, strict=True):
                new.name_hint = old.name_hint
                self.values[old] = new
        results = [value for call in self.level.calls for value in call.res if self._is_used_outside(value)]
        self.block.add_op(ReturnOp(*(self.values[value] for value in results)))
        _erase_unused_views(self.block)
        kinds = FunctionType.from_lists([value.type for value in self.outer], [value.type for value in results])
        function = FuncOp(self.name, kinds, Region(self.block), "private")
        function.attributes[PROGRAM] = UnitAttr()
        self.call = CallOp(self.name, self.outer, [value.type for value in results])
        choices = [choice for call in self.level.calls for choice in choices_of(call)]
        if choices:
            self.call.attributes[CHOICE] = ArrayAttr([StringAttr(choice) for choice in choices])
        for old, new in zip(results, self.call.res, strict=True):
            new.name_hint = old.name_hint
            for use in [use for use in old.uses if use.operation not in self.level.calls]:
                use.operation.operands[use.index] = new
        return function

    def _take(self, operand: SSAValue) -> None:
        """Give the function what comes from outside: constants as its own, other values as arguments."""
        if operand in self.values:
            return
        if isinstance(operand.owner, ConstantOp):
            clone = operand.owner.clone()
            clone.result.name_hint = operand.name_hint
            self.block.add_op(clone)
            self.values[operand] = clone.result
            return
        self.outer.append(operand)
        argument = self.block.insert_arg(operand.type, len(self.block.args))
        argument.name_hint = operand.name_hint
        self.values[operand] = argument

    def _kept_views(self) -> list[Operation]:
        """Views that something outside of the group reads."""
        kept: list[Operation] = []
        for view in reversed(self.level.views):
            users = {use.operation for use in view.result.uses}
            if any(user in kept or user not in self.inside for user in users):
                kept.insert(0, view)
        return kept

    def _is_used_outside(self, value: SSAValue) -> bool:
        users = {use.operation for use in value.uses}
        return any(user in self.kept or user not in self.inside for user in users)


def _erase_unused_views(block: Block) -> None:
    for op in reversed(list(block.ops)):
        if isinstance(op, ReshapeOp) and not op.result.uses:
            op.detach()
            op.erase()


def _erase(ops: list[Operation]) -> None:
    for op in reversed(ops):
        op.detach()
    for op in reversed(ops):
        op.erase(safe_erase=False)
