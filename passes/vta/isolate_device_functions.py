"""isolate-device-functions: a module of its own for each device function, to be lowered there.

before: func.func private @net_0(...)      after: func.func private @net_0(...)
        schedule.script @net_0 {...}              builtin.module {
                                                    func.func private @net_0(...)
                                                    schedule.script @net_0 {...}
                                                  }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import device_functions, kernel_modules, kernel_of
from vtac.analysis.ir.target import copy_target
from vtac.dialects.schedule.script import ScriptOp
from vtac.rewriting.copies import copy_of
from vtac.rewriting.edits import move_op
from vtac.rewriting.walker import rewrite_once


@dataclass
class IsolateFunction(RewritePattern):
    """A script moves into a new module, at the end, with a copy of the function that it schedules."""

    module: ModuleOp
    devices: Mapping[str, FuncOp]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ScriptOp, rewriter: PatternRewriter) -> None:
        device = self.devices.get(op.target.data)
        if device is None:
            return
        kernel = isolated(device, self.module)
        rewriter.insert(kernel, InsertPoint.at_end(self.module.body.block))
        move_op(op, InsertPoint.at_end(kernel.body.block), rewriter)


def isolated(device: FuncOp, module: ModuleOp) -> ModuleOp:
    """A module with a copy of a device function, for the hardware that its module is for."""
    found = ModuleOp([copy_of(device)])
    copy_target(module, found)
    return found


def function_in(module: ModuleOp) -> FuncOp:
    """The function of a module that `isolated` made."""
    return next(op for op in module.ops if isinstance(op, FuncOp))


@dataclass(frozen=True)
class IsolateDeviceFunctions(ModulePass):
    """Let each device function be lowered for itself, while what it computes stays in sight of the host.

    The function on tensors remains as the meaning of its kernel: the module can be executed as before.

    requires: a script for each device function (schedule-device-functions).
    ensures:  for each a module within the module, in their order, for the same hardware, with a copy
              of the function and the script; no script of a device function beside them.
    declines: nothing.
    """

    name = "isolate-device-functions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        done = {kernel.sym_name.data for inner in kernel_modules(op) if (kernel := kernel_of(inner)) is not None}
        devices = {f.sym_name.data: f for f in device_functions(op) if f.sym_name.data not in done}
        rewrite_once(op, IsolateFunction(op, devices))
