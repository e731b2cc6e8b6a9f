"""What a program's buffers hold on the way: each one as its last store leaves it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtac.interpreter import execute
from vtac.interpreter.stream import decode_stream
from vtac.isa import Opcode
from vtac.runtime.layout import Buffer
from vtac.runtime.program import Array, Image, Program


class BufferWatch:
    """Reads buffers while a program runs, as soon as nothing more is stored to them.

    Pass it as `progress` of `vtac.execute` with the image that runs; `contents` then holds the
    arrays by buffer name.
    """

    def __init__(self, program: Program, image: Image) -> None:
        self.contents: dict[str, Array] = {}
        self._image = image
        self._waiting = sorted(_last_stores(program), key=lambda item: -item[0])

    def __call__(self, done: int, total: int) -> None:
        while self._waiting and (self._waiting[-1][0] < done or done == total):
            buffer = self._waiting.pop()[1]
            data = self._image[buffer.address : buffer.address + buffer.nbytes]
            self.contents[buffer.name] = data.view(np.dtype(buffer.dtype)).reshape(buffer.shape).copy()  # pyright: ignore[reportArgumentType]


def intermediates(program: Program, arrays: Sequence[Array]) -> dict[str, Array]:
    """Run a program; every buffer that it stores to, by name, as it was after its last store.

    Buffers that share memory are read before the next one takes it. Raises what a call raises.
    """
    image = program.memory_image(arrays)
    watch = BufferWatch(program, image)
    execute(program.instructions, image, program.config, strict=not program.simulator_only, progress=watch)
    return watch.contents


def _last_stores(program: Program) -> list[tuple[int, Buffer]]:
    """Per buffer that is stored to, the position of the last store of the kernel that writes it."""
    stores = decode_stream(program.instructions, program.config).table.rows[Opcode.STORE]
    buffers = {buffer.name: buffer for buffer in program.buffers}
    if not program.kernels:
        return [(int(stores.max()), buffer) for buffer in program.results]
    last = {program.origins[position].kernel: position for position in map(int, stores)}
    return [(last[kernel.name], buffers[name]) for kernel in program.kernels for name in kernel.writes]
