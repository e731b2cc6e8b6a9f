"""check-plain-functions: refuse functions that are no plain programs for the VTA."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation
from xdsl.passes import ModulePass

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.locations import location_of
from vtac.analysis.types.sizes import unusable_extents
from vtac.dialects.packing.declared import DEVICE
from vtac.errors import CompileError, JointCompileError


def _check_function(function: FuncOp) -> None:
    """Raises the operations of which a value has no static shape, each once."""
    if any(isinstance(kind, MemRefType) for op in function.walk() if op is not function for kind in _kinds_at(op)):
        found = f"function '{function.sym_name.data}' works on memrefs"
        raise CompileError(f"pack-for-vta: {found}; it takes functions on tensors", location_of(function))
    refused = [
        CompileError(unusable_extents(str(kind), _extents(kind)), location_of(op))
        for op in function.walk()
        if (kind := next(filter(_is_dynamic, _values_of(op, function)), None)) is not None
    ]
    if refused:
        raise JointCompileError(refused)


def _kinds_at(op: Operation) -> list[Attribute]:
    """The types of what an operation takes and gives."""
    return [value.type for value in (*op.operands, *op.results)]


def _values_of(op: Operation, function: FuncOp) -> Iterator[Attribute]:
    arguments = function.body.block.args if op is function else ()
    return (value.type for value in (*op.results, *arguments))


def _is_dynamic(kind: Attribute) -> bool:
    return any(extent < 1 for extent in _extents(kind))


def _extents(kind: Attribute) -> tuple[int, ...]:
    return getattr(kind, "get_shape", tuple[int, ...])()


@dataclass(frozen=True)
class CheckPlainFunctions(ModulePass):
    """Only checks: nothing changes.

    requires: nothing.
    ensures:  some function is to be packed; host functions work on tensors of static shape.
    declines: modules of device functions alone, memrefs, and dynamic or empty shapes, all at once.
    """

    name = "check-plain-functions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        functions = [f for f in op.ops if isinstance(f, FuncOp) and f.body.blocks]
        if functions and all(DEVICE.is_on(function) for function in functions):
            raise CompileError(
                "pack-for-vta: every function is a device function; nothing is left to pack", location_of(functions[0])
            )
        for function in host_functions(op):
            _check_function(function)
