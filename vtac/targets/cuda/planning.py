"""From a function of kernel calls to its launch plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.kernel_constants import dtype_name
from vtac.analysis.nests.nest import buffer_name
from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.errors import CompileError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.dynamic_plan import GridSize
from vtac.targets.cuda.emit.expressions import identifier
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.plan import BufferRole, LaunchPlan, PlanBuffer, PlanStep, place_scratch


def main_function(module: ModuleOp) -> FuncOp:
    """The function that calls the kernels: the one that is not private."""
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    return next(op for op in functions if op.sym_visibility is None or op.sym_visibility.data != "private")


@dataclass
class Planner:
    """Walks the calls of a function; `kernels` are the launch records of its callees by name, in order.

    `grids` are rules of those that take a dynamic size: as their last parameter.
    """

    function: FuncOp
    kernels: Mapping[str, LaunchRecord]
    grids: Mapping[str, GridSize] = field(default_factory=dict[str, GridSize])
    buffers: list[PlanBuffer] = field(default_factory=list[PlanBuffer])
    constants: dict[str, Array] = field(default_factory=dict[str, Array])
    steps: list[PlanStep] = field(default_factory=list[PlanStep])
    size: int | None = None
    """The buffer of the dynamic size."""
    _numbers: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])
    _names: set[str] = field(default_factory=set[str])

    def plan(self) -> LaunchPlan:
        """The plan. Scratch buffers share memory where they are needed at different times."""
        body = self.function.body.block
        for argument in body.args:
            self._add(argument, "argument")
        returned = self._returned()
        for value in returned:
            self._add(value, "result")
        for op in body.ops:
            if isinstance(op, CallOp):
                self._call(op)
        placed, scratch = place_scratch(self.buffers)
        name = self.function.sym_name.data
        return LaunchPlan(name, tuple(self.kernels.values()), tuple(self.steps), tuple(placed), scratch)

    def _returned(self) -> list[SSAValue]:
        last = self.function.body.block.last_op
        return list(last.operands) if isinstance(last, ReturnOp) else []

    def _call(self, op: CallOp) -> None:
        name, number = op.callee.string_value(), len(self.steps)
        record = self.kernels[name]
        operands = [self._number_of(value, number) for value in op.arguments]
        result = self._number_of(op.results[0], number)
        order = [*operands, result, *self._size_of(name)]
        if len(order) != len(record.parameters):
            raise CompileError(f"kernel '{name}' has {len(record.parameters)} parameters; its call gives {len(order)}")
        self.steps.append(PlanStep(list(self.kernels).index(name), tuple(order)))

    def _size_of(self, kernel: str) -> list[int]:
        """The buffer of the dynamic size, where a kernel has a parameter for it, behind all others."""
        if kernel not in self.grids:
            return []
        if self.size is None:
            self.size, name, count = len(self.buffers), "size", 1
            while name in self._names:
                name, count = f"size_{count}", count + 1
            self._names.add(name)
            self.buffers.append(PlanBuffer(name, "constant", "int32", (1,)))
            self.constants[name] = np.ones(1, np.int32)
        return [self.size]

    def _number_of(self, value: SSAValue, step: int) -> int:
        """The buffer of a value, whatever its shape, which a step needs."""
        source = _whole(value)
        if source not in self._numbers:
            owner = source.owner
            self._add(source, "constant" if isinstance(owner, ConstantOp) else "scratch")
        at = self._numbers[source]
        buffer = self.buffers[at]
        if buffer.role == "scratch":
            first = step if buffer.first is None else buffer.first
            self.buffers[at] = replace(buffer, first=first, last=step)
        return at

    def _add(self, value: SSAValue, role: BufferRole) -> None:
        source = _whole(value)
        name = base = identifier(buffer_name(value))
        count = 1
        while name in self._names:
            name, count = f"{base}_{count}", count + 1
        self._names.add(name)
        self._numbers[source] = len(self.buffers)
        dtype = dtype_name(
            element_of(value), location_of(source.owner if isinstance(source.owner, Operation) else self.function)
        )
        self.buffers.append(PlanBuffer(name, role, dtype, tuple(shape_of(value))))
        owner = source.owner
        if isinstance(owner, ConstantOp):
            self.constants[name] = _contents(owner, self.buffers[-1])


def _whole(value: SSAValue) -> SSAValue:
    """The value whose elements another has in another shape."""
    while isinstance(value.owner, RESHAPES):
        value = cast(Operation, value.owner).operands[0]
    return value


def _contents(op: ConstantOp, buffer: PlanBuffer) -> Array:
    """The elements of a dense constant as a buffer holds them."""
    if not isinstance(op.value, DenseIntOrFPElementsAttr):
        raise CompileError(f"constant '{buffer.name}' is not dense")
    values = np.frombuffer(op.value.data.data, np.dtype(buffer.numpy_dtype).newbyteorder("<"))
    whole = np.broadcast_to(values.reshape(()), buffer.shape) if values.size == 1 else values.reshape(buffer.shape)
    return np.array(whole, whole.dtype.newbyteorder("="))
