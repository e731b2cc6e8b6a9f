"""Dense constants as globals of the module: data that lies in DRAM before a program runs."""

from __future__ import annotations

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, MemRefType, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from vtac.dialects.diagnostics import CompileError
from vtac.passes.analysis.locations import location_of


def constant_reference(function: FuncOp, value: SSAValue) -> memref.GetGlobalOp | None:
    """A reference to a new global of the function's module that holds a dense constant; None for another value."""
    owner = value.owner
    if not isinstance(owner, arith.ConstantOp) or not isinstance(owner.value, DenseIntOrFPElementsAttr):
        return None
    contents, name = owner.value, value.name_hint or "constant"
    module = function.parent_op()
    if not isinstance(module, ModuleOp):
        raise CompileError(f"constant '{name}': its function stands in no module", location_of(function))
    taken = {op.sym_name.data for op in module.ops if isinstance(op, memref.GlobalOp)}
    candidate, count = name, 1
    while candidate in taken:
        candidate, count = f"{name}_{count}", count + 1
    kind = MemRefType[Attribute](contents.get_element_type(), contents.get_shape())
    constant = memref.GlobalOp.get(
        sym_name=StringAttr(candidate), sym_type=kind, initial_value=contents, sym_visibility=StringAttr("private")
    )
    module.body.block.insert_op_before(constant, function)
    reference = memref.GetGlobalOp(candidate, kind)
    reference.memref.name_hint = candidate
    return reference
