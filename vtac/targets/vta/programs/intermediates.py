"""What a program's buffers hold on the way: each one as its last store leaves it."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.lib.stride_tricks import as_strided

from vtac.targets.vta.isa import Opcode
from vtac.targets.vta.machine import Progress, execute
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.programs.arrays import Array, Image
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.provenance import KernelCall, StoredPart, placed_faults
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.stream.layout import Buffer, Names


def run_with_intermediates(
    program: VtaProgram, arrays: Sequence[Array], progress: Progress | None = None
) -> tuple[tuple[Array, ...], dict[str, Array]]:
    """Run a program; its results, and what every kernel stored, in its packed layout, by kernel.

    A kernel with several results has an entry for each buffer, `kernel.buffer`. Buffers that share
    memory are read before the next one takes it. Raises what a call of the program raises.
    """
    found: dict[str, Array] = {}
    if not isinstance(program, HostProgram):
        return _run_stream(program.stream, arrays, "program", found, progress), found
    layers = {call.device: call.layer for call in program.calls}

    def run(name: str, inputs: Sequence[Array]) -> Sequence[Array]:
        return _run_stream(program.devices[name], inputs, layers[name], found, progress)

    return program.run_host(arrays, run), found


def _run_stream(
    program: Program, arrays: Sequence[Array], alone: str, found: dict[str, Array], progress: Progress | None
) -> tuple[Array, ...]:
    image = program.memory_image(arrays)
    watch = _Watch(program, image, alone, found, progress)
    with placed_faults(program.origins):
        execute(program.instructions, image, program.config, strict=True, progress=watch)
    return tuple(program.read(image, buffer) for buffer in program.results)


class _Watch:
    """Reads buffers while a stream runs, as soon as nothing more is stored to them."""

    def __init__(
        self, program: Program, image: Image, alone: str, found: dict[str, Array], progress: Progress | None
    ) -> None:
        self.program = program
        self.image = image
        self.found = found
        self.progress = progress
        self.waiting = sorted(_last_stores(program, alone), key=lambda item: -item[0])

    def __call__(self, done: int, total: int) -> None:
        while self.waiting and self.waiting[-1][0] < done:
            _, name, buffer, part = self.waiting.pop()
            self.found[name] = _of_part(self.program.read(self.image, buffer), part)
        if self.progress is not None:
            self.progress(done, total)


def _last_stores(program: Program, alone: str) -> list[tuple[int, str, Buffer, StoredPart | None]]:
    """Per tensor that is stored: the position of the last store of the kernel that writes it, a name, and where."""
    stores = decode_stream(program.instructions, program.config).table.rows[Opcode.STORE]
    buffers = {buffer.name: buffer for buffer in program.buffers}
    if not program.kernels:
        results = [buffer.name for buffer in program.results]
        last = int(stores.max())
        return [(last, alone if len(results) == 1 else f"{alone}.{name}", buffers[name], None) for name in results]
    ends = {program.origins[position].kernel: position for position in map(int, stores)}
    return [
        (ends[kernel.name], name, buffers[written], part)
        for kernel in program.kernels
        for name, written, part in _stored(kernel)
    ]


def _stored(kernel: KernelCall) -> list[tuple[str, str, StoredPart | None]]:
    """For each tensor that a kernel stores: a name of its own, the buffer's, and which part it is."""
    parts = kernel.parts or (None,) * len(kernel.writes)
    names = Names()
    several = len(kernel.writes) > 1
    return [
        (names.take(f"{kernel.name}.{written}") if several else kernel.name, written, part)
        for written, part in zip(kernel.writes, parts, strict=True)
    ]


def _of_part(whole: Array, part: StoredPart | None) -> Array:
    """What a buffer holds in one of its parts."""
    if part is None:
        return whole
    flat = whole.reshape(-1)[part.offset :]
    strides = [stride * flat.itemsize for stride in part.strides]
    return as_strided(flat, part.shape, strides).copy()  # pyright: ignore[reportReturnType]
