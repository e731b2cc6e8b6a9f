"""merge-device-functions: layers of the same shape and operations share one device function."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.walks import operations_of
from vtac.analysis.operations.equal_regions import are_equal
from vtac.dialects.packing.declared import DEVICE, PLACES, PROGRAM
from vtac.rewriting.walker import rewrite_once


@dataclass
class CallTheSame(RewritePattern):
    """A call of a device function that equals an earlier one calls that one."""

    same: Mapping[str, str]
    functions: Mapping[str, FuncOp]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CallOp, rewriter: PatternRewriter) -> None:
        own = op.callee.string_value()
        callee = self.same.get(own)
        if callee is not None:
            op.callee = SymbolRefAttr(callee)
            if places := _other_places(self.functions[callee], self.functions[own]):
                PLACES.set(op, places)
            rewriter.notify_op_modified(op)


@dataclass
class DropUncalled(RewritePattern):
    """A device function that nothing calls is gone."""

    called: Collection[str]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        if DEVICE.is_on(op) and op.sym_name.data not in self.called:
            rewriter.erase(op)


def equal_functions(module: ModuleOp) -> dict[str, str]:
    """Device functions that only programs call, by name, and the first one that each equals, in order of the calls."""
    functions = {f.sym_name.data: f for f in module.ops if isinstance(f, FuncOp)}
    calls = [(call.callee.string_value(), PROGRAM.is_on(_caller(call))) for call in operations_of(CallOp, module)]
    inside = [name for name, is_inside in calls if is_inside]
    outside = {name for name, is_inside in calls if not is_inside}
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


def _other_places(kept: FuncOp, own: FuncOp) -> dict[str, str]:
    """Where the operations of a function that goes come from, by the places of those of the one that stays."""
    pairs = [(kept, own), *zip(kept.body.block.ops, own.body.block.ops, strict=True)]
    computing = [pair for pair in pairs if isinstance(pair[0], FuncOp | LinalgStructuredOperation)]
    places = {location_of(one): location_of(other) for one, other in computing}
    return {one: other for one, other in places.items() if one and other and one != other}


def _caller(call: CallOp) -> Operation:
    """The function that a call stands in; the outermost op where it stands in none."""
    current: Operation = call
    while not isinstance(current, FuncOp) and (parent := current.parent_op()) is not None:
        current = parent
    return current


def _are_equal(one: FuncOp, other: FuncOp) -> bool:
    if one.attributes != other.attributes or (one.arg_attrs, one.res_attrs) != (other.arg_attrs, other.res_attrs):
        return False
    return are_equal(one.body, other.body)


@dataclass(frozen=True)
class MergeDeviceFunctions(ModulePass):
    """Let equal device functions be one, so that it is scheduled once and its micro-ops are loaded once.

    requires: functions marked `packing.program`, as group-device-calls leaves them.
    ensures:  no two device functions that only they call are structurally equal, with parts of buffers in the same
              strides; calls of another one than before say in `packing.places` where their own operations come from.
    declines: nothing.
    """

    name = "merge-device-functions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        functions = {f.sym_name.data: f for f in op.ops if isinstance(f, FuncOp)}
        rewrite_once(op, CallTheSame(equal_functions(op), functions))
        rewrite_once(op, DropUncalled({call.callee.string_value() for call in operations_of(CallOp, op)}))
