"""Tensor maps in exported C++: the launcher has the driver encode them, which it asks the runtime for."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.dialects.tensor_maps import MAP_ENCODINGS, TensorMap
from vtac.targets.cuda.emit.tma_instructions import STRUCT
from vtac.targets.cuda.launch import LaunchRecord

DECLARATION = "\n".join(["// What the kernels take for a CUtensorMap, 128 bytes.", *STRUCT, ""])

FUNCTION = """// A tensor map of the array at an address, encoded by the driver: no library of the driver is linked.
inline cudaError_t encode(TensorMap *map, CUtensorMapDataType type, unsigned rank, const void *array,
                          const cuuint64_t *extents, const cuuint64_t *strides, const cuuint32_t *box,
                          const cuuint32_t *steps, CUtensorMapSwizzle swizzle, CUtensorMapFloatOOBfill fill) {
  using Encode = CUresult (*)(CUtensorMap *, CUtensorMapDataType, cuuint32_t, void *, const cuuint64_t *,
                              const cuuint64_t *, const cuuint32_t *, const cuuint32_t *, CUtensorMapInterleave,
                              CUtensorMapSwizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill);
  void *found = nullptr;
  cudaDriverEntryPointQueryResult status;
  const cudaError_t error = cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &found, cudaEnableDefault, &status);
  if (error != cudaSuccess) return error;
  if (status != cudaDriverEntryPointSuccess) return cudaErrorNotSupported;
  static_assert(sizeof(TensorMap) == sizeof(CUtensorMap), "a tensor map has 128 bytes");
  const CUresult result = reinterpret_cast<Encode>(found)(
      reinterpret_cast<CUtensorMap *>(map), type, rank, const_cast<void *>(array), extents, strides, box, steps,
      CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, fill);
  return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}
"""


def declared_maps(kernel: LaunchRecord) -> list[str]:
    """The types of a kernel's parameters that are maps."""
    return ["TensorMap"] * len(kernel.tensor_maps)


def encoded_maps(kernel: LaunchRecord, arrays: Sequence[str]) -> tuple[list[str], list[str]]:
    """Lines that make a kernel's maps of arrays, and the names of the maps."""
    lines: list[str] = []
    names = [f"map_{number}" for number in range(len(kernel.tensor_maps))]
    for name, one in zip(names, kernel.tensor_maps, strict=True):
        lines += _encoded(name, one, arrays[kernel.map_position(one)])
    return lines, names


def _encoded(name: str, one: TensorMap, array: str) -> list[str]:
    strides = one.strides or (0,)
    swizzle = f"CU_TENSOR_MAP_SWIZZLE_{f'{one.swizzle}B' if one.swizzle else 'NONE'}"
    kind = MAP_ENCODINGS[one.dtype].name
    fill = "NAN_REQUEST_ZERO_FMA" if one.fill == "nan" else "NONE"
    return [
        f"    TensorMap {name};  // boxes of {' x '.join(map(str, reversed(one.box)))} of `{one.array}`",
        f"    const cuuint64_t {name}_extents[] = {_list(one.extents)}, {name}_strides[] = {_list(strides)};",
        f"    const cuuint32_t {name}_box[] = {_list(one.walked)}, {name}_steps[] = {_list(one.steps)};",
        "    if (const cudaError_t error = encode(",
        f"            &{name}, CU_TENSOR_MAP_DATA_TYPE_{kind}, {one.rank}, {array}, {name}_extents,",
        f"            {name}_strides, {name}_box, {name}_steps, {swizzle},",
        f"            CU_TENSOR_MAP_FLOAT_OOB_FILL_{fill});",
        "        error != cudaSuccess)",
        "      return error;",
    ]


def _list(numbers: Sequence[int]) -> str:
    return "{" + ", ".join(map(str, numbers)) + "}"
