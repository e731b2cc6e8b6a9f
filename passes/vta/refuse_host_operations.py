"""refuse-host-operations: what would run on the host is refused, all of it at once."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp
from xdsl.passes import ModulePass

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.locations import location_of
from vtac.dialects.packing import HostOp
from vtac.errors import CompileError, JointCompileError
from vtac.partition.host_work import computes

_REMEDY = "allow host segments (without --no-host), or rewrite"


@dataclass(frozen=True)
class RefuseHostOperations(ModulePass):
    """Only checks: nothing changes.

    requires: host functions as outline-device-functions leaves them.
    ensures:  the host changes layouts, widens integers, and computes nothing; each host function gives the VTA
              something to do.
    declines: host segments, in the order of the program's text, and a function that calls no device function.
    """

    name = "refuse-host-operations"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            found = [inner for inner in function.walk() if isinstance(inner, HostOp) and computes(inner)]
            reasons = [CompileError(segment.reason.data, location_of(segment)) for segment in found]
            if len(reasons) == 1:
                raise CompileError(f"{found[0].reason.data}; {_REMEDY} it", location_of(found[0]))
            if reasons:
                raise JointCompileError(reasons, f"{_REMEDY} these operations")
            if not any(isinstance(inner, CallOp) for inner in function.walk()):
                text = f"function '{function.sym_name.data}' gives the VTA nothing to do"
                raise CompileError(text, location_of(function))
