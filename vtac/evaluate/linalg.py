"""Direct execution of the input level: linalg ops on tensors or memrefs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp, ShapedType, TensorType
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, ReduceOp
from xdsl.dialects.memref import LoadOp
from xdsl.ir import Operation, SSAValue

from vtac.dialects.packing import HostOp, YieldOp
from vtac.dialects.packing.declared import PROGRAM
from vtac.dialects.wmma.attention import AttentionOp
from vtac.evaluate import control, memory, tensors
from vtac.evaluate.arith import SUPPORTED, compute, extracted, read_by
from vtac.evaluate.attention import attention
from vtac.evaluate.buffers import Buffer, shape_of_type
from vtac.evaluate.executable import EVALUATED
from vtac.evaluate.frame import Callee, Found, Frame, Handler, Shared
from vtac.evaluate.functions import bind_values, constant_buffer, function_named, function_of, stored
from vtac.evaluate.host import LAYOUT_OPS, change_layout
from vtac.evaluate.loops import reduced
from vtac.evaluate.numbers import Array, number
from vtac.evaluate.refusals import refused
from vtac.evaluate.structured import StructuredOp
from vtac.evaluate.work import refuse_too_much


def evaluate_linalg(
    program: ModuleOp | FuncOp, arrays: Sequence[Array], callees: Mapping[str, Callee] | None = None
) -> tuple[Array, ...]:
    """Execute a function of linalg ops, tensors, buffers, loops and choices as it stands.

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
    evaluation = _Evaluation(shared=Shared(callees or {}))
    evaluation.bind(body.args, bind_values(function, arrays))
    with np.errstate(all="ignore"):
        returned = evaluation.run_block(body).operands
    written = [argument for argument in body.args if argument in evaluation.shared.stored]
    results = [(value, evaluation.value(value, function)) for value in (*written, *returned)]
    return tuple(stored(value, _contents(found, function)) for value, found in results)


def _contents(found: Found, function: FuncOp) -> Array:
    """A result as an array of its shape."""
    return found.contents("result", function) if isinstance(found, Buffer) else found.reshape(())


@dataclass
class _Evaluation(Frame):
    def run(self, op: Operation) -> None:
        handler = _handler(type(op))
        if handler is not None:
            handler(op, self)
        elif isinstance(op, LinalgStructuredOperation):
            self._structured(op)
        elif (constant := constant_buffer(op)) is not None:
            self.buffers[op.results[0]] = constant
        elif isinstance(op, ConstantOp):
            self.scalars[op.result] = number(op.value)
        elif op.name in SUPPORTED or isinstance(op, tensor.SplatOp | tensor.ExtractOp):
            self._scalar_op(op)
        elif isinstance(op, LAYOUT_OPS):
            operands = [self.buffer(value, op) for value in _read_operands(op)]
            self._give(op, change_layout(op, [operand.contents("operand", op) for operand in operands]))
        elif isinstance(op, AttentionOp):
            operands = [self.buffer(value, op).contents("operand", op) for value in op.operands]
            self._define(op, [attention(op, operands)])
        elif isinstance(op, HostOp | CallOp | ReduceOp):
            self._nested(op)
        else:
            raise refused(
                f"cannot execute '{op.name}' at the input level: it is made of {EVALUATED}",
                op,
            )

    def _scalar_op(self, op: Operation) -> None:
        """One operation on scalars, or on all elements of tensors; or an element of a tensor."""
        if isinstance(op, tensor.ExtractOp):
            source = self.buffer(op.tensor, op).contents("operand", op)
            indices = [np.asarray(self.value(value, op)).reshape(1) for value in op.indices]
            self.scalars[op.result] = extracted(op, indices, {op.tensor: source}, 1).reshape(())
            return
        operands = [self.value(value, op) for value in op.operands]
        arrays = [one.contents("operand", op) if isinstance(one, Buffer) else one for one in operands]
        result = op.results[0]
        if not isinstance(result.type, ShapedType):
            self.scalars[result] = compute(op, arrays, None)
            return
        shape = shape_of_type(result.type)
        arrays = [array.reshape(array.shape or (1,)) for array in arrays]
        done = arrays[0] if isinstance(op, tensor.SplatOp) else compute(op, arrays, None)
        self._define(op, [np.array(np.broadcast_to(done, shape or (1,)).reshape(shape))])

    def _define(self, op: Operation, arrays: Sequence[Array]) -> None:
        for result, array in zip(op.results, arrays, strict=True):
            self.buffers[result] = Buffer(result.name_hint or op.name, array)

    def _give(self, op: Operation, array: Array) -> None:
        """What an operation computes: its result, or what it writes to the buffer that is its last operand."""
        if op.results:
            self._define(op, [array])
            return
        target = self.buffer(op.operands[-1], op)
        self.note_write(target, op)
        target.put((...,), array)

    def _nested(self, op: HostOp | CallOp | ReduceOp) -> None:
        """What executes a region, or another function."""
        match op:
            case HostOp():
                self._segment(op)
            case CallOp():
                self._call(op)
            case ReduceOp():
                source, start = (self.buffer(value, op).contents("operand", op) for value in op.operands)
                self._give(op, reduced(op, source, start))

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
        callees = self.shared.callees
        if name in callees:
            given = [self.buffer(value, op) for value in op.arguments]
            self._define(op, callees[name]([one.data for one in given]))
            return
        callee = function_named(op, name)
        if PROGRAM.is_on(callee):  # it may itself write what a buffer that it is given still lacks
            given = [self.buffer(value, op) for value in op.arguments]
            self._define(op, evaluate_linalg(callee, [one.data for one in given], callees))
            return
        refuse_too_much(callee)
        for value in op.arguments:
            if isinstance(value.type, TensorType):
                self.buffer(value, op).contents("argument", op)
        inner = _Evaluation(shared=self.shared)
        inner.bind(callee.body.block.args, [self.value(value, op) for value in op.arguments])
        self.bind(op.results, inner.yielded(callee.body.block))

    def _structured(self, op: LinalgStructuredOperation) -> None:
        targets = [self.buffer(value, op) for value in op.outputs]
        if op.res:
            targets = [
                target.copy(result.name_hint or target.name) for target, result in zip(targets, op.res, strict=True)
            ]
            self.buffers.update(zip(op.res, targets, strict=True))
        else:
            for target in targets:
                self.note_write(target, op)
        inputs = [self.value(value, op) for value in op.inputs]
        extracts = [inner for inner in op.body.block.ops if isinstance(inner, tensor.ExtractOp | LoadOp)]
        sources = {read_by(one) for one in extracts}
        tensors = {one: self.buffer(one, op).contents("operand", op) for one in sources}
        StructuredOp(op, inputs, targets, self.scalars, tensors).execute()


def _read_operands(op: Operation) -> Sequence[SSAValue]:
    """The operands whose contents an op needs: not the tensor that only gives a broadcast's shape."""
    return op.operands[:1] if isinstance(op, BroadcastOp) else op.operands


_HANDLERS = {**memory.HANDLERS, **control.HANDLERS, **tensors.HANDLERS}


@cache
def _handler(kind: type[Operation]) -> Handler | None:
    """What executes operations of a class, or of one that it is made from."""
    return next((_HANDLERS[base] for base in kind.__mro__ if base in _HANDLERS), None)
