"""A GPU: its memory, streams, events and loaded kernels, each with one owner that gives it back."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import cache

from vtac.dialects.gpu_hardware import STATIC_SHARED_BYTES
from vtac.errors import LaunchError, ToolMissingError
from vtac.files.digests import digest
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.gpu.driver import (
    CAPTURE_OF_THREAD,
    MAJOR,
    MINOR,
    NON_BLOCKING,
    POINTER_DEVICE,
    SHARED_BYTES_ATTRIBUTE,
    Driver,
    load_driver,
)

_NAME_BYTES = 256


class Device:
    """A GPU, driven in the context that other libraries use there too; the caller's current one is left as it is.

    Kernels that several programs have are loaded once: `load` counts who uses a cubin. Raises `ToolMissingError` for a
    number that no device has.
    """

    def __init__(self, driver: Driver, index: int) -> None:
        self.driver = driver
        self.index = index
        self.name = f"device {index}"
        try:
            number = driver.get(ctypes.c_int, "cuDeviceGet", index, what=self.name)
            buffer = ctypes.create_string_buffer(_NAME_BYTES)
            driver.call("cuDeviceGetName", buffer, _NAME_BYTES, number, what=self.name)
            major, minor = (
                driver.get(ctypes.c_int, "cuDeviceGetAttribute", one, number, what=self.name) for one in (MAJOR, MINOR)
            )
            self._context = driver.handle("cuDevicePrimaryCtxRetain", number, what=self.name)
        except LaunchError as error:
            raise ToolMissingError(f"cannot run on a GPU: device {index} does not open: {error}") from None
        self.name = buffer.value.decode(errors="replace")
        self.architecture = f"sm_{major}{minor}"
        self._modules: dict[str, tuple[int, int]] = {}

    @contextmanager
    def current(self) -> Generator[None]:
        """Calls of the driver meanwhile are for this device; afterwards the caller's context is current again."""
        self.driver.call("cuCtxPushCurrent_v2", self._context, what=self.name)
        try:
            yield
        finally:
            self.driver.status("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))

    def giving_back(self, name: str, *arguments: object) -> Callable[[], None]:
        """What gives something back: nothing is raised then, as the driver repeats there what failed before."""

        def give_back() -> None:
            with self.current():
                self.driver.status(name, *arguments)

        return give_back

    def load(self, cubin: bytes, what: str, held: ExitStack) -> int:
        """The handle of a cubin, loaded once for all that hold it."""
        key = digest(cubin)
        handle, users = self._modules.get(key, (0, 0))
        if not users:
            handle = self.driver.handle("cuModuleLoadData", cubin, what=what)
        self._modules[key] = (handle, users + 1)
        held.callback(self._release, key)
        return handle

    def _release(self, key: str) -> None:
        handle, users = self._modules[key]
        if users > 1:
            self._modules[key] = (handle, users - 1)
            return
        del self._modules[key]
        self.giving_back("cuModuleUnload", handle)()

    def function(self, module: int, kernel: str, shared_bytes: int, what: str) -> int:
        """A kernel that is ready to launch: more than 48 KiB of dynamic shared memory must be asked for before."""
        found = self.driver.handle("cuModuleGetFunction", module, kernel.encode(), what=what)
        if shared_bytes > STATIC_SHARED_BYTES:
            self.driver.call("cuFuncSetAttribute", found, SHARED_BYTES_ATTRIBUTE, shared_bytes, what=what)
        return found

    def allocate(self, nbytes: int, what: str, held: ExitStack) -> int:
        """The address of new memory."""
        found = self.driver.get(ctypes.c_uint64, "cuMemAlloc_v2", max(1, nbytes), what=what)
        held.callback(self.giving_back("cuMemFree_v2", found))
        return found

    def create_stream(self, what: str, held: ExitStack) -> int:
        """A new stream, which waits for no other."""
        found = self.driver.handle("cuStreamCreate", NON_BLOCKING, what=what)
        held.callback(self.giving_back("cuStreamDestroy_v2", found))
        return found

    def create_event(self, what: str, held: ExitStack) -> int:
        """A new event, which notes the time."""
        found = self.driver.handle("cuEventCreate", 0, what=what)
        held.callback(self.giving_back("cuEventDestroy_v2", found))
        return found

    def upload(self, array: Array, address: int, what: str) -> None:
        """Copy a dense array to memory; it is there when the call returns."""
        self.driver.call("cuMemcpyHtoD_v2", address, array.ctypes.data, array.nbytes, what=what)

    def download(self, address: int, array: Array, what: str) -> None:
        """Copy memory to a dense array."""
        self.driver.call("cuMemcpyDtoH_v2", array.ctypes.data, address, array.nbytes, what=what)

    def synchronize(self, what: str) -> None:
        """Wait for all that was enqueued on any stream; what failed there is raised."""
        self.driver.call("cuCtxSynchronize", what=what)

    def wait(self, stream: int, what: str) -> None:
        """Wait for what was enqueued on a stream; what failed there is raised."""
        self.driver.call("cuStreamSynchronize", stream, what=what)

    def owner_of(self, address: int) -> int | None:
        """The number of the device on which memory lies; None for memory that the driver does not know."""
        found = ctypes.c_int()
        return (
            None
            if self.driver.status("cuPointerGetAttribute", ctypes.byref(found), POINTER_DEVICE, address)
            else found.value
        )

    def capture(self, enqueue: Callable[[int], None], what: str, held: ExitStack) -> int:
        """What is enqueued on a stream as a graph that can be launched.

        Raises `LaunchError` where the driver records none.
        """
        driver = self.driver
        with ExitStack() as recording:
            stream = self.create_stream(what, recording)
            driver.call("cuStreamBeginCapture_v2", stream, CAPTURE_OF_THREAD, what=what)
            graph = ctypes.c_void_p()
            try:
                enqueue(stream)
            finally:
                status = driver.status("cuStreamEndCapture", stream, ctypes.byref(graph))
                if graph.value:
                    recording.callback(driver.status, "cuGraphDestroy", graph)
            if status:
                raise LaunchError(f"{what}: cuStreamEndCapture answers {driver.name_of(status)}")
            found = driver.handle("cuGraphInstantiateWithFlags", graph, 0, what=what)
            held.callback(self.giving_back("cuGraphExecDestroy", found))
            return found


@cache
def open_device(index: int = 0) -> Device:
    """A device, opened once in a process; `ToolMissingError` without a driver or the device."""
    return Device(load_driver(), index)


def gpu_unavailable_reason() -> str | None:
    """Why kernels cannot be launched on this machine, or None when they can."""
    try:
        open_device()
    except ToolMissingError as error:
        return error.message
    return None
