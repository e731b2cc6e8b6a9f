"""The operations of one kernel as a function of its own."""

from __future__ import annotations

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import FloatAttr, FunctionType, IntegerAttr, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import Block, Operation, Region, SSAValue

from vtac.analysis.kernels.kernel_groups import KernelGroup, read_values
from vtac.rewriting.edits import append

WITHIN = (tensor.EmptyOp, FillOp, tensor.ExtractSliceOp)
"""What a kernel makes for itself of what it reads."""


def are_equal(one: FuncOp, other: FuncOp) -> bool:
    """Whether two functions differ in their names alone."""
    alike = other.clone()
    alike.sym_name = StringAttr(one.sym_name.data)
    return one.is_structurally_equivalent(alike)


class Outline:
    """The operations of a group as the body of a function, and what it is called with."""

    def __init__(self, group: KernelGroup) -> None:
        self.group = group
        self.body = Block()
        self.operands: list[SSAValue] = []
        self._values: dict[SSAValue, SSAValue] = {}
        self._taken: set[str] = set()
        for op in group.operations:
            self._clone(op)
        root = self._values[group.root.results[0]]
        root.name_hint = self._free_name(root.name_hint)
        append(ReturnOp(self._values[group.root.results[0]]), self.body)

    def function(self, name: str) -> FuncOp:
        """The function, of that name."""
        kinds = FunctionType.from_lists([value.type for value in self.operands], [self.group.root.results[0].type])
        found = FuncOp(name, kinds, Region(self.body), visibility=StringAttr("private"))
        found.location = self.group.root.location
        return found

    def _clone(self, op: Operation) -> None:
        for value in read_values(op):
            self._take(value)
        clone = op.clone(self._values)
        clone.location = op.location
        append(clone, self.body)
        for old, new in zip(op.results, clone.results, strict=True):
            new.name_hint = old.name_hint
            self._values[old] = new

    def _take(self, value: SSAValue) -> None:
        if value in self._values:
            return
        owner = value.owner
        is_scalar = isinstance(owner, ConstantOp) and isinstance(owner.value, IntegerAttr | FloatAttr)
        if isinstance(owner, Operation) and (is_scalar or isinstance(owner, WITHIN)):
            self._clone(owner)
            return
        self.operands.append(value)
        argument = self.body.insert_arg(value.type, len(self.body.args))
        argument.name_hint = self._free_name(value.name_hint)
        self._values[value] = argument

    def _free_name(self, name: str | None) -> str:
        """A name for an argument or the result, which no other has: they are parameters of one kernel."""
        base = name or "value"
        found, count = base, 2
        while found in self._taken:
            found, count = f"{base}_x{count}", count + 1
        self._taken.add(found)
        return found
