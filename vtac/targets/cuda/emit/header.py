"""What stands in front of a kernel: who wrote it, what for, and what its launch has to keep."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from vtac.analysis.kernels.dynamic_sizes import row_of
from vtac.analysis.kernels.shared_memory import shared_buffers, shared_offsets
from vtac.analysis.nests.nest import element_type_of, shape_of
from vtac.dialects.declared import Declared
from vtac.dialects.schedule.declared import CALLED
from vtac.dialects.wmma.declared import ARCHITECTURE, BLOCK, DYNAMIC_BYTES, DYNAMIC_GRID, DYNAMIC_SIZE, GRID
from vtac.lazily import installed_version
from vtac.targets.cuda.emit.expressions import kernel_name, parameter_name

POINTER_ALIGNMENT = 32
"""Bytes that arrays are aligned to: what a fragment's tile in memory is."""

WRITTEN_BY = "written by vtac"
"""Follows a kernel's name in the line that its text begins with, after all that it includes and calls."""
_WIDTH = 110
_LABEL = 14


def header(module: ModuleOp, kernel: FuncOp) -> Iterator[str]:
    """Comment lines: version, schedule, architecture, arrays, launch, shared memory."""
    yield f"// {kernel_name(kernel.sym_name.data)}, {WRITTEN_BY} {installed_version('vtac')}"
    for label, text in _entries(module, kernel):
        for position, line in enumerate(wrap(text, _WIDTH - _LABEL, break_long_words=False)):
            yield f"//   {'' if position else label:<{_LABEL}}{line}"


def _entries(module: ModuleOp, kernel: FuncOp) -> Iterator[tuple[str, str]]:
    name = CALLED.get(kernel)
    if name is not None:
        yield "schedule", name
    yield "architecture", ARCHITECTURE.get(module) or "any"
    size = DYNAMIC_SIZE.get(module)
    arrays = [
        f"{parameter_name(one)} {shown_shape(one, size)} {element_type_of(one)}" for one in kernel.body.block.args
    ]
    yield "arrays", f"{', '.join(arrays)}; each starts at a multiple of {POINTER_ALIGNMENT} bytes"
    yield "launch", f"{_grid(kernel)} blocks of {_by(kernel, BLOCK)} threads"
    yield "shared memory", _shared(kernel)


def shown_shape(array: SSAValue, size: int | None, between: str = "x") -> str:
    """A shape, with `n` for the size that a number stands for."""
    shape = list(map(str, shape_of(array)))
    if size is not None and row_of(shape_of(array), size) is not None:
        times = shape_of(array)[0] // size
        shape[0] = "n" if times == 1 else f"{times}*n"
    return between.join(shape)


def _grid(kernel: FuncOp) -> str:
    """The grid; where a dimension depends on a dynamic size n, how."""
    rule, grid = DYNAMIC_GRID.get(kernel), list(map(str, GRID.get(kernel) or ()))
    if rule is not None:
        dimension, times, row, step = rule
        grid[dimension] = f"{times} * ceil(n * {row} / {step})"
    return " x ".join(grid)


def _by(kernel: FuncOp, launch: Declared[tuple[int, ...]]) -> str:
    return " x ".join(map(str, launch.get(kernel) or ()))


def _shared(kernel: FuncOp) -> str:
    dynamic = DYNAMIC_BYTES.get(kernel) or 0
    if dynamic:
        return f"{dynamic:,} bytes, given with the launch"
    _, static = shared_offsets(shared_buffers(kernel))
    return f"{static:,} bytes" if static else "none"
