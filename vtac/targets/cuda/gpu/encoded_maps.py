"""Tensor maps as the driver encodes them: 128 bytes each, for an array at an address."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from vtac.dialects.tensor_maps import FIRST_RIGHT_DRIVER, MAP_ENCODINGS, SMALL_ARRAY_BIT, TensorMap
from vtac.targets.cuda.gpu.driver import Driver

MAP_BYTES, MAP_ALIGNMENT = 128, 64
"""Of a CUtensorMap."""
SWIZZLES: Mapping[int, int] = MappingProxyType({0: 0, 32: 1, 64: 2, 128: 3})
"""CUtensorMapSwizzle by the bytes within which chunks change places."""
PROMOTION = 3
"""CU_TENSOR_MAP_L2_PROMOTION_L2_256B."""
_NO_INTERLEAVE = 0


def encode(driver: Driver, one: TensorMap, address: int, what: str) -> ctypes.Array[ctypes.c_ubyte]:
    """A map of the array at an address. Raises `LaunchError` where the driver refuses it."""
    room = (ctypes.c_ubyte * (MAP_BYTES + MAP_ALIGNMENT))()
    start = -ctypes.addressof(room) % MAP_ALIGNMENT
    found = (ctypes.c_ubyte * MAP_BYTES).from_buffer(room, start)
    layout = (_NO_INTERLEAVE, SWIZZLES[one.swizzle], PROMOTION, int(one.fill == "nan"))
    array = (
        MAP_ENCODINGS[one.dtype].code,
        one.rank,
        address,
        _numbers(ctypes.c_uint64, one.extents),
        _numbers(ctypes.c_uint64, one.strides),
    )
    steps = _numbers(ctypes.c_uint32, one.steps)
    told = f"{what}: tensor map of `{one.array}`"
    if one.corners is None:
        box = _numbers(ctypes.c_uint32, one.walked)
        driver.call("cuTensorMapEncodeTiled", ctypes.byref(found), *array, box, steps, *layout, what=told)
        return _corrected(driver, one, found)
    corners = (_numbers(ctypes.c_int, one.corners.lower), _numbers(ctypes.c_int, one.corners.upper))
    driver.call("cuTensorMapEncodeIm2col", ctypes.byref(found), *array, *corners, *one.box, steps, *layout, what=told)
    return _corrected(driver, one, found)


def _corrected(driver: Driver, one: TensorMap, found: ctypes.Array[ctypes.c_ubyte]) -> ctypes.Array[ctypes.c_ubyte]:
    """A map, with the bit as small arrays have it where the driver sets it for all."""
    if one.is_small and driver.version < FIRST_RIGHT_DRIVER:
        found[SMALL_ARRAY_BIT // 8] &= 0xFF ^ 1 << SMALL_ARRAY_BIT % 8
    return found


def _numbers(kind: type[ctypes.c_uint64 | ctypes.c_uint32 | ctypes.c_int], numbers: Sequence[int]) -> object:
    return (kind * max(1, len(numbers)))(*numbers)
