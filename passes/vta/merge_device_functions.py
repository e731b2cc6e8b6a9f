"""merge-device-functions: layers of the same shape and operations share one device function."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.passes import ModulePass

from vtac.dialects.packing_attributes import DEVICE, PROGRAM


@dataclass(frozen=True)
class MergeDeviceFunctions(ModulePass):
    """Let equal device functions be one, so that it is scheduled once and its micro-ops are loaded once.

    requires: functions marked `packing.program`, as group-device-calls leaves them.
    ensures:  no two device functions that only they call are structurally equal.
    declines: nothing.
    """

    name = "merge-device-functions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        functions = {f.sym_name.data: f for f in op.ops if isinstance(f, FuncOp)}
        calls = [call for call in op.walk() if isinstance(call, CallOp)]
        inside = [call for call in calls if PROGRAM in _caller(call).attributes]
        alone = {call.callee.string_value() for call in calls if call not in inside}
        kept: dict[FunctionType, list[FuncOp]] = {}
        for call in inside:
            function = functions[call.callee.string_value()]
            if function.sym_name.data in alone or DEVICE not in function.attributes:
                continue
            known = kept.setdefault(function.function_type, [])
            same = next((other for other in known if _are_equal(function, other)), None)
            if same is None:
                known.append(function)
            else:
                call.callee = SymbolRefAttr(same.sym_name.data)
        used = {call.callee.string_value() for call in calls}
        for name, function in functions.items():
            if DEVICE in function.attributes and name not in used:
                function.detach()
                function.erase()


def _caller(call: CallOp) -> FuncOp:
    parent = call.parent_op()
    while not isinstance(parent, FuncOp):
        parent = parent.parent_op() if parent is not None else None
    return parent


def _are_equal(one: FuncOp, other: FuncOp) -> bool:
    if one is other:
        return True
    if one.arg_attrs != other.arg_attrs or one.attributes != other.attributes:
        return False
    return one.body.is_structurally_equivalent(other.body)
