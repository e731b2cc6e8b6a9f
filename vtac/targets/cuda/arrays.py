"""The arrays of a launch: checked against its record, shared by the CPU and the GPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vtac.errors import LaunchError
from vtac.targets.cuda.launch import LaunchRecord

Array = NDArray[np.generic]


def checked_inputs(launch: LaunchRecord, arrays: Sequence[Array]) -> tuple[Array, ...]:
    """The inputs as dense row-major arrays; `LaunchError` unless number, shapes and dtypes are the record's."""
    wanted = launch.inputs
    if len(arrays) != len(wanted):
        names = ", ".join(parameter.name for parameter in wanted)
        raise LaunchError(
            f"kernel `{launch.kernel}` got {len(arrays)} arrays; it takes {len(wanted)} inputs: {names or 'none'}"
        )
    for parameter, array in zip(wanted, arrays, strict=True):
        if array.shape != parameter.shape or array.dtype != np.dtype(parameter.numpy_dtype):
            raise LaunchError(
                f"input `{parameter.name}` of kernel `{launch.kernel}` got {array.dtype} {list(array.shape)}; "
                f"the launch record asks for {parameter.numpy_dtype} {list(parameter.shape)}"
            )
    return tuple(np.ascontiguousarray(array) for array in arrays)
