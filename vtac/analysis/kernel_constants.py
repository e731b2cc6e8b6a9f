"""Contents of a kernel's constant arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from vtac.analysis.nest import element_type_of, shape_of
from vtac.dialects.schedule.arguments import CONSTANT
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.emit.types import dtype_of


def constant_arguments(kernel: FuncOp) -> Mapping[SSAValue, Array]:
    """The arguments whose contents the function's attributes hold, as a launch takes them (bfloat16 as uint16)."""
    found: dict[SSAValue, Array] = {}
    for argument, attributes in zip(kernel.body.block.args, kernel.arg_attrs or (), strict=False):
        contents = attributes.data.get(CONSTANT)
        if isinstance(contents, DenseIntOrFPElementsAttr):
            data = cast(DenseIntOrFPElementsAttr, contents).data.data
            name = dtype_of(element_type_of(argument))
            values = np.frombuffer(data, np.dtype("uint16" if name == "bfloat16" else name).newbyteorder("<"))
            shape = shape_of(argument)
            whole = np.broadcast_to(values.reshape(()), shape) if values.size == 1 else values.reshape(shape)
            found[argument] = np.array(whole, whole.dtype.newbyteorder("="))
    return found
