"""What the host of the VTA does not do: loops that do not advance, indices that 64 bits do not hold, views of views.

Integers wrap at their width, as MLIR's do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects import arith, func, memref, scf
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr, IntegerType, MemRefType, StridedLayoutAttr
from xdsl.ir import Operation, OpResult

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import element_type_of, memref_type_of
from vtac.errors import CompileError
from vtac.limits import shown
from vtac.targets.vta.stream.host_arithmetic import Function

INDEX_BITS = 64


def constant_of(op: arith.ConstantOp) -> int | None:
    """The number that a constant is, signed as its type has it; None for one of another kind.

    Raises `CompileError` for an index that 64 bits do not hold.
    """
    attribute = op.value
    if not isinstance(attribute, IntegerAttr):
        return None
    number, kind = attribute.value.data, attribute.type
    if isinstance(kind, IntegerType):
        return wrapped(number, kind.width.data)
    _refuse_large(op, number)
    return number


def _refuse_large(op: Operation, number: int) -> None:
    if wrapped(number, INDEX_BITS) != number:
        raise CompileError(
            f"'{op.name}' gives an index of {shown_number(number)}; {INDEX_BITS} bits hold "
            f"{-(1 << 63):,} to {(1 << 63) - 1:,}",
            location_of(op),
        )


def wrapped(number: int, width: int) -> int:
    """The signed number of so many bits that has the lowest bits of another."""
    half = 1 << width >> 1
    return (number + half & 2 * half - 1) - half


def held_by_type(result: OpResult, computed: Function, *, fits: bool) -> Function:
    """What an operation computes, as the type of its result holds it: integers wrap, an index has 64 bits.

    `fits` says that it is known to be small. The function raises `CompileError` for an index that is larger.
    """
    kind = result.type
    if isinstance(kind, IntegerType):
        width = cast(IntegerType, kind).width.data
        return lambda values: wrapped(computed(values), width)
    if fits:
        return computed

    def held(values: Sequence[int]) -> int:
        number = computed(values)
        _refuse_large(result.op, number)
        return number

    return held


def shown_number(number: int) -> str:
    """A number for a message, however large."""
    return shown(number) if number >= 0 else f"-{shown(-number)}"


def loop_range(loop: scf.ForOp, first: int, end: int, step: int) -> range:
    """The indices of a loop. Raises `CompileError` for a step that is not positive."""
    if step < 1:
        raise CompileError(f"'{loop.name}' steps by {step}; a positive step is required", location_of(loop))
    return range(first, end, step)


def refuse_view(view: memref.ReinterpretCastOp) -> None:
    """Raises `CompileError` for a view whose place is not known, or that is taken of a part of a buffer."""
    found = ""
    offsets = view.static_offsets.get_values()
    layout = memref_type_of(view.source).layout
    if len(offsets) != 1 or offsets[0] == DYNAMIC_INDEX:
        found = "an offset that is computed; the host of the VTA takes a constant one"
    elif isinstance(layout, StridedLayoutAttr) and layout.offset != StridedLayoutAttr([], 0).offset:
        found = f"a source of {view.source.type}, itself a part; take the view of the whole buffer"
    elif not isinstance(element_type_of(view.source), IntegerType):
        found = f"a source of {view.source.type}; the VTA works on integer memrefs"
    if found:
        raise CompileError(f"'{view.name}' has {found}", location_of(view))


def refuse_kernel(kernel: func.FuncOp) -> None:
    """Raises `CompileError` for a kernel that takes anything but buffers, or that gives something back."""
    others = [kind for kind in kernel.function_type.inputs if not isinstance(kind, MemRefType)]
    if others or kernel.function_type.outputs.data:
        found = f"takes {others[0]}" if others else f"returns {kernel.function_type.outputs.data[0]}"
        raise CompileError(
            f"kernel '{kernel.sym_name.data}' {found}; a kernel takes buffers, stores to them, and returns nothing",
            location_of(kernel),
        )
