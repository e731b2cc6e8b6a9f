"""Tensor maps of a launch record as JSON objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from vtac.dialects.im2col import Corners
from vtac.dialects.tensor_maps import FILLS, TensorMap
from vtac.errors import ConfigError

_KEYS = ("array", "dtype", "extents", "strides", "box", "steps", "swizzle", "fill")
_CORNERS = "corners"
"""Of maps of pixels: others say nothing of them."""


def map_fields(one: TensorMap) -> dict[str, object]:
    """A map as an object for JSON; without corners where it has none."""
    return {key: value for key, value in asdict(one).items() if key != _CORNERS or value is not None}


def read_map(data: object, where: str) -> TensorMap:
    """Read one map.

    Raises `ConfigError`: for another form with `where` and the field at fault, for boxes that the hardware does not
    have with the array.
    """
    keys = set(cast("Mapping[str, object]", data)) - {_CORNERS} if isinstance(data, Mapping) else set[str]()
    if not isinstance(data, Mapping) or keys != set(_KEYS):
        raise ConfigError(f"{where}: found {data!r}; an object with {', '.join(_KEYS)} is required")
    values = cast("Mapping[str, object]", data)
    array, dtype, fill, swizzle = (values[key] for key in ("array", "dtype", "fill", "swizzle"))
    if not isinstance(array, str) or not isinstance(dtype, str) or fill not in FILLS or type(swizzle) is not int:
        raise ConfigError(
            f"{where}: array {array!r}, dtype {dtype!r}, fill {fill!r}, swizzle {swizzle!r}; two names, one of "
            f"{', '.join(FILLS)}, and a number are required"
        )
    extents, strides, box, steps = (
        _numbers(values[key], f"{where}: {key}") for key in ("extents", "strides", "box", "steps")
    )
    corners = _corners(values.get(_CORNERS), f"{where}: {_CORNERS}")
    return TensorMap(array, dtype, extents, strides, box, steps, swizzle, fill, corners)


def _corners(data: object, where: str) -> Corners | None:
    if data is None:
        return None
    if not isinstance(data, Mapping) or set(cast("Mapping[str, object]", data)) != {"lower", "upper"}:
        raise ConfigError(f"{where}: found {data!r}; an object with lower, upper is required")
    values = cast("Mapping[str, object]", data)
    return Corners(_numbers(values["lower"], f"{where}: lower"), _numbers(values["upper"], f"{where}: upper"))


def _numbers(data: object, where: str) -> tuple[int, ...]:
    items = cast("list[object]", data) if isinstance(data, list) else None
    if items is None or any(type(item) is not int for item in items):
        raise ConfigError(f"{where}: found {data!r}; a list of integers is required")
    return tuple(cast("list[int]", items))
