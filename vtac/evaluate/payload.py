"""Direct execution of the schedule dialect's payload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from xdsl.dialects import scf
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.arith import AndIOp, CmpiOp, ConstantOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.memref import AllocOp, DeallocOp
from xdsl.ir import Block, BlockArgument, SSAValue

from vtac.analysis.nests.nest import blocks_under, buffer_name
from vtac.analysis.nests.tiles import perfect_nest
from vtac.dialects.schedule.declared import CONSTANT, RESULT
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.evaluate.affine import evaluate_map
from vtac.evaluate.arith import compute
from vtac.evaluate.blocks import Axis, BlockStatement
from vtac.evaluate.buffers import Buffer, shape_of_type
from vtac.evaluate.functions import bind_arguments, constant_buffer, function_of, stored
from vtac.evaluate.numbers import Array, dense, number
from vtac.evaluate.refusals import refused
from vtac.evaluate.work import refuse_too_much


def evaluate_payload(program: ModuleOp | FuncOp, arrays: Sequence[Array]) -> tuple[Array, ...]:
    """Execute a payload function: loops of any kind in order, blocks where their guards hold.

    `arrays` are the function's arguments in order, of exactly their shapes and dtypes, without
    those marked `schedule.result` or `schedule.constant`. Returns the arguments so marked and those that a block
    writes, in order, as new arrays. Integers wrap to their width.

    Raises `EvaluationError` for arrays that do not fit, an op that is no payload, an index
    outside of a buffer or a variable outside of a block's domain, a read of an element that
    nothing has written, a result that is not written wholly, and more work than the limits allow.
    """
    function = function_of(program)
    refuse_too_much(function)
    arguments = function.body.block.args
    results = [argument for argument in arguments if _is_result(function, argument)]
    constants = _constants(function)
    parameters = [argument for argument in arguments if argument not in results and argument not in constants]
    execution = _Execution(bind_arguments(function, parameters, arrays))
    execution.buffers.update(constants)
    execution.buffers.update({result: Buffer.for_value(result) for result in results})
    execution.run(function.body.block)
    written = {block.output for block in blocks_under(function)}
    return tuple(
        stored(argument, execution.buffers[argument].contents("result", function))
        for argument in arguments
        if argument in results or argument in written
    )


def _constants(function: FuncOp) -> dict[SSAValue, Buffer]:
    """The buffers of arguments whose contents the function's attributes hold."""
    found: dict[SSAValue, Buffer] = {}
    for argument in function.body.block.args:
        contents = CONSTANT.of_argument(function, argument.index)
        if contents is not None:
            values = dense(contents, shape_of_type(argument.type))
            found[argument] = Buffer(buffer_name(argument), values)
    return found


def _is_result(function: FuncOp, argument: BlockArgument) -> bool:
    return RESULT.of_argument(function, argument.index) is not None


@dataclass
class _Execution:
    """The buffers, loop variables and scalars that are alive."""

    buffers: dict[SSAValue, Buffer]
    loops: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])
    scalars: dict[SSAValue, Array] = field(default_factory=dict[SSAValue, Array])
    nests: dict[ForOp, tuple[list[ForOp], BlockOp] | None] = field(
        default_factory=dict[ForOp, tuple[list[ForOp], BlockOp] | None]
    )

    def run(self, body: Block) -> None:
        for op in body.ops:
            if isinstance(op, ForOp):
                self._run_loop(op)
            elif isinstance(op, BlockOp):
                self._run_block(op, [])
            elif isinstance(op, AllocOp):
                self.buffers[op.memref] = Buffer.for_value(op.memref)
            elif (constant := constant_buffer(op)) is not None:
                self.buffers[op.results[0]] = constant
            elif isinstance(op, scf.IfOp):
                if self.scalars[op.cond].all():
                    self.run(op.true_region.block)
            elif isinstance(op, ConstantOp):
                self.scalars[op.result] = number(op.value)
            elif isinstance(op, ApplyOp | CmpiOp | AndIOp):
                self._compute_index(op)
            elif not isinstance(op, ReturnOp | DeallocOp | scf.YieldOp):
                raise refused(
                    f"cannot execute '{op.name}' in a payload: it is made of schedule.for, schedule.block, scf.if, "
                    "memref.alloc, memref.get_global and arith.constant",
                    op,
                )

    def _compute_index(self, op: ApplyOp | CmpiOp | AndIOp) -> None:
        """A condition on loop variables, and the indices that it compares."""
        operands = [
            np.atleast_1d(np.asarray(self.loops[value])) if value in self.loops else self.scalars[value]
            for value in op.operands
        ]
        if isinstance(op, ApplyOp):
            (result,) = evaluate_map(op.map.data, [value.astype(np.int64) for value in operands])
            self.scalars[op.result] = np.atleast_1d(np.asarray(result, np.int64))
        else:
            self.scalars[op.result] = compute(op, operands, None)

    def _run_loop(self, loop: ForOp) -> None:
        if loop not in self.nests:
            self.nests[loop] = perfect_nest(loop)
        nest = self.nests[loop]
        if nest is not None:
            self._run_block(nest[1], nest[0])
            return
        for iteration in range(loop.trip_count):
            self.loops[loop.induction_variable] = iteration
            self.run(loop.body.block)

    def _run_block(self, block: BlockOp, nest: Sequence[ForOp]) -> None:
        statement = BlockStatement(
            block,
            tuple(self._buffer(value, block) for value in block.inputs),
            self._buffer(block.output, block),
            self.scalars,
        )
        statement.execute([Axis(loop.induction_variable, 0, loop.trip_count) for loop in nest], self.loops)

    def _buffer(self, value: SSAValue, block: BlockOp) -> Buffer:
        if value not in self.buffers:
            raise refused(
                f"block '{block.block_name}' uses '{value.name_hint or '?'}', which is no buffer that is alive here",
                block,
            )
        return self.buffers[value]
