"""Contents of a kernel's constant arguments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from vtac.analysis.nests.nest import element_type_of, shape_of
from vtac.dialects.schedule.declared import CONSTANT
from vtac.errors import CompileError

_DTYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "i8": "int8", "i32": "int32"}


def dtype_name(element: Attribute, where: str = "") -> str:
    """Its dtype's name in a launch record; raises `CompileError`, at a place, for a type that kernels do not take."""
    name = _DTYPES.get(str(element))
    if name is None:
        raise CompileError(f"element type {element} has no CUDA name here; the types are {', '.join(_DTYPES)}", where)
    return name


def constant_arguments(kernel: FuncOp) -> Mapping[SSAValue, NDArray[np.generic]]:
    """The arguments whose contents the function's attributes hold, as a launch takes them (bfloat16 as uint16)."""
    found: dict[SSAValue, NDArray[np.generic]] = {}
    for argument in kernel.body.block.args:
        contents = CONSTANT.of_argument(kernel, argument.index)
        if contents is not None:
            data = contents.data.data
            name = dtype_name(element_type_of(argument))
            values = np.frombuffer(data, np.dtype("uint16" if name == "bfloat16" else name).newbyteorder("<"))
            shape = shape_of(argument)
            whole = np.broadcast_to(values.reshape(()), shape) if values.size == 1 else values.reshape(shape)
            found[argument] = np.array(whole, whole.dtype.newbyteorder("="))
    return found
