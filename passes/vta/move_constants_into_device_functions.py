"""move-constants-into-device-functions: what a device function is always called with is its own.

before: %w = arith.constant            after: func.call @net_0(%x)
        func.call @net_0(%x, %w)              func.func private @net_0(%x) { %w = arith.constant ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import BlockArgument
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import calls_of, device_functions, host_functions
from vtac.rewriting.edits import insert_ops, replace_uses, stand_for
from vtac.rewriting.walker import rewrite_once


@dataclass
class MoveConstants(RewritePattern):
    """The only call of a device function leaves out constants, which become part of that function."""

    devices: Mapping[str, FuncOp]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CallOp, rewriter: PatternRewriter) -> None:
        device = self.devices.get(op.callee.string_value())
        constants = [argument.owner for argument in op.arguments]
        if device is None or not any(isinstance(owner, ConstantOp) for owner in constants):
            return
        body = device.body.block
        point = InsertPoint.at_start(body)
        for argument, owner in zip(tuple(body.args), constants, strict=True):
            if isinstance(owner, ConstantOp):
                _replace_argument(argument, owner, point, rewriter)
        device.update_function_type()
        kept = [argument for argument in op.arguments if not isinstance(argument.owner, ConstantOp)]
        call = CallOp(op.callee, kept, list(op.result_types))
        stand_for(call, op)
        for old, new in zip(op.results, call.results, strict=True):
            new.name_hint = old.name_hint
        rewriter.replace(op, call)


def _replace_argument(
    argument: BlockArgument, constant: ConstantOp, point: InsertPoint, rewriter: PatternRewriter
) -> None:
    inside = constant.clone()
    inside.result.name_hint = argument.name_hint
    insert_ops(inside, point, rewriter)
    replace_uses(argument, inside.result, rewriter)
    rewriter.erase_block_argument(argument)


@dataclass(frozen=True)
class MoveConstantsIntoDeviceFunctions(ModulePass):
    """Let device functions that are called once, by a host function, hold the constants of that call.

    requires: functions as group-device-calls leaves them; a program keeps its constants, so that
              layers of one shape can share a device function.
    ensures:  such a call has no constant argument; the constants of the host stay where they are,
              for fold-constants to drop.
    declines: nothing.
    """

    name = "move-constants-into-device-functions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        devices = {f.sym_name.data: f for f in device_functions(op) if len(calls_of(op, {f.sym_name.data})) == 1}
        for function in host_functions(op):
            rewrite_once(function, MoveConstants(devices))
