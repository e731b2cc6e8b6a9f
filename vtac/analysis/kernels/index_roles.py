"""What the indices, loops and fragments of a kernel are for: names that a reader expects."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import cast

from xdsl.dialects import arith, gpu, scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.kernels.carried_roles import argument_names, carried_names
from vtac.analysis.kernels.kernel_places import OpenValues
from vtac.analysis.kernels.kernel_values import KernelValues
from vtac.analysis.kernels.warp_operations import ARRAYS, LOADS, PRODUCTS, array_role, named_tiles
from vtac.dialects import mma
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.wgmma import MmaAsyncOp
from vtac.dialects.wmma import (
    AsyncCommitOp,
    AsyncCopyOp,
    CallOp,
    FillFragmentOp,
    MapFragmentOp,
    MultiplyFragmentOp,
    StoreMatrixSyncOp,
)
from vtac.dialects.wmma.declared import BLOCK

_FRAGMENTS = {"matrix_a": "left", "matrix_b": "right", "accumulator": "sums"}
_SIDES = {"matrix_a": "row", "matrix_b": "column"}

_OF_GROUPS = {"y": "warp", "z": "group"}
"""Indices of threads in kernels of warpgroups."""


def value_names(kernel: FuncOp) -> dict[SSAValue, str]:
    """A name for each index of the launch, loop variable and array of fragments of a kernel, by what it is for."""
    values = OpenValues(kernel)
    ops = list(kernel.walk())
    sides = _sides(ops, values)
    names: dict[SSAValue, str] = {}
    calls: list[CallOp] = []
    blocks = [op for op in ops if isinstance(op, gpu.BlockIdOp)]
    scalings = [op for op in ops if isinstance(op, MultiplyFragmentOp)]
    for op in ops:
        if isinstance(op, scf.ForOp):
            names[op.body.block.args[0]] = _of_loop(op, sides)
            names.update(carried_names(op, names[op.body.block.args[0]]))
        elif isinstance(op, CallOp):
            calls.append(op)
        elif isinstance(op, ARRAYS):
            names[op.results[0]] = _of_array(op.results[0], scalings)
        elif isinstance(op, gpu.BlockIdOp) and len(blocks) == 1:
            names[op.result] = "block"
        elif isinstance(op, gpu.ThreadIdOp):
            names[op.result] = _of_thread(op, kernel, sides)
    for call in calls:
        names.update(argument_names(call, names))
    return names


def _of_array(array: SSAValue, scalings: list[MultiplyFragmentOp]) -> str:
    """What an array of fragments holds: an operand, sums, or beside sums that are scaled products and factors."""
    role = array_role(array)
    if any(op.factors is array for op in scalings):
        return "factor"
    is_scaled = any(op.fragments is array for op in scalings)
    return "products" if scalings and role == "accumulator" and not is_scaled else _FRAGMENTS[role]


def _of_loop(loop: scf.ForOp, sides: dict[Hashable, str]) -> str:
    variable = loop.body.block.args[0]
    own = list(loop.body.block.ops)
    inside = list(loop.body.walk())
    multiplies = any(isinstance(op, (*PRODUCTS, MmaAsyncOp)) for op in inside)
    if multiplies and any(isinstance(op, gpu.BarrierOp) for op in inside):
        return "step"
    if variable in sides:
        return sides[variable]
    if any(isinstance(op, AsyncCommitOp) for op in own):
        return "stage"
    if multiplies:
        return "slice"
    return "piece" if any(isinstance(op, AsyncCopyOp | vector.StoreOp) for op in own) else "i"


def _of_thread(op: gpu.ThreadIdOp, kernel: FuncOp, sides: dict[Hashable, str]) -> str:
    dimension = str(op.dimension.data.value)
    extents = BLOCK.get(kernel) or (1, 1, 1)
    if dimension == "x" and extents[0] == WARP_SIZE and max(extents[1:]) > 1:
        return "lane"
    if dimension != "x" and any(isinstance(inner, MmaAsyncOp) for inner in kernel.walk()):
        return _OF_GROUPS[dimension]
    if op.result in sides:
        return f"warp_{sides[op.result]}"
    return f"thread_{dimension}" if sum(extent > 1 for extent in extents) > 1 else "thread"


def _sides(ops: list[Operation], values: KernelValues) -> dict[Hashable, str]:
    """`row` or `column` for what chooses among the rows or the columns of fragments, and for nothing else."""
    found: dict[Hashable, set[str]] = {}
    for op in ops:
        for side, expression in _sided(op, values):
            for variable in expression.variables():
                found.setdefault(variable, set()).add(side)
    return {variable: next(iter(names)) for variable, names in found.items() if len(names) == 1}


def _sided(op: Operation, values: KernelValues) -> Iterator[tuple[str, Linear]]:
    """The indices of an operation that belong to one side of a product."""
    if isinstance(op, LOADS) and array_role(named_tiles(op)[0][0]) in _SIDES:
        side = _SIDES[array_role(named_tiles(op)[0][0])]
        wanted = [op.index, op.offset]
    elif isinstance(op, PRODUCTS):
        yield from _known("row", [op.a_index], values)
        side, wanted = "column", [op.b_index]
    elif isinstance(op, FillFragmentOp | StoreMatrixSyncOp | MapFragmentOp | mma.FillOp | mma.ExtractOp):
        yield from _of_accumulator(values.expression(op.index))
        return
    else:
        return
    yield from _known(side, wanted, values)


def _known(side: str, indices: list[SSAValue], values: KernelValues) -> Iterator[tuple[str, Linear]]:
    for index in indices:
        for expression in _parts(index, values):
            yield side, expression


def _parts(index: SSAValue, values: KernelValues) -> Iterator[Linear]:
    """An index as an expression, and those that a swizzle in it is computed from."""
    expression = values.expression(index)
    if expression is not None:
        yield expression
    owners = [index.owner] if expression is None else [one.owner for one in _values_in(expression)]
    for owner in owners:
        if isinstance(owner, arith.XOrIOp) or (isinstance(owner, ApplyOp) and expression is None):
            for operand in owner.operands:
                yield from _parts(operand, values)


def _values_in(expression: Linear) -> list[SSAValue]:
    return [cast(SSAValue, one) for one in expression.variables() if isinstance(one, SSAValue)]


def _of_accumulator(expression: Linear | None) -> Iterator[tuple[str, Linear]]:
    """`row * columns + column`."""
    if expression is None or len(expression.terms) < 2:
        return
    for atom, factor in expression.terms.items():
        yield ("row" if factor > 1 else "column"), Linear.variable(atom)
