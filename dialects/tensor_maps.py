"""Tensor maps: how a GPU's engine of bulk copies cuts boxes out of an array. Plain Python.

The rules are those of the CUDA driver's `cuTensorMapEncodeTiled`, for pixels of images those of
`vtac.dialects.im2col`. Dimensions count from the innermost one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Literal, NamedTuple

from vtac.dialects.im2col import Corners, problem_of_pixels
from vtac.errors import ConfigError

Fill = Literal["zero", "nan"]
"""What lies outside of the array: zeros, or NaN in each element."""

MAP_ELEMENTS: Mapping[str, int] = MappingProxyType(
    {"uint8": 1, "int8": 1, "float16": 2, "bfloat16": 2, "int32": 4, "float32": 4, "float64": 8}
)
"""Bytes of the element types that a map may have, as launch records name them."""


class Encoding(NamedTuple):
    """A CUtensorMapDataType: what follows CU_TENSOR_MAP_DATA_TYPE_ in its name, and its number."""

    name: str
    code: int


MAP_ENCODINGS: Mapping[str, Encoding] = MappingProxyType(
    {
        "uint8": Encoding("UINT8", 0),
        "int8": Encoding("UINT8", 0),
        "int32": Encoding("INT32", 3),
        "float16": Encoding("FLOAT16", 6),
        "float32": Encoding("FLOAT32", 7),
        "float64": Encoding("FLOAT64", 8),
        "bfloat16": Encoding("BFLOAT16", 9),
    }
)
"""How the driver names those element types; copies do not ask for a sign."""
SWIZZLE_SPANS = (0, 32, 64, 128)
"""Bytes of a box's row within which chunks of 16 change places; 0 for none."""
FILLS: tuple[Fill, ...] = ("zero", "nan")
FIRST_CAPABILITY = (9, 0)
"""The first compute capability that has bulk copies of tensors."""
MOST_DIMENSIONS = 5
MOST_BOX = 256
"""Elements of a box along one dimension."""
MOST_STEP = 8
CHUNK = 16
"""Bytes that strides and the rows of boxes are multiples of."""
TARGET_ALIGNMENT = 128
"""What a box's place in shared memory is a multiple of, in bytes."""
SMALL_ARRAY = 128 * 1024
"""Bytes from which on an array counts as large where an element's place is compared with the array's end."""
SMALL_ARRAY_BIT = 85
"""The bit of an encoded map that says so. CUDA's drivers before 13.2 set it for smaller arrays, too: CUTLASS and Triton
clear it there (CUTLASS, `copy_traits_sm90_tma.hpp`). GPUs of compute capability 9.0 do not look at it."""
FIRST_RIGHT_DRIVER = 13020
"""The first driver that sets it as the array asks for, as `cuDriverGetVersion` counts."""
_MOST_EXTENT = 2**31
_MOST_STRIDE = 2**40
_FLOATS = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True, slots=True)
class TensorMap:
    """Boxes of `box` elements of a parameter `array` whose extents, in elements, are `extents`, innermost first.

    `strides` are bytes from one element to the next of each dimension but the innermost, whose elements lie side by
    side; `steps` are elements of the array from one element of a box to the next. With `corners` a box is channels of
    pixels, and its two extents are their numbers. Raises `ConfigError` for what the hardware does not have.
    """

    array: str
    dtype: str
    extents: tuple[int, ...]
    strides: tuple[int, ...]
    box: tuple[int, ...]
    steps: tuple[int, ...]
    swizzle: int = 0
    fill: Fill = "zero"
    corners: Corners | None = None

    def __post_init__(self) -> None:
        problem = self.problem()
        if problem:
            raise ConfigError(f"tensor map of '{self.array}': {problem}")

    @property
    def rank(self) -> int:
        return len(self.extents)

    @property
    def element_bytes(self) -> int:
        return MAP_ELEMENTS[self.dtype]

    @property
    def walked(self) -> tuple[int, ...]:
        """Elements from a tiled box's first to its last: the driver's box, which it divides by the steps."""
        return tuple(extent * step for extent, step in zip(self.box, self.steps, strict=True))

    @property
    def is_small(self) -> bool:
        """Whether it is less than `SMALL_ARRAY` bytes from the array's first element to the end of its last."""
        strides = (self.element_bytes, *self.strides)
        last = sum((extent - 1) * stride for extent, stride in zip(self.extents, strides, strict=True))
        return last + self.element_bytes < SMALL_ARRAY

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a box, along the innermost dimension."""
        return self.box[0] * self.element_bytes

    @property
    def box_bytes(self) -> int:
        """What a copy of one box brings, and its mbarrier has to expect: elements outside of the array count, too."""
        return prod(self.box) * self.element_bytes

    @property
    def alignment(self) -> int:
        """What a box's place in shared memory is a multiple of, in bytes: where its swizzle begins anew."""
        return 8 * self.swizzle if self.swizzle else TARGET_ALIGNMENT

    def problem(self) -> str:
        """Why there is no such map; empty when there is."""
        if self.dtype not in MAP_ELEMENTS:
            return f"elements of {self.dtype}; {', '.join(MAP_ELEMENTS)} are possible"
        if not 1 <= self.rank <= MOST_DIMENSIONS:
            return f"{self.rank} dimensions; 1 to {MOST_DIMENSIONS} are possible"
        box = len(self.box) if self.corners is None else self.rank
        counts = (len(self.strides) + 1, box, len(self.steps))
        if any(count != self.rank for count in counts):
            return (
                f"{self.rank} dimensions with {len(self.strides)} strides, {len(self.box)} extents of the box and "
                f"{len(self.steps)} steps: a stride for each dimension but the first, and one of the others for each"
            )
        return self._wrong_array() or self._wrong_box() or self._wrong_layout()

    def _wrong_array(self) -> str:
        if any(not 1 <= extent <= _MOST_EXTENT for extent in self.extents):
            return f"extents {list(self.extents)}; each is from 1 to 2**31"
        for stride in self.strides:
            if stride % CHUNK or not 0 < stride < _MOST_STRIDE:
                return f"a stride of {stride} bytes; a multiple of {CHUNK} below 2**40 is required"
        return ""

    def _wrong_box(self) -> str:
        if self.corners is not None and (problem := problem_of_pixels(self.corners, self.box, self.extents)):
            return problem
        if self.corners is None and any(not 1 <= extent <= MOST_BOX for extent in self.box):
            return f"a box of {' x '.join(map(str, self.box))} elements; each extent is from 1 to {MOST_BOX}"
        if any(not 1 <= step <= MOST_STEP for step in self.steps):
            return f"steps {list(self.steps)}; each is from 1 to {MOST_STEP}"
        if self.steps[0] != 1:
            return f"steps of {self.steps[0]} elements along the innermost dimension; its elements lie side by side"
        if self.corners is None and max(self.walked) > MOST_BOX:
            return (
                f"a box of {' x '.join(map(str, self.box))} elements in steps {list(self.steps)} is walked through "
                f"{max(self.walked)} elements; at most {MOST_BOX} are possible"
            )
        if self.row_bytes % CHUNK:
            return f"rows of a box of {self.row_bytes} bytes; a multiple of {CHUNK} is required"
        return ""

    def _wrong_layout(self) -> str:
        if self.swizzle not in SWIZZLE_SPANS:
            return f"a swizzle of {self.swizzle} bytes; 32, 64 or 128 are possible, or 0 for none"
        if self.swizzle and self.row_bytes > self.swizzle:
            return f"rows of a box of {self.row_bytes} bytes, swizzled within {self.swizzle}: a row has to fit"
        if self.fill not in FILLS:
            return f"a fill of {self.fill!r}; {' or '.join(FILLS)} is possible"
        if self.fill == "nan" and self.dtype not in _FLOATS:
            return f"a fill of NaN for elements of {self.dtype}; floats alone have it"
        return ""
