"""Running an instruction stream against a memory image."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.machine.counters import count
from vtac.targets.vta.machine.fast import run_fast
from vtac.targets.vta.machine.machine import Machine, check_image
from vtac.targets.vta.machine.prepare import Prepared, prepare_run
from vtac.targets.vta.machine.reference import ReferenceInterpreter
from vtac.targets.vta.machine.stream import Stream
from vtac.targets.vta.machine.tokens import tokens_left

Progress = Callable[[int, int], None]
"""Called with (instructions done, instructions in all), now and then and at the end."""


def report(stream: Stream) -> dict[str, int | dict[str, int]]:
    """The result of a complete run: the seven counters and `tokens_left`."""
    return {**count(stream), "tokens_left": dict(tokens_left(stream))}


def run_reference(prepared: Prepared, dram: NDArray[np.uint8], progress: Progress | None) -> None:
    """Execute a prepared stream one tile operation at a time."""
    stream = prepared.stream
    interpreter = ReferenceInterpreter(stream, Machine.of(stream.config, dram), prepared.strict)
    for done, index in enumerate(prepared.order.tolist(), 1):
        interpreter.run(index)
        if progress is not None:
            progress(done, len(stream))


def execute_reference(
    instructions: bytes,
    dram: NDArray[np.uint8],
    config: VTAConfig,
    *,
    strict: bool = False,
    order: random.Random | None = None,
    progress: Progress | None = None,
) -> dict[str, int | dict[str, int]]:
    """`execute`, one tile operation at a time; slower by two orders of magnitude.

    With `order`, the unit that runs next is drawn among those that the tokens allow: a program
    with a race gives different results for different draws.
    """
    image = check_image(dram)
    prepared = prepare_run(instructions, config, len(image), strict, order)
    run_reference(prepared, image, progress)
    return report(prepared.stream)


def execute(
    instructions: bytes,
    dram: NDArray[np.uint8],
    config: VTAConfig,
    *,
    strict: bool = False,
    progress: Progress | None = None,
) -> dict[str, int | dict[str, int]]:
    """Run the stream `instructions` against the memory image `dram`, in place.

    `dram` is uint8 of shape (bytes,), index = physical byte address; micro-ops lie in it too. The
    bytes are decoded with the field widths of `config`. Returns the reference's seven counters
    and `tokens_left`, a dict of the tokens in `l2g`, `g2l`, `s2g` and `g2s` (g is compute).

    SRAM starts at zero. Faults: deadlock, unknown opcode or memory id, an index or address out of
    range, an illegal token bit, no FINISH or instructions after it, a broken length. With `strict`
    also reads of unwritten SRAM, tokens left over, and every program that the hardware would not
    run as the simulator does. All raise `ExecutionError`; the image may then be partly changed.
    """
    image = check_image(dram)
    prepared = prepare_run(instructions, config, len(image), strict)
    if not run_fast(prepared, image, progress):
        run_reference(prepared, image, progress)
    return report(prepared.stream)
