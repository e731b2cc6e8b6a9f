"""Operations that become a device function, as that function on plain tensors and its call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import FloatAttr, FunctionType, IntegerAttr, StringAttr
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.ops import FillOp
from xdsl.ir import Block, Operation, Region, SSAValue

from vtac.analysis.ir.walks import values_from_outside
from vtac.analysis.operations.reshapes import RESHAPES
from vtac.dialects.packing import BlockDiagonalOp
from vtac.dialects.packing.declared import CHOICE, DEVICE, LAYER, ORDER, PLAIN, STEPS
from vtac.dialects.schedule.declared import NAME
from vtac.partition.anchors import source_of
from vtac.partition.clusters import Cluster
from vtac.rewriting.edits import append


@dataclass
class Outline:
    """A cluster's operations as the body of a function."""

    cluster: Cluster
    results: Sequence[SSAValue]
    body: Block = field(default_factory=Block)
    operands: list[SSAValue] = field(default_factory=list[SSAValue])
    values: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    choices: dict[str, None] = field(default_factory=dict[str, None])

    def __post_init__(self) -> None:
        self.absorbed = self._absorbed()
        for op in self.cluster.ops:
            self._clone(op)
        append(ReturnOp(*(self.values[value] for value in self.results)), self.body)

    def function(self, name: str) -> FuncOp:
        kinds = FunctionType.from_lists([value.type for value in self.operands], [value.type for value in self.results])
        found = FuncOp(name, kinds, Region(self.body), visibility=StringAttr("private"))
        found.location = (
            self.cluster.ops[-1].location if self.cluster.anchor is None else self.cluster.anchor.op.location
        )
        DEVICE.set(found, True)
        PLAIN.set(found, True)
        if self.cluster.anchor is not None:
            places = self.cluster.places[cast(Operation, self.results[0].owner)]
            ORDER.set(found, tuple(sorted(range(len(places)), key=places.__getitem__)))
        return found

    def call(self, name: str) -> CallOp:
        call = CallOp(name, self.operands, [value.type for value in self.results])
        call.location = self.cluster.ops[-1].location
        last = self.results[-1]
        is_returned = any(isinstance(use.operation, ReturnOp) for use in last.uses)
        given = NAME.get(last.owner) if isinstance(last.owner, Operation) else None
        LAYER.set(call, given or last.name_hint or ("result" if is_returned else "narrow"))
        if self.choices:
            CHOICE.set(call, "; ".join(self.choices))
        return call

    def _absorbed(self) -> set[Operation]:
        """The padding that the loads of a product or pooling do, and views of its operands that decide on layouts."""
        anchor = self.cluster.anchor
        if anchor is None:
            return set()
        found: set[Operation] = set()
        source, _, _ = source_of(anchor)
        value = anchor.data
        while value is not source and isinstance(value.owner, tensor.PadOp):
            found.add(value.owner)
            value = value.owner.source
        if anchor.kernel is not None and isinstance(anchor.kernel.owner, BlockDiagonalOp):
            found.add(anchor.kernel.owner)
        if not anchor.windows and isinstance(source.owner, RESHAPES):
            found.add(source.owner)
        return found

    def _clone(self, op: Operation) -> None:
        for operand in values_from_outside(op):
            self._take(operand)
        clone = op.clone(self.values)
        clone.location = op.location
        if isinstance(choice := CHOICE.remove(clone), str):
            self.choices[choice] = None
        STEPS.remove(clone)
        append(clone, self.body)
        for old, new in zip(op.results, clone.results, strict=True):
            new.name_hint = old.name_hint
            self.values[old] = new

    def _take(self, value: SSAValue) -> None:
        """Make a value one of the function: what it can make itself, else an argument."""
        if value in self.values:
            return
        owner = value.owner
        scalar = isinstance(owner, ConstantOp) and isinstance(owner.value, IntegerAttr | FloatAttr)
        if scalar or isinstance(owner, tensor.EmptyOp | FillOp) or owner in self.absorbed:
            self._clone(cast(Operation, owner))
            return
        self.operands.append(value)
        argument = self.body.insert_arg(value.type, len(self.body.args))
        argument.name_hint = value.name_hint
        self.values[value] = argument
