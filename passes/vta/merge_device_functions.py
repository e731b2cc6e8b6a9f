"""merge-device-functions: layers of the same shape and operations share one device function."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.dialects.packing.declared import DEVICE, PROGRAM
from vtac.rewriting.walker import rewrite_once


@dataclass
class CallTheSame(RewritePattern):
    """A call of a device function that equals an earlier one calls that one."""

    same: Mapping[str, str]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CallOp, rewriter: PatternRewriter) -> None:
        callee = self.same.get(op.callee.string_value())
        if callee is not None:
            op.callee = SymbolRefAttr(callee)
            rewriter.notify_op_modified(op)


@dataclass
class DropUncalled(RewritePattern):
    """A device function that nothing calls is gone."""

    called: Collection[str]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        if DEVICE.is_on(op) and op.sym_name.data not in self.called:
            rewriter.erase(op)


@dataclass(frozen=True)
class MergeDeviceFunctions(ModulePass):
    """Let equal device functions be one, so that it is scheduled once and its micro-ops are loaded once.

    requires: functions marked `packing.program`, as group-device-calls leaves them.
    ensures:  no two device functions that only they call are structurally equal.
    declines: nothing.
    """

    name = "merge-device-functions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, CallTheSame(equal_functions(op)))
        rewrite_once(op, DropUncalled({call.callee.string_value() for call in op.walk() if isinstance(call, CallOp)}))


def equal_functions(module: ModuleOp) -> dict[str, str]:
    """Device functions that only programs call, by name, and the first one that each equals, in order of the calls."""
    functions = {f.sym_name.data: f for f in module.ops if isinstance(f, FuncOp)}
    calls = [call for call in module.walk() if isinstance(call, CallOp)]
    inside = [call.callee.string_value() for call in calls if PROGRAM.is_on(_caller(call))]
    outside = {call.callee.string_value() for call in calls if not PROGRAM.is_on(_caller(call))}
    kept: dict[FunctionType, list[FuncOp]] = {}
    same: dict[str, str] = {}
    for name in dict.fromkeys(inside):
        function = functions[name]
        if name in outside or not DEVICE.is_on(function):
            continue
        known = kept.setdefault(function.function_type, [])
        first = next((other for other in known if _are_equal(function, other)), None)
        if first is None:
            known.append(function)
        else:
            same[name] = first.sym_name.data
    return same


def _caller(call: CallOp) -> Operation:
    """The function that a call stands in; the outermost op where it stands in none."""
    current: Operation = call
    while not isinstance(current, FuncOp) and (parent := current.parent_op()) is not None:
        current = parent
    return current


def _are_equal(one: FuncOp, other: FuncOp) -> bool:
    if one.arg_attrs != other.arg_attrs or one.attributes != other.attributes:
        return False
    return one.body.is_structurally_equivalent(other.body)
