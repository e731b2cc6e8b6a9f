"""What stands in front of a kernel: who wrote it, what for, and what its launch has to keep."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.analysis.nest import element_type_of, shape_of
from vtac.analysis.shared_memory import shared_buffers, shared_offsets
from vtac.dialects.declared import Declared
from vtac.dialects.schedule.declared import CALLED
from vtac.dialects.wmma.declared import ARCHITECTURE, BLOCK, DYNAMIC_BYTES, GRID
from vtac.lazily import installed_version
from vtac.targets.cuda.emit.expressions import kernel_name, parameter_name

POINTER_ALIGNMENT = 32
"""Bytes that arrays are aligned to: what a fragment's tile in memory is."""

_WIDTH = 110
_LABEL = 14


def header(module: ModuleOp, kernel: FuncOp) -> Iterator[str]:
    """Comment lines: version, schedule, architecture, arrays, launch, shared memory."""
    yield f"// {kernel_name(kernel.sym_name.data)}, written by vtac {installed_version('vtac')}"
    for label, text in _entries(module, kernel):
        for position, line in enumerate(wrap(text, _WIDTH - _LABEL, break_long_words=False)):
            yield f"//   {'' if position else label:<{_LABEL}}{line}"


def _entries(module: ModuleOp, kernel: FuncOp) -> Iterator[tuple[str, str]]:
    name = CALLED.get(kernel)
    if name is not None:
        yield "schedule", name
    yield "architecture", ARCHITECTURE.get(module) or "any"
    arrays = [
        f"{parameter_name(one)} {'x'.join(map(str, shape_of(one)))} {element_type_of(one)}"
        for one in kernel.body.block.args
    ]
    yield "arrays", f"{', '.join(arrays)}; each starts at a multiple of {POINTER_ALIGNMENT} bytes"
    yield "launch", f"{_by(kernel, GRID)} blocks of {_by(kernel, BLOCK)} threads"
    yield "shared memory", _shared(kernel)


def _by(kernel: FuncOp, launch: Declared[tuple[int, ...]]) -> str:
    return " x ".join(map(str, launch.get(kernel) or ()))


def _shared(kernel: FuncOp) -> str:
    dynamic = DYNAMIC_BYTES.get(kernel) or 0
    if dynamic:
        return f"{dynamic:,} bytes, given with the launch"
    _, static = shared_offsets(shared_buffers(kernel))
    return f"{static:,} bytes" if static else "none"
