"""inline-calls: a call of a function on tensors -> what the function computes.

before: func private @half(%v) ... return %h     after: func @f(%x)
        func @f(%x)                                       ... %h computed of %x
          %y = call @half(%x)                             return %h
          return %y
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.errors import CompileError
from vtac.rewriting.edits import erase
from vtac.rewriting.walker import rewrite_greedily


@dataclass
class InlineCall(RewritePattern):
    """One call of a function with a body."""

    functions: dict[str, FuncOp]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CallOp, rewriter: PatternRewriter) -> None:
        callee = self.functions.get(op.callee.string_value())
        if callee is None:
            return
        values: dict[SSAValue, SSAValue] = dict(zip(callee.body.block.args, op.arguments, strict=True))
        *inner, last = callee.body.block.ops
        clones: list[Operation] = []
        for one in inner:
            clone = one.clone(values)
            clone.location = one.location
            for old, new in zip(one.results, clone.results, strict=True):
                new.name_hint = old.name_hint
                values[old] = new
            clones.append(clone)
        rewriter.insert(clones, InsertPoint.before(op))
        rewriter.replace(op, [], [values.get(value, value) for value in last.operands])


def _check_recursion(functions: dict[str, FuncOp]) -> None:
    """Raises `CompileError` for a function that calls itself, by way of others or not."""
    calls = {
        name: [op for op in function.walk() if isinstance(op, CallOp) and op.callee.string_value() in functions]
        for name, function in functions.items()
    }
    done: set[str] = set()

    def visit(name: str, open_calls: tuple[str, ...]) -> None:
        for call in calls[name]:
            callee = call.callee.string_value()
            if callee in (*open_calls, name):
                raise CompileError(
                    f"inline-calls: '{callee}' calls itself{'' if callee == name else ' by way of others'}; a program "
                    "has no recursion: write it as a loop or unrolled",
                    location_of(call),
                )
            if callee not in done:
                visit(callee, (*open_calls, name))
        done.add(name)

    for name in functions:
        visit(name, ())


@dataclass(frozen=True)
class InlineCalls(ModulePass):
    """Compute what functions compute where they are called.

    requires: functions of one block that end in func.return.
    ensures:  no function with a body is called, and those that were are gone.
    declines: recursion.
    """

    name = "inline-calls"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        bodies = [one for one in op.ops if isinstance(one, FuncOp) and one.body.blocks]
        functions = {one.sym_name.data: one for one in bodies if isinstance(one.body.block.last_op, ReturnOp)}
        called = {one.callee.string_value() for one in op.walk() if isinstance(one, CallOp)} & functions.keys()
        if not called:
            return
        _check_recursion(functions)
        rewrite_greedily(op, InlineCall(functions))
        for name in called:
            erase(functions[name])
