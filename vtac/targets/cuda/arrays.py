"""The arrays of a launch: checked against its record, shared by the CPU and the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vtac.errors import LaunchError
from vtac.targets.cuda.launch import LaunchRecord, Parameter

Array = NDArray[np.generic]
Given = Array | Sequence[Array]
"""What a run is given: arrays one after the other, or one list or tuple of them."""


def arrays_of(given: tuple[Given, ...]) -> Sequence[Array]:
    """The arrays that a run was given, however it was."""
    return given[0] if len(given) == 1 and isinstance(given[0], Sequence) else cast("tuple[Array, ...]", given)


def fitted(parameter: Parameter, array: Array) -> Array | None:
    """The array as the dtype of the parameter that it is for; None where shape or dtype is another.

    An unsigned array stands for signless integers of the same width, as everywhere in vtac: its bits count.
    """
    if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        return None
    wanted = np.dtype(parameter.numpy_dtype)
    same_bits = array.dtype == wanted or (wanted.kind == "i" and array.dtype == np.dtype(f"u{wanted.name}"))
    return array.view(wanted) if array.shape == parameter.shape and same_bits else None


def described(array: Array) -> str:
    """Dtype and shape of what was given for an array, or its type where it is none."""
    if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        return f"a {type(array).__name__}, no numpy array"
    return f"{array.dtype} {list(array.shape)}"


def checked_inputs(launch: LaunchRecord, arrays: Sequence[Array]) -> tuple[Array, ...]:
    """The inputs as dense row-major arrays; `LaunchError` unless number, shapes and dtypes are the record's."""
    wanted = launch.inputs
    if len(arrays) != len(wanted):
        names = ", ".join(parameter.name for parameter in wanted)
        raise LaunchError(
            f"kernel `{launch.kernel}` got {len(arrays)} arrays; it takes {len(wanted)} inputs: {names or 'none'}"
        )
    return tuple(np.ascontiguousarray(_checked(launch, p, array)) for p, array in zip(wanted, arrays, strict=True))


def _checked(launch: LaunchRecord, parameter: Parameter, array: Array) -> Array:
    found = fitted(parameter, array)
    if found is None:
        raise LaunchError(
            f"input `{parameter.name}` of kernel `{launch.kernel}` got {described(array)}; "
            f"the launch record asks for {parameter.numpy_dtype} {list(parameter.shape)}"
        )
    return found
