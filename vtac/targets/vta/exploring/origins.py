"""What the values of a split network come from: values with different origins never have tiles in common."""

from __future__ import annotations

from collections.abc import Hashable

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.tensor import EmptyOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.ir.device_functions import device_functions, host_functions, program_functions
from vtac.analysis.ir.walks import operations_under


class Origins:
    """Origins of the values in the functions of a module that call device functions.

    The results of a device function come from there. What the host or a view makes of values comes from all of them,
    since equal ones may be made once; so does what a program is given, and what it returns. Equal constants are one.
    """

    def __init__(self, module: ModuleOp) -> None:
        self._before: dict[Hashable, Hashable] = {}
        self._devices = {function.sym_name.data for function in device_functions(module)}
        self._callers = {f.sym_name.data: f for f in (*host_functions(module), *program_functions(module))}
        for function in self._callers.values():
            for op in operations_under(function):
                self._join(op)

    def of(self, value: SSAValue) -> Hashable:
        """Equal for values that may have tiles in common."""
        found: Hashable = value
        while found in self._before:
            found = self._before[found]
        return found

    def _join(self, op: Operation) -> None:
        if isinstance(op, CallOp):
            self._join_call(op)
        elif isinstance(op, ConstantOp):
            content = op.value
            same = content.data if isinstance(content, DenseIntOrFPElementsAttr) else content
            self._before.setdefault(op.result, ("constant", same))
        elif not isinstance(op, EmptyOp | ReturnOp):
            together = [*op.results, *(one for one in op.operands if not isinstance(one.owner, EmptyOp))]
            for one in together[1:]:
                self._unite(together[0], one)

    def _join_call(self, op: CallOp) -> None:
        name = op.callee.string_value()
        if name in self._devices:
            return
        callee = self._callers.get(name)
        if callee is None:
            for one in (*op.results, *op.operands)[1:]:
                self._unite((*op.results, *op.operands)[0], one)
            return
        self._pass(op, callee)

    def _pass(self, op: CallOp, callee: FuncOp) -> None:
        for given, argument in zip(op.operands, callee.body.block.args, strict=True):
            self._unite(given, argument)
        end = callee.body.block.last_op
        if isinstance(end, ReturnOp):
            for result, returned in zip(op.results, end.operands, strict=True):
                self._unite(result, returned)

    def _unite(self, one: SSAValue, other: SSAValue) -> None:
        first, second = self.of(one), self.of(other)
        if first != second:
            self._before[first] = second
