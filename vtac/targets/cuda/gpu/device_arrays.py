"""Arrays of other libraries that lie on a GPU: read through `__cuda_array_interface__` or DLPack, never copied."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from vtac.errors import LaunchError

_CUDA, _MANAGED = 2, 13
"""DLPack's device types whose memory a kernel can address."""
_KINDS = {0: "int", 1: "uint", 2: "float", 4: "bfloat"}


@dataclass(frozen=True)
class DeviceArray:
    """Dense memory on a GPU: its address, shape and dtype (`bfloat16` and `uint16` stand for one another).

    `stream` is the handle of the stream that still writes it, where its owner says so; `owner` keeps it alive.
    """

    address: int
    shape: tuple[int, ...]
    dtype: str
    read_only: bool
    stream: int | None
    owner: object

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


class _Tensor(ctypes.Structure):
    """DLPack's DLTensor, with which a DLManagedTensor begins."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("dimensions", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("offset", ctypes.c_uint64),
    )


def device_array(value: object, stream: int) -> DeviceArray:
    """What a library's array is, for use on a stream. Raises `LaunchError` for what no kernel can read as it lies."""
    interface = getattr(value, "__cuda_array_interface__", None)
    if isinstance(interface, Mapping):
        return _from_interface(cast("Mapping[str, object]", interface), value)
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return _from_dlpack(value, stream)
    raise LaunchError(
        f"a {type(value).__name__} has neither __cuda_array_interface__ nor __dlpack__; arrays of torch, cupy and "
        "numba have: move it to the GPU, or call the program with numpy arrays and device='gpu'"
    )


def _from_interface(interface: Mapping[str, object], owner: object) -> DeviceArray:
    shape = tuple(cast("Sequence[int]", interface["shape"]))
    dtype = np.dtype(cast(str, interface["typestr"]))
    address, read_only = cast("tuple[int, bool]", interface["data"])
    strides = cast("Sequence[int] | None", interface.get("strides"))
    _require_dense(shape, None if strides is None else [step // dtype.itemsize for step in strides])
    name = "uint16" if dtype.kind == "V" and dtype.itemsize == 2 else dtype.name
    return DeviceArray(address, shape, name, read_only, cast("int | None", interface.get("stream")), owner)


def _from_dlpack(value: object, stream: int) -> DeviceArray:
    kind, _ = cast("Callable[[], tuple[int, int]]", value.__dlpack_device__)()  # pyright: ignore[reportAttributeAccessIssue]
    if int(kind) not in (_CUDA, _MANAGED):
        raise LaunchError(
            f"a {type(value).__name__} lies on the CPU; a launch on the GPU takes arrays there: move it, or call the "
            "program with numpy arrays and device='gpu'"
        )
    capsule = cast("Callable[..., object]", value.__dlpack__)(stream=stream or 1)  # pyright: ignore[reportAttributeAccessIssue]
    return read_capsule(capsule)


def read_capsule(capsule: object) -> DeviceArray:
    """The array of a DLPack capsule, which is kept as its owner: it gives the memory up when nothing holds it."""
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    tensor = _Tensor.from_address(pointer_of(capsule, b"dltensor"))
    count = int(tensor.dimensions)
    shape = tuple(int(tensor.shape[at]) for at in range(count))
    _require_dense(shape, [int(tensor.strides[at]) for at in range(count)] if tensor.strides else None)
    dtype = f"{_KINDS.get(tensor.code, 'unknown')}{tensor.bits}"
    return DeviceArray(int(tensor.data or 0) + int(tensor.offset), shape, dtype, False, None, capsule)


def _require_dense(shape: Sequence[int], strides: Sequence[int] | None) -> None:
    """Elements follow one another, rows first. Raises `LaunchError`."""
    expected = 1
    for size, step in zip(reversed(shape), reversed(strides or ()), strict=False):
        if size > 1 and step != expected:
            raise LaunchError(
                f"an array {list(shape)} with strides of {list(strides or ())} elements is not dense; kernels take "
                "dense row-major arrays: make it contiguous first"
            )
        expected *= size


def stream_handle(stream: object) -> int:
    """The handle of a stream of torch, cupy, numba or cuda-core, or of a number; 0, the default stream, for None.

    Raises `LaunchError` for anything else.
    """
    if stream is None or isinstance(stream, int):
        return stream or 0
    protocol = getattr(stream, "__cuda_stream__", None)
    if callable(protocol):
        return int(cast("tuple[int, int]", protocol())[1])
    for name in ("cuda_stream", "ptr", "handle"):
        found = getattr(stream, name, None)
        if found is not None:
            return int(getattr(found, "value", found) or 0)
    raise LaunchError(f"a {type(stream).__name__} is no CUDA stream: pass one of torch, cupy or numba, or its handle")
