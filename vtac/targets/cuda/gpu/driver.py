"""NVIDIA's driver, called as it is: the functions of libcuda that launching takes, each failure a `LaunchError`."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from vtac.errors import LaunchError, ToolMissingError
from vtac.lazily import pip_install
from vtac.targets.cuda.gpu.failures import meaning_of

LIBRARY = "libcuda.so.1"
OLDEST = 12000
"""The oldest driver's version: that of CUDA 12.0."""
SHARED_BYTES_ATTRIBUTE = 8
"""CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES."""
POINTER_DEVICE = 9
"""CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL."""
MAJOR, MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR."""
NON_BLOCKING = 1
"""CU_STREAM_NON_BLOCKING: a stream that the default stream does not wait for."""
CAPTURE_OF_THREAD = 1
"""CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may go on using the driver meanwhile."""

_INT, _UINT, _SIZE, _POINTER = ctypes.c_int, ctypes.c_uint, ctypes.c_size_t, ctypes.c_void_p
_ADDRESS, _BYTE = ctypes.c_uint64, ctypes.c_ubyte
_FUNCTIONS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "cuInit": (_UINT,),
        "cuDriverGetVersion": (_POINTER,),
        "cuGetErrorName": (_INT, _POINTER),
        "cuDeviceGet": (_POINTER, _INT),
        "cuDeviceGetName": (_POINTER, _INT, _INT),
        "cuDeviceGetAttribute": (_POINTER, _INT, _INT),
        "cuDevicePrimaryCtxRetain": (_POINTER, _INT),
        "cuCtxPushCurrent_v2": (_POINTER,),
        "cuCtxPopCurrent_v2": (_POINTER,),
        "cuCtxSynchronize": (),
        "cuModuleLoadData": (_POINTER, _POINTER),
        "cuModuleUnload": (_POINTER,),
        "cuModuleGetFunction": (_POINTER, _POINTER, _POINTER),
        "cuFuncSetAttribute": (_POINTER, _INT, _INT),
        "cuMemAlloc_v2": (_POINTER, _SIZE),
        "cuMemFree_v2": (_ADDRESS,),
        "cuMemcpyHtoD_v2": (_ADDRESS, _POINTER, _SIZE),
        "cuMemcpyDtoH_v2": (_POINTER, _ADDRESS, _SIZE),
        "cuMemsetD8_v2": (_ADDRESS, _BYTE, _SIZE),
        "cuMemsetD8Async": (_ADDRESS, _BYTE, _SIZE, _POINTER),
        "cuPointerGetAttribute": (_POINTER, _INT, _ADDRESS),
        "cuStreamCreate": (_POINTER, _UINT),
        "cuStreamDestroy_v2": (_POINTER,),
        "cuStreamSynchronize": (_POINTER,),
        "cuStreamBeginCapture_v2": (_POINTER, _INT),
        "cuStreamEndCapture": (_POINTER, _POINTER),
        "cuGraphInstantiateWithFlags": (_POINTER, _POINTER, ctypes.c_ulonglong),
        "cuGraphLaunch": (_POINTER, _POINTER),
        "cuGraphDestroy": (_POINTER,),
        "cuGraphExecDestroy": (_POINTER,),
        "cuEventCreate": (_POINTER, _UINT),
        "cuEventRecord": (_POINTER, _POINTER),
        "cuEventSynchronize": (_POINTER,),
        "cuEventElapsedTime": (_POINTER, _POINTER, _POINTER),
        "cuEventDestroy_v2": (_POINTER,),
        "cuTensorMapEncodeTiled": (_POINTER, _INT, _UINT, _ADDRESS, *(_POINTER,) * 4, *(_INT,) * 4),
        "cuTensorMapEncodeIm2col": (
            *(_POINTER, _INT, _UINT, _ADDRESS),
            *(_POINTER,) * 4,
            *(_UINT, _UINT, _POINTER),
            *(_INT,) * 4,
        ),
        "cuLaunchKernel": (_POINTER, *(_UINT,) * 7, _POINTER, _POINTER, _POINTER),
    }
)
"""Parameters of the functions that are called; a pointer to what they give comes first."""


class Driver:
    """The driver's functions by name. Raises `ToolMissingError` for a library that lacks one of them."""

    def __init__(self, path: str = LIBRARY) -> None:
        try:
            library = ctypes.CDLL(path)
        except OSError as error:
            raise _missing(f"the NVIDIA driver does not load ({error})") from None
        try:
            self._functions = {name: library[name] for name in _FUNCTIONS}
        except AttributeError as error:
            raise _missing(f"the NVIDIA driver lacks a function ({error})") from None
        for name, function in self._functions.items():
            function.argtypes, function.restype = _FUNCTIONS[name], _INT
        status = int(self._functions["cuInit"](0))
        if status:
            raise _missing(f"the NVIDIA driver does not start: {self.name_of(status)}")
        self.version = self.get(ctypes.c_int, "cuDriverGetVersion", what="the driver")
        if self.version < OLDEST:
            raise _missing(f"the NVIDIA driver is for CUDA {self.version // 1000}.{self.version % 1000 // 10}")

    def name_of(self, status: int) -> str:
        """What CUDA calls a status."""
        name = ctypes.c_char_p()
        unknown = self._functions["cuGetErrorName"](status, ctypes.byref(name))
        return f"status {status}" if unknown or name.value is None else name.value.decode()

    def status(self, name: str, *arguments: object) -> int:
        """Call a function; its status."""
        return int(self._functions[name](*arguments))

    def call(self, name: str, *arguments: object, what: str) -> None:
        """Call a function for something that has a name. Raises `LaunchError` with what its status means."""
        status = self.status(name, *arguments)
        if status:
            answer = self.name_of(status)
            meaning = meaning_of(answer)
            raise LaunchError(f"{what}: {name} answers {answer}{f'; {meaning}' if meaning else ''}")

    def get(self, kind: type[ctypes._SimpleCData[int]], name: str, *arguments: object, what: str) -> int:  # pyright: ignore[reportPrivateUsage]
        """Call a function that gives a number or a handle through its first parameter."""
        found = kind()
        self.call(name, ctypes.byref(found), *arguments, what=what)
        return int(found.value or 0)

    def handle(self, name: str, *arguments: object, what: str) -> int:
        """Call a function that gives a handle through its first parameter."""
        found = ctypes.c_void_p()
        self.call(name, ctypes.byref(found), *arguments, what=what)
        return int(found.value or 0)

    def launch(
        self,
        function: int,
        grid: Sequence[int],
        block: Sequence[int],
        shared_bytes: int,
        stream: int,
        addresses: Sequence[int],
        what: str,
        maps: Sequence[ctypes.Array[ctypes.c_ubyte]] = (),
    ) -> None:
        """Enqueue a kernel whose parameters are addresses, and after them encoded maps: it gets a pointer to each."""
        values = (ctypes.c_uint64 * len(addresses))(*addresses)
        start, width = ctypes.addressof(values), ctypes.sizeof(ctypes.c_uint64)
        places = [start + width * at for at in range(len(addresses))] + [ctypes.addressof(one) for one in maps]
        pointers = (ctypes.c_void_p * len(places))(*places)
        self.call("cuLaunchKernel", function, *grid, *block, shared_bytes, stream, pointers, None, what=what)


@cache
def load_driver() -> Driver:
    """This machine's driver; `ToolMissingError` without one."""
    return Driver()


def _missing(reason: str) -> ToolMissingError:
    return ToolMissingError(
        f"cannot run on a GPU: {reason}; install NVIDIA's driver for CUDA {OLDEST // 1000} or newer, on a machine with "
        f"a GPU, and {pip_install('gpu')} for a compiler"
    )
