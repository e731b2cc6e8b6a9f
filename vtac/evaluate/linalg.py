"""Direct execution of the input level: linalg ops on tensors or memrefs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp, ShapedType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp
from xdsl.dialects.memref import AllocOp, DeallocOp
from xdsl.ir import Operation, SSAValue

from vtac.dialects.packing import HostOp, YieldOp
from vtac.evaluate.arith import evaluate_body
from vtac.evaluate.buffers import Buffer
from vtac.evaluate.errors import EvaluationError
from vtac.evaluate.functions import bind_arguments, constant_buffer, function_named, function_of, stored
from vtac.evaluate.host import LAYOUT_OPS, change_layout
from vtac.evaluate.numbers import Array, number
from vtac.evaluate.structured import StructuredOp
from vtac.passes.tensor_views import view_of

Callee: TypeAlias = Callable[[Sequence[Array]], Sequence[Array]]


def evaluate_linalg(
    program: ModuleOp | FuncOp, arrays: Sequence[Array], callees: Mapping[str, Callee] | None = None
) -> tuple[Array, ...]:
    """Execute a function of linalg ops, `tensor.pad`, `tensor.empty` and constants as it stands.

    A called function of the same module is executed likewise, unless `callees` has an
    implementation of that name; layout changes and host segments are executed too.

    Each op runs over its parallel iterators at once and over its reductions one point after
    the other, in order. `arrays` are all arguments, of exactly their shapes and dtypes.
    Returns the memref arguments that an op writes, then what the function returns, as new
    arrays; integers wrap to their width.

    Raises `EvaluationError` for arrays that do not fit, an op of another kind, an index
    outside of an operand and a read of an element that nothing has written.
    """
    function = function_of(program)
    body = function.body.block
    evaluation = _Evaluation(bind_arguments(function, body.args, arrays), callees or {})
    returned: Sequence[SSAValue] = ()
    for op in body.ops:
        if isinstance(op, ReturnOp):
            returned = op.operands
        else:
            evaluation.run(op)
    written = [argument for argument in body.args if argument in evaluation.stored]
    results = [(value, evaluation.buffer(value, function)) for value in (*written, *returned)]
    return tuple(stored(value, buffer.contents("result", function)) for value, buffer in results)


@dataclass
class _Evaluation:
    buffers: dict[SSAValue, Buffer]
    callees: Mapping[str, Callee] = field(default_factory=dict[str, Callee])
    scalars: dict[SSAValue, Array] = field(default_factory=dict[SSAValue, Array])
    stored: set[SSAValue] = field(default_factory=set[SSAValue])

    def run(self, op: Operation) -> None:
        if isinstance(op, LinalgStructuredOperation):
            self._structured(op)
        elif isinstance(op, tensor.PadOp):
            self.buffers[op.result] = self._padded(op)
        elif isinstance(op, tensor.ExtractSliceOp):
            self.buffers[op.result] = self._slice(op)
        elif isinstance(op, tensor.EmptyOp | AllocOp):
            self.buffers[op.results[0]] = Buffer.for_value(op.results[0])
        elif (constant := constant_buffer(op)) is not None:
            self.buffers[op.results[0]] = constant
        elif isinstance(op, ConstantOp):
            self.scalars[op.result] = number(op.value)
        elif isinstance(op, LAYOUT_OPS):
            operands = [self.buffer(value, op) for value in _read_operands(op)]
            self._define(op, [change_layout(op, [operand.contents("operand", op) for operand in operands])])
        elif isinstance(op, HostOp):
            self._segment(op)
        elif isinstance(op, CallOp):
            self._call(op)
        elif not isinstance(op, DeallocOp):
            raise EvaluationError(
                f"cannot execute '{op.name}' at the input level: it is made of linalg structured ops, tensor.pad, "
                "tensor.extract_slice, tensor.empty, memref.alloc, memref.get_global and arith.constant",
                op,
            )

    def buffer(self, value: SSAValue, op: Operation) -> Buffer:
        if value not in self.buffers:
            raise EvaluationError(f"'{value.name_hint or '?'}' of type {value.type} has no contents here", op)
        return self.buffers[value]

    def _define(self, op: Operation, arrays: Sequence[Array]) -> None:
        for result, array in zip(op.results, arrays, strict=True):
            self.buffers[result] = Buffer(result.name_hint or op.name, array)

    def _segment(self, op: HostOp) -> None:
        for inner in op.body.block.ops:
            if isinstance(inner, YieldOp):
                for result, value in zip(op.outputs, inner.values, strict=True):
                    self.buffers[result] = self.buffer(value, op)
            else:
                self.run(inner)

    def _call(self, op: CallOp) -> None:
        name = op.callee.string_value()
        arrays = [self.buffer(value, op).contents("argument", op) for value in op.arguments]
        if name in self.callees:
            self._define(op, self.callees[name](arrays))
            return
        callee = function_named(op, name)
        self._define(op, evaluate_linalg(callee, arrays, self.callees))

    def _structured(self, op: LinalgStructuredOperation) -> None:
        targets = [self.buffer(value, op) for value in op.outputs]
        if op.res:
            targets = [
                target.copy(result.name_hint or target.name) for target, result in zip(targets, op.res, strict=True)
            ]
            self.buffers.update(zip(op.res, targets, strict=True))
        else:
            self.stored.update(op.outputs)
        StructuredOp(op, [self._operand(value, op) for value in op.inputs], targets, self.scalars).execute()

    def _operand(self, value: SSAValue, op: Operation) -> Buffer | Array:
        if isinstance(value.type, ShapedType):
            return self.buffer(value, op)
        if value not in self.scalars:
            raise EvaluationError(f"'{op.name}': the scalar operand '{value.name_hint or '?'}' is no constant", op)
        return self.scalars[value]

    def _slice(self, op: tensor.ExtractSliceOp) -> Buffer:
        view = view_of(op)
        sizes = op.static_sizes.get_values()
        source = self.buffer(op.source, op)
        taken = tuple(
            slice(offset, offset + (size - 1) * stride + 1, stride)
            for offset, size, stride in zip(view.offsets, sizes, view.strides, strict=True)
        )
        written = None if source.written is None else source.written[taken]
        return Buffer(op.result.name_hint or source.name, source.data[taken], written)

    def _padded(self, op: tensor.PadOp) -> Buffer:
        low, high = op.static_low.get_values(), op.static_high.get_values()
        if op.low or op.high or any(size < 0 for size in (*low, *high)):
            raise EvaluationError("tensor.pad: pad sizes must be constants and not negative", op)
        body = op.region.block
        known = {argument: np.arange(1, dtype=np.int64) for argument in body.args}
        if any(argument.uses for argument in body.args):
            raise EvaluationError("tensor.pad: the pad value must not depend on the position", op)
        value = evaluate_body(body, list(known.values()), self.scalars, None)[0]
        source = self.buffer(op.source, op)
        widths = list(zip(low, high, strict=True))
        data = np.pad(source.data, widths, constant_values=value[0]) if widths else source.data.copy()
        written = None if source.written is None else np.pad(source.written, widths, constant_values=True)
        return Buffer(op.result.name_hint or source.name, data, written)


def _read_operands(op: Operation) -> Sequence[SSAValue]:
    """The operands whose contents an op needs: not the tensor that only gives a broadcast's shape."""
    return op.operands[:1] if isinstance(op, BroadcastOp) else op.operands
