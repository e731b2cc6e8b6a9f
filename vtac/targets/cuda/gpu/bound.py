"""A CUDA program on one GPU: compiled there once, then launched on arrays that lie there, on the caller's stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from vtac.closing import Closing
from vtac.errors import LaunchError
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.gpu.cubins import Cubins, compiled_for
from vtac.targets.cuda.gpu.device import Device, open_device
from vtac.targets.cuda.gpu.device_arrays import DeviceArray, device_array, stream_handle
from vtac.targets.cuda.gpu.loaded import load_plan
from vtac.targets.cuda.plan import LaunchPlan, PlanBuffer

_ALIGNMENT = 32


class _Held(Closing):
    """Something on a GPU that `close`, or leaving a `with`, gives back."""

    def __init__(self, held: ExitStack) -> None:
        self._held = held

    def close(self) -> None:
        """Give back what lies on the GPU."""
        self._held.close()


class LaunchGraph(_Held):
    """All launches of a program on arrays that were given once, as one graph of CUDA.

    The arrays must stay where they are as long as it is launched; what they hold may change in between.
    """

    def __init__(self, handle: int, device: Device, what: str, arrays: Sequence[DeviceArray], held: ExitStack) -> None:
        super().__init__(held)
        self._handle = handle
        self._device = device
        self._what = what
        self._arrays = tuple(arrays)

    def launch(self, stream: object = None) -> None:
        """Enqueue the graph on a stream, the default one without. Raises `LaunchError` for what the driver refuses."""
        with self._device.current():
            self._device.driver.call("cuGraphLaunch", self._handle, stream_handle(stream), what=self._what)


class BoundProgram(_Held):
    """A program's kernels, constants and scratch memory on one GPU, released by `close` or on leaving a `with`.

    Calls only enqueue. They share the scratch memory: order calls on different streams one after the other.
    """

    def __init__(
        self,
        plan: LaunchPlan,
        text: str,
        constants: Mapping[str, Array],
        device_index: int = 0,
        cubins: Cubins | None = None,
    ) -> None:
        self.plan = plan
        self.device = open_device(device_index)
        names = [record.kernel for record in plan.kernels]
        self.compiled = compiled_for(text, names, self.device.architecture, cubins)
        self._what = f"program `{plan.name}` on {self.device.name}"
        with self.device.current(), ExitStack() as held:
            self._loaded = load_plan(self.device, plan, self.compiled, constants, held)
            super().__init__(held.pop_all())

    def __call__(self, *arrays: object, out: Sequence[object], stream: object = None) -> None:
        """Enqueue all launches: arguments and results are arrays on the GPU, of torch, cupy, numba or by DLPack.

        `out` are the results, in order; `stream` is a stream of one of these libraries or its handle, the default
        stream without. Raises `LaunchError` for arrays that do not fit, and for what the driver refuses.
        """
        handle = stream_handle(stream)
        with self.device.current():
            given = self._given(arrays, out, handle)
            for waited in {one.stream for one in given.values() if one.stream not in (None, handle)}:
                self.device.wait(waited or 0, self._what)
            self._enqueuing(given)(handle)

    def graph(self, *arrays: object, out: Sequence[object]) -> LaunchGraph:
        """All launches on some arrays, recorded once: launching them again costs one call of the driver.

        Raises `LaunchError` as a call does.
        """
        with self.device.current(), ExitStack() as held:
            given = self._given(arrays, out, 0)
            handle = self.device.capture(self._enqueuing(given), self._what, held)
            return LaunchGraph(handle, self.device, self._what, list(given.values()), held.pop_all())

    def _enqueuing(self, given: Mapping[int, DeviceArray]) -> Callable[[int], None]:
        addresses = {at: one.address for at, one in given.items()}
        return lambda stream: self._loaded.enqueue(stream, addresses)

    def _given(self, arrays: Sequence[object], out: Sequence[object], stream: int) -> dict[int, DeviceArray]:
        """The arrays of a call by number of buffer."""
        memory = dict(zip(self._numbers("argument", len(arrays)), arrays, strict=True))
        memory |= dict(zip(self._numbers("result", len(out)), out, strict=True))
        return {at: self._fitted(self.plan.buffers[at], value, stream) for at, value in memory.items()}

    def _numbers(self, role: str, count: int) -> list[int]:
        found = [at for at, buffer in enumerate(self.plan.buffers) if buffer.role == role]
        if len(found) != count:
            names = ", ".join(self.plan.buffers[at].name for at in found) or "none"
            raise LaunchError(f"program `{self.plan.name}` got {count} {role}s; it takes {len(found)}: {names}")
        return found

    def _fitted(self, buffer: PlanBuffer, value: object, stream: int) -> DeviceArray:
        where = f"{buffer.role} `{buffer.name}` of program `{self.plan.name}`"
        try:
            array = device_array(value, stream)
        except LaunchError as error:
            raise LaunchError(f"{where}: {error.message}") from None
        names = (buffer.dtype, buffer.numpy_dtype, f"u{buffer.dtype}")  # an unsigned array stands for signless integers
        if array.shape != buffer.shape or array.dtype not in names:
            raise LaunchError(f"{where} got {array}; it is {buffer.dtype} {list(buffer.shape)}")
        if array.address % _ALIGNMENT:
            raise LaunchError(
                f"{where} starts at address {array.address:#x}; a multiple of {_ALIGNMENT} is required for "
                "what moves as one: copy the slice"
            )
        owner = self.device.owner_of(array.address)
        if owner != self.device.index:
            place = "on no GPU, or was freed" if owner is None else f"on device {owner}"
            raise LaunchError(
                f"{where} lies {place}; the program is on device {self.device.index}: move the array there"
            )
        if array.read_only and buffer.role == "result":
            raise LaunchError(f"{where} is read-only")
        return array
