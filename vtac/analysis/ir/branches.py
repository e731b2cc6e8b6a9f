"""Functions with branches, which no pipeline takes."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.walks import operations_of
from vtac.errors import CompileError, JointCompileError


def refuse_branches(module: ModuleOp) -> None:
    """Raises `CompileError` for functions of several blocks, all of them at once."""
    branching = [op for op in operations_of(FuncOp, module) if op.body.first_block is not op.body.last_block]
    refusals = [
        CompileError(
            f"function '{op.sym_name.data}' has {len(op.body.blocks)} blocks with branches between them; one block is "
            "required: write loops as linalg operations or scf.for",
            location_of(op),
        )
        for op in branching
    ]
    if len(refusals) > 1:
        raise JointCompileError(refusals)
    if refusals:
        raise refusals[0]
