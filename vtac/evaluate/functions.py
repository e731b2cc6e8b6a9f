"""A module's function, its arguments from numpy arrays, and its results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import BFloat16Type, DenseIntOrFPElementsAttr, ModuleOp, ShapedType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import GetGlobalOp, GlobalOp
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.analysis.nests.nest import buffer_name
from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.evaluate.buffers import Buffer, element_type, shape_of_type
from vtac.evaluate.numbers import Array, dense, dtype_of
from vtac.evaluate.refusals import refused


def function_of(program: ModuleOp | FuncOp) -> FuncOp:
    """The function itself, or the one function with a body of a module.

    Raises `EvaluationError` for none or several.
    """
    if isinstance(program, FuncOp):
        return program
    all_functions = [op for op in program.ops if isinstance(op, FuncOp) and op.body.blocks]
    functions = [op for op in all_functions if not _is_private(op)] or all_functions
    if not functions:
        raise refused("cannot execute a module without a function that has a body", program)
    if len(functions) != 1:
        names = ", ".join(function.sym_name.data for function in functions)
        raise refused(
            f"cannot execute a module with {len(functions)} functions ({names}): pass one of its functions", program
        )
    return functions[0]


def _is_private(function: FuncOp) -> bool:
    return function.sym_visibility is not None and function.sym_visibility.data == "private"


def function_named(caller: Operation, name: str) -> FuncOp:
    """The function of that name in the module around an op. Raises `EvaluationError` without one."""
    for op in _module_ops(caller):
        if isinstance(op, FuncOp) and op.sym_name.data == name and op.body.blocks:
            return op
    raise refused(f"there is no function '{name}' with a body in the module", caller)


def bind_arguments(function: FuncOp, parameters: Sequence[SSAValue], arrays: Sequence[Array]) -> dict[SSAValue, Buffer]:
    """Copies of the caller's arrays as the buffers of the parameters, whose shape and dtype they must have.

    Raises `EvaluationError` for others.
    """
    _refuse_other_count(function, parameters, arrays)
    buffers: dict[SSAValue, Buffer] = {}
    for parameter, array in zip(parameters, arrays, strict=True):
        shape, kind = shape_of_type(parameter.type), element_type(parameter.type)
        buffers[parameter] = Buffer(
            buffer_name(parameter), _copied(function, parameter, array, shape, kind), None, parameter
        )
    return buffers


def bind_values(function: FuncOp, arrays: Sequence[Array]) -> list[Buffer | Array]:
    """The same of all arguments of a function, of which numbers are given as arrays of shape ()."""
    parameters = function.body.block.args
    _refuse_other_count(function, parameters, arrays)
    given = dict(zip(parameters, arrays, strict=True))
    shaped = [parameter for parameter in parameters if isinstance(parameter.type, ShapedType)]
    buffers = bind_arguments(function, shaped, [given[parameter] for parameter in shaped])
    return [
        buffers[one] if one in buffers else _copied(function, one, given[one], (), one.type).reshape(1)
        for one in parameters
    ]


def _refuse_other_count(function: FuncOp, parameters: Sequence[SSAValue], arrays: Sequence[Array]) -> None:
    if len(arrays) != len(parameters):
        name, names = function.sym_name.data, ", ".join(buffer_name(parameter) for parameter in parameters)
        raise refused(f"'{name}' takes {len(parameters)} arrays ({names}); {len(arrays)} were given", function)


def _copied(function: FuncOp, parameter: SSAValue, array: Array, shape: tuple[int, ...], kind: Attribute) -> Array:
    is_bfloat16 = isinstance(kind, BFloat16Type)
    dtype = np.dtype("uint16") if is_bfloat16 else dtype_of(kind)
    if array.shape != shape or array.dtype != dtype:
        raise refused(
            f"argument '{buffer_name(parameter)}' of '{function.sym_name.data}' is {dtype}{list(shape)}; the array "
            f"given is {array.dtype}{list(array.shape)}",
            function,
        )
    return np.array(from_bfloat16(array.astype(np.uint16)) if is_bfloat16 else array, order="C", copy=True)


def stored(value: SSAValue, array: Array) -> Array:
    """A result as callers see it: bfloat16 as uint16."""
    kind = element_type(value.type) if isinstance(value.type, ShapedType) else value.type
    return to_bfloat16(array) if isinstance(kind, BFloat16Type) else array


def constant_buffer(op: Operation) -> Buffer | None:
    """The contents of a shaped `arith.constant` or of a `memref.get_global`; None for any other op."""
    if isinstance(op, ConstantOp) and isinstance(op.value, DenseIntOrFPElementsAttr):
        return Buffer(buffer_name(op.result), dense(op.value, shape_of_type(op.result.type)))
    if isinstance(op, GetGlobalOp):
        return Buffer(op.name_.string_value(), dense(_global_contents(op), shape_of_type(op.memref.type)))
    return None


def _global_contents(op: GetGlobalOp) -> DenseIntOrFPElementsAttr:
    found = global_named(op, op.name_.string_value())
    contents = found.properties.get("initial_value")
    if isinstance(contents, DenseIntOrFPElementsAttr):
        return cast("DenseIntOrFPElementsAttr", contents)
    raise refused(f"global '{found.sym_name.data}' has no contents to read: give it an initial value", found)


def global_named(op: Operation, name: str) -> GlobalOp:
    """The global of that name in the module around an op. Raises `EvaluationError` without one."""
    for candidate in _module_ops(op):
        if isinstance(candidate, GlobalOp) and candidate.sym_name.data == name:
            return candidate
    raise refused(f"there is no global '{name}' in the module", op)


def _module_ops(op: Operation) -> Iterator[Operation]:
    current: Operation | None = op
    while current is not None:
        if isinstance(current, ModuleOp):
            yield from current.ops
        current = current.parent_op()
