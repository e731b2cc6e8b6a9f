"""Tensor maps in exported C++: the launcher has the driver encode them, which it asks the runtime for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vtac.dialects.tensor_maps import FIRST_RIGHT_DRIVER, MAP_ENCODINGS, SMALL_ARRAY, SMALL_ARRAY_BIT, TensorMap
from vtac.targets.cuda.emit.tma_instructions import STRUCT
from vtac.targets.cuda.export.sizes import Sizes
from vtac.targets.cuda.launch import LaunchRecord

DECLARATION = "\n".join(["// What the kernels take for a CUtensorMap, 128 bytes.", *STRUCT, ""])

_TILED, _PIXELS = "cuTensorMapEncodeTiled", "cuTensorMapEncodeIm2col"
_ASK = """// A function of the driver by its name: no library of it is linked.
template <class Encode>
inline cudaError_t driver_function(const char *name, Encode *found) {
  void *address = nullptr;
  cudaDriverEntryPointQueryResult status;
  const cudaError_t error = cudaGetDriverEntryPoint(name, &address, cudaEnableDefault, &status);
  if (error != cudaSuccess) return error;
  if (status != cudaDriverEntryPointSuccess) return cudaErrorNotSupported;
  *found = reinterpret_cast<Encode>(address);
  return cudaSuccess;
}
"""
_FIRST_RIGHT = f"{FIRST_RIGHT_DRIVER // 1000}.{FIRST_RIGHT_DRIVER % 1000 // 10}"
_CORRECT = f"""// Drivers before {_FIRST_RIGHT} set large arrays' bit below {SMALL_ARRAY // 1024} KiB, too.
inline cudaError_t correct_small(TensorMap *map) {{
  int version = 0;
  if (const cudaError_t error = cudaDriverGetVersion(&version); error != cudaSuccess) return error;
  if (version < {FIRST_RIGHT_DRIVER}) map->words[{SMALL_ARRAY_BIT // 64}] &= ~(1ull << {SMALL_ARRAY_BIT % 64});
  return cudaSuccess;
}}
"""


@dataclass(frozen=True)
class _Function:
    """A function of the launcher around one of the driver's: how a box is told, by types and names."""

    name: str
    driver: str
    what: str
    box: tuple[tuple[str, str], ...]

    def lines(self) -> list[str]:
        types = ", ".join(kind for kind, _ in self.box)
        declared = ", ".join(f"{kind} {name}" if kind[-1] != "*" else f"{kind}{name}" for kind, name in self.box)
        names = ", ".join(name for _, name in self.box)
        return [
            f"// A tensor map of {self.what}, encoded by the driver for the array at an address.",
            f"inline cudaError_t {self.name}(",
            "    TensorMap *map, CUtensorMapDataType type, unsigned rank, const void *array,",
            "    const cuuint64_t *extents, const cuuint64_t *strides,",
            f"    {declared},",
            "    const cuuint32_t *steps, CUtensorMapSwizzle swizzle, CUtensorMapFloatOOBfill fill) {",
            "  using Encode = CUresult (*)(CUtensorMap *, CUtensorMapDataType, cuuint32_t, void *, const cuuint64_t *,",
            f"      const cuuint64_t *, {types},",
            "      const cuuint32_t *, CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapL2promotion,",
            "      CUtensorMapFloatOOBfill);",
            "  Encode ask = nullptr;",
            f'  if (const cudaError_t error = driver_function("{self.driver}", &ask); error != cudaSuccess)',
            "    return error;",
            '  static_assert(sizeof(TensorMap) == sizeof(CUtensorMap), "a tensor map has 128 bytes");',
            "  const CUresult result = ask(",
            "      reinterpret_cast<CUtensorMap *>(map), type, rank, const_cast<void *>(array), extents, strides,",
            f"      {names}, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,",
            "      CU_TENSOR_MAP_L2_PROMOTION_L2_256B, fill);",
            "  return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;",
            "}",
            "",
        ]


_OF_TILES = _Function("encode", _TILED, "tiled boxes", (("const cuuint32_t *", "box"),))
_OF_PIXELS = _Function(
    "encode_pixels",
    _PIXELS,
    "pixels of images",
    (("const int *", "lower"), ("const int *", "upper"), ("cuuint32_t", "channels"), ("cuuint32_t", "pixels")),
)


def encoding_functions(kernels: Sequence[LaunchRecord], sizes: Sizes) -> list[str]:
    """The functions that make the maps of kernels, each where a kernel has such a map."""
    maps = [one for kernel in kernels for one in kernel.tensor_maps]
    kinds = {one.corners is not None for one in maps}
    used = [one for one, of_pixels in ((_OF_TILES, False), (_OF_PIXELS, True)) if of_pixels in kinds]
    correct = [_CORRECT] if any(sizes.is_small(one) for one in maps) else []
    return [_ASK, *(line for one in used for line in one.lines()), *correct] if used else []


def declared_maps(kernel: LaunchRecord) -> list[str]:
    """The types of a kernel's parameters that are maps."""
    return ["TensorMap"] * len(kernel.tensor_maps)


def encoded_maps(kernel: LaunchRecord, arrays: Sequence[str], sizes: Sizes) -> tuple[list[str], list[str]]:
    """Lines that make a kernel's maps of arrays, and the names of the maps."""
    lines: list[str] = []
    names = [f"map_{number}" for number in range(len(kernel.tensor_maps))]
    for name, one in zip(names, kernel.tensor_maps, strict=True):
        lines += _encoded(name, one, arrays[kernel.map_position(one)], sizes)
    return lines, names


def _encoded(name: str, one: TensorMap, array: str, sizes: Sizes) -> list[str]:
    strides = one.strides or (0,)
    swizzle = f"CU_TENSOR_MAP_SWIZZLE_{f'{one.swizzle}B' if one.swizzle else 'NONE'}"
    kind = MAP_ENCODINGS[one.dtype].name
    fill = "NAN_REQUEST_ZERO_FMA" if one.fill == "nan" else "NONE"
    function, box, arrays = _box(name, one)
    small = sizes.is_small(one)
    correct = f"if (const cudaError_t error = correct_small(&{name}); error != cudaSuccess) return error;"
    corrected = [f"    {correct}"] if small == "true" else [f"    if ({small}) {{", f"      {correct}", "    }"]
    return [
        f"    TensorMap {name};  // boxes of {' x '.join(map(str, reversed(one.box)))} of `{one.array}`",
        f"    const cuuint64_t {name}_extents[] = {_list(sizes.extents(one))}, {name}_strides[] = {_list(strides)};",
        f"    const cuuint32_t {name}_steps[] = {_list(one.steps)};",
        *(f"    {line}" for line in arrays),
        f"    if (const cudaError_t error = {function}(",
        f"            &{name}, CU_TENSOR_MAP_DATA_TYPE_{kind}, {one.rank}, {array}, {name}_extents,",
        f"            {name}_strides, {box}, {name}_steps, {swizzle},",
        f"            CU_TENSOR_MAP_FLOAT_OOB_FILL_{fill});",
        "        error != cudaSuccess)",
        "      return error;",
        *(corrected if small else []),
    ]


def _box(name: str, one: TensorMap) -> tuple[str, str, list[str]]:
    """The function that encodes a map, its arguments that tell of the box, and the arrays that these need."""
    if one.corners is None:
        return _OF_TILES.name, f"{name}_box", [f"const cuuint32_t {name}_box[] = {_list(one.walked)};"]
    channels, pixels = one.box
    lower, upper = _list(one.corners.lower), _list(one.corners.upper)
    return (
        _OF_PIXELS.name,
        f"{name}_lower, {name}_upper, {channels}, {pixels}",
        [f"const int {name}_lower[] = {lower}, {name}_upper[] = {upper};"],
    )


def _list(numbers: Sequence[int | str]) -> str:
    return "{" + ", ".join(map(str, numbers)) + "}"
