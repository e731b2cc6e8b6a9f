"""Faults that are planted in emitted kernels, and what runs of some blocks on the CPU say of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from vtac.errors import KernelFault
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.program import CudaProgram

WRONG = "wrong numbers"
_KERNEL = 'extern "C"'


def planted(text: str, old: str, new: str) -> str:
    """The text with the first statement of a kind in the kernel changed; a statement may take several lines."""
    head, kernel = text.split(_KERNEL)
    changed, count = re.subn(old, new, kernel, count=1, flags=re.DOTALL)
    assert count == 1, old
    return f"{head}{_KERNEL}{changed}"


def planted_anywhere(text: str, old: str, new: str) -> str:
    """The text with the first of what a pattern says changed, in functions around the kernel, too."""
    changed, count = re.subn(old, new, text, count=1, flags=re.DOTALL)
    assert count == 1, old
    return changed


def fault_of(
    program: CudaProgram, text: str, arrays: Sequence[Array], wanted: Array, blocks: Sequence[int] = (0,)
) -> str:
    """The kind of fault that a run of a text ends with, `WRONG` where it ends, nothing where it is right."""
    try:
        run = run_on_cpu(text, program.launch, arrays, orders=3, blocks=blocks, workers=1)
    except KernelFault as fault:
        return fault.kind
    written = run.written[0]
    return "" if np.array_equal(run.outputs[0][written], wanted[written]) else WRONG
