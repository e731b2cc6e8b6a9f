"""Parameters of a function bound to arrays: arguments become constants, packed at compile time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    BytesAttr,
    DenseIntOrFPElementsAttr,
    Float32Type,
    FunctionType,
    IntegerType,
    ModuleOp,
    TensorType,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import buffer_name
from vtac.errors import CompileError
from vtac.rewriting.edits import insert_ops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def bind(module: ModuleOp, parameters: Mapping[str, NDArray[np.generic]]) -> ModuleOp:
    """A copy of a module in which arguments of its one function are constants.

    `parameters` gives an array by argument name, of exactly the argument's shape and type, integers or
    float32. Raises `CompileError` for an unknown name and for an array that does not fit.
    """
    work = module.clone()
    functions = [op for op in work.ops if isinstance(op, FuncOp) and op.body.blocks]
    if len(functions) != 1:
        raise CompileError(f"bind: the module has {len(functions)} functions; one is required", location_of(work))
    function = functions[0]
    block = function.body.block
    arguments = {buffer_name(argument): argument for argument in block.args}
    unknown = next((name for name in parameters if name not in arguments), None)
    if unknown is not None:
        known = ", ".join(arguments)
        raise CompileError(f"bind: no argument is called '{unknown}'; there are {known}", location_of(function))
    first = cast(Operation, block.first_op)
    for name, array in parameters.items():
        argument = arguments[name]
        constant = ConstantOp(_contents(name, argument, array, function))
        constant.result.name_hint = argument.name_hint
        insert_ops(constant, InsertPoint.before(first))
        argument.replace_all_uses_with(constant.result)
        block.erase_arg(argument)
    kinds = [argument.type for argument in block.args]
    function.function_type = FunctionType.from_lists(kinds, list(function.function_type.outputs))
    return work


def _contents(name: str, argument: SSAValue, array: NDArray[np.generic], function: FuncOp) -> DenseIntOrFPElementsAttr:
    kind = argument.type
    if not isinstance(kind, TensorType):
        raise CompileError(f"bind: argument '{name}' is {kind}; only tensors can be bound", location_of(function))
    tensor = cast("TensorType[Attribute]", kind)
    element = tensor.get_element_type()
    wanted = f"int{cast(IntegerType, element).width.data}" if isinstance(element, IntegerType) else None
    wanted = "float32" if isinstance(element, Float32Type) else wanted
    if wanted is None or array.dtype != wanted or array.shape != tensor.get_shape():
        shape = "x".join(map(str, array.shape))
        raise CompileError(
            f"bind: argument '{name}' is {tensor}, the array {shape} {array.dtype}: pass an array of exactly that "
            "shape and type, integers or float32",
            location_of(function),
        )
    return DenseIntOrFPElementsAttr(tensor, BytesAttr(array.tobytes()))  # pyright: ignore[reportArgumentType]
