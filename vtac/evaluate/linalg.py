"""Direct execution of the input level: linalg ops on tensors or memrefs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from xdsl.dialects import scf, tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp, ShapedType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, ReduceOp
from xdsl.dialects.memref import AllocOp, DeallocOp
from xdsl.ir import Operation, SSAValue

from vtac.dialects.packing import HostOp, YieldOp
from vtac.dialects.packing.declared import PROGRAM
from vtac.dialects.wmma.attention import AttentionOp
from vtac.evaluate.arith import SUPPORTED, compute, extracted
from vtac.evaluate.attention import attention
from vtac.evaluate.buffers import Buffer, shape_of_type
from vtac.evaluate.executable import EXECUTED
from vtac.evaluate.functions import bind_arguments, constant_buffer, function_named, function_of, stored
from vtac.evaluate.host import LAYOUT_OPS, change_layout
from vtac.evaluate.loops import iterations, reduced
from vtac.evaluate.numbers import Array, number
from vtac.evaluate.refusals import refused
from vtac.evaluate.slices import inserted, padded, sliced
from vtac.evaluate.structured import StructuredOp
from vtac.evaluate.work import refuse_too_much

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
    outside of an operand, a read of an element that nothing has written, and for more work than
    the limits allow.
    """
    function = function_of(program)
    refuse_too_much(function)
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
            self.buffers[op.result] = padded(op, self.buffer(op.source, op), self.scalars)
        elif isinstance(op, tensor.ExtractSliceOp):
            self.buffers[op.result] = sliced(op, self.buffer(op.source, op), self.scalars)
        elif isinstance(op, tensor.InsertSliceOp):
            self.buffers[op.result] = inserted(op, self.buffer(op.source, op), self.buffer(op.dest, op), self.scalars)
        elif isinstance(op, tensor.EmptyOp | AllocOp):
            self.buffers[op.results[0]] = Buffer.for_value(op.results[0])
        elif (constant := constant_buffer(op)) is not None:
            self.buffers[op.results[0]] = constant
        elif isinstance(op, ConstantOp):
            self.scalars[op.result] = number(op.value)
        elif op.name in SUPPORTED or isinstance(op, tensor.SplatOp | tensor.ExtractOp):
            self._scalar_op(op)
        elif isinstance(op, LAYOUT_OPS):
            operands = [self.buffer(value, op) for value in _read_operands(op)]
            self._define(op, [change_layout(op, [operand.contents("operand", op) for operand in operands])])
        elif isinstance(op, AttentionOp):
            operands = [self.buffer(value, op).contents("operand", op) for value in op.operands]
            self._define(op, [attention(op, operands)])
        elif isinstance(op, HostOp | CallOp | scf.ForOp | ReduceOp):
            self._nested(op)
        elif not isinstance(op, DeallocOp):
            raise refused(
                f"cannot execute '{op.name}' at the input level: it is made of {EXECUTED}",
                op,
            )

    def _scalar_op(self, op: Operation) -> None:
        """One operation on scalars, or on all elements of tensors; or an element of a tensor."""
        if isinstance(op, tensor.ExtractOp):
            source = self.buffer(op.tensor, op).contents("operand", op)
            indices = [np.asarray(self._operand(value, op)).reshape(1) for value in op.indices]
            self.scalars[op.result] = extracted(op, indices, {op.tensor: source}, 1).reshape(())
            return
        operands = [self._operand(value, op) for value in op.operands]
        arrays = [one.contents("operand", op) if isinstance(one, Buffer) else one for one in operands]
        result = op.results[0]
        if not isinstance(result.type, ShapedType):
            self.scalars[result] = compute(op, arrays, None)
            return
        shape = shape_of_type(result.type)
        arrays = [array.reshape(array.shape or (1,)) for array in arrays]
        done = arrays[0] if isinstance(op, tensor.SplatOp) else compute(op, arrays, None)
        self._define(op, [np.array(np.broadcast_to(done, shape or (1,)).reshape(shape))])

    def buffer(self, value: SSAValue, op: Operation) -> Buffer:
        if value not in self.buffers:
            raise refused(f"'{value.name_hint or '?'}' of type {value.type} has no contents here", op)
        return self.buffers[value]

    def _define(self, op: Operation, arrays: Sequence[Array]) -> None:
        for result, array in zip(op.results, arrays, strict=True):
            self.buffers[result] = Buffer(result.name_hint or op.name, array)

    def _nested(self, op: HostOp | CallOp | scf.ForOp | ReduceOp) -> None:
        """What executes a region, or another function."""
        match op:
            case HostOp():
                self._segment(op)
            case CallOp():
                self._call(op)
            case scf.ForOp():
                self._loop(op)
            case ReduceOp():
                source, start = (self.buffer(value, op).contents("operand", op) for value in op.operands)
                self._define(op, [reduced(op, source, start)])

    def _loop(self, op: scf.ForOp) -> None:
        """The iterations of a loop, one after the other."""
        block = op.body.block
        carried = [self.buffer(value, op) for value in op.iter_args]
        for index in iterations(op):
            self.scalars[block.args[0]] = np.array(index, np.int64)
            self.buffers.update(zip(block.args[1:], carried, strict=True))
            for inner in block.ops:
                if inner is block.last_op:
                    carried = [self.buffer(value, op) for value in inner.operands]
                else:
                    self.run(inner)
        self.buffers.update(zip(op.results, carried, strict=True))

    def _segment(self, op: HostOp) -> None:
        for inner in op.body.block.ops:
            if isinstance(inner, YieldOp):
                for result, value in zip(op.outputs, inner.values, strict=True):
                    if value in self.scalars:
                        self.scalars[result] = self.scalars[value]
                    else:
                        self.buffers[result] = self.buffer(value, op)
            else:
                self.run(inner)

    def _call(self, op: CallOp) -> None:
        name = op.callee.string_value()
        given = [self.buffer(value, op) for value in op.arguments]
        if name in self.callees:
            self._define(op, self.callees[name]([one.data for one in given]))
            return
        callee = function_named(op, name)
        # A program of several kernels may itself write what a buffer that it is given still lacks.
        arrays = [one.data if PROGRAM.is_on(callee) else one.contents("argument", op) for one in given]
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
        inputs = [self._operand(value, op) for value in op.inputs]
        extracts = [inner for inner in op.body.block.ops if isinstance(inner, tensor.ExtractOp)]
        tensors = {one.tensor: self.buffer(one.tensor, op).contents("operand", op) for one in extracts}
        StructuredOp(op, inputs, targets, self.scalars, tensors).execute()

    def _operand(self, value: SSAValue, op: Operation) -> Buffer | Array:
        if isinstance(value.type, ShapedType):
            return self.buffer(value, op)
        if value not in self.scalars:
            raise refused(f"'{op.name}': the scalar operand '{value.name_hint or '?'}' is no constant", op)
        return self.scalars[value]


def _read_operands(op: Operation) -> Sequence[SSAValue]:
    """The operands whose contents an op needs: not the tensor that only gives a broadcast's shape."""
    return op.operands[:1] if isinstance(op, BroadcastOp) else op.operands
