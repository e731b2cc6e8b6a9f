"""Does a loop compute one GEMM tile? The first difference, when it does not.

The intrinsic `vta.gemm`: acc[b][o] += sum over k of inp[b][k] * wgt[o][k], with b < BATCH,
o < BLOCK_OUT, k < BLOCK_IN; or its reset, acc[b][o] = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import IntegerType, i8, i32
from xdsl.ir import SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.constant_fills import filled_value
from vtac.analysis.nests.nest import buffer_name, element_type_of, scope_of, shape_of
from vtac.analysis.nests.tiles import match_nest
from vtac.analysis.operations.contraction import Contraction, match_product
from vtac.analysis.operations.structured_view import Operand, StructuredView, tile_view
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import BlockOp, ForOp

INTRINSICS = ("vta.gemm",)


@dataclass(frozen=True, slots=True)
class GemmTile:
    """Access positions of the operands; no input for a reset."""

    block: BlockOp
    inp: int | None
    wgt: int | None

    @property
    def is_reset(self) -> bool:
        return self.inp is None


@dataclass(frozen=True, slots=True)
class _Dimension:
    """A dimension of the tile (b, o or k): its extent, and the loops that may run over it."""

    name: str
    extent: int
    loops: tuple[SSAValue, ...]


def match_gemm(loop: ForOp, config: VTAConfig) -> GemmTile | str:
    """The GEMM tile that a loop with all it holds computes, or the first difference."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    loops, block = nest
    view = tile_view(block, loops)
    if not view.inputs and not view.accumulates:
        return _match_reset(view, block, config)
    product = match_product(view)
    if isinstance(product, str):
        return product
    if any(factor.widening == "unsigned" for factor in product.factors):
        return "expected both inputs sign-extended by arith.extsi, found arith.extui"
    first = _match_tile(product, block, config)
    if isinstance(first, GemmTile):
        return first
    second = _match_tile(product.exchanged(), block, config)
    if isinstance(second, GemmTile):
        return second
    exchanged = scope_of(view.inputs[0].value) == "vta.wgt" and " in scope " not in first
    return second if exchanged else first


def _match_reset(view: StructuredView[SSAValue], block: BlockOp, config: VTAConfig) -> GemmTile | str:
    value = filled_value(block)
    if value is None or value.value.data != 0:
        return "expected the constant 0: GEMM resets accumulators to 0 only"
    rows = _Dimension("b", config.batch, tuple(view.variables))
    columns = _Dimension("o", config.block_out, tuple(view.variables))
    return (
        _match_operand(view, view.output, (rows, columns), i32)
        or _match_scope(view.output, "vta.acc")
        or _all_used(view, view.output)
        or GemmTile(block, None, None)
    )


def _match_tile(product: Contraction[SSAValue], block: BlockOp, config: VTAConfig) -> GemmTile | str:
    """The tile with the left factor as inp, the right one as wgt."""
    view, (inp, wgt) = product.view, product.operands
    b = _Dimension("b", config.batch, product.rows)
    o = _Dimension("o", config.block_out, product.columns)
    k = _Dimension("k", config.block_in, product.depth)
    left, right = product.factors
    return (
        _match_operand(view, view.output, (b, o), i32)
        or _match_scope(view.output, "vta.acc")
        or _match_operand(view, inp, (b, k), i8)
        or _match_operand(view, wgt, (o, k), i8)
        or _match_scope(inp, "vta.inp")
        or _match_scope(wgt, "vta.wgt")
        or _all_used(view, inp, wgt)
        or GemmTile(block, left.position, right.position)
    )


def _all_used(view: StructuredView[SSAValue], *operands: Operand[SSAValue]) -> str:
    used = {variable for operand in operands for index in operand.indices[-2:] for variable in index.variables()}
    for variable, found in view.variables.items():
        if variable not in used and found.extent > 1:
            name = _loop_name(variable)
            return f"loop '{name}' (extent {found.extent}) is no part of the tile: tensorize an inner loop"
    return ""


def _match_scope(operand: Operand[SSAValue], scope: str) -> str:
    found = scope_of(operand.value)
    return "" if found == scope else f"expected '{buffer_name(operand.value)}' in scope {scope}, found {found}"


def _match_operand(
    view: StructuredView[SSAValue],
    operand: Operand[SSAValue],
    tile: tuple[_Dimension, _Dimension],
    element: IntegerType,
) -> str:
    """Match the last two indices of an operand with the tile's dimensions."""
    what = f"'{buffer_name(operand.value)}'"
    if element_type_of(operand.value) != element:
        return f"expected {what} of element type {element}, found {operand.value.type}"
    shape = shape_of(operand.value)
    rows, columns = (dimension.extent for dimension in tile)
    if len(shape) < 2 or shape[-2:] != (rows, columns):
        return f"expected {what} to end in a {rows} x {columns} tile, found shape {'x'.join(map(str, shape))}"
    for dimension, index in zip(tile, operand.indices[-2:], strict=True):
        if difference := _match_index(view, index, dimension, what):
            return difference
    for index in operand.indices[:-2]:
        if moving := _moving(view, index):
            return f"expected one tile of {what}, found loop '{_loop_name(moving[0])}' moving between tiles"
    return ""


def _match_index(view: StructuredView[SSAValue], index: Linear, dimension: _Dimension, what: str) -> str:
    extent, place = dimension.extent, f"dimension {dimension.name} of {what}"
    if extent == 1 and not _moving(view, index):
        return ""
    if index.constant or len(index.terms) != 1:
        return f"expected one loop of extent {extent} over {place}, found index {describe_index(index)}"
    ((variable, stride),) = index.terms.items()
    if variable not in view.variables:
        return f"expected a loop of extent {extent} over {place} inside, found it outside"
    loop = cast(SSAValue, variable)
    if stride != 1 or view.extent(loop) != extent:
        return (
            f"expected loop of extent {extent} and stride 1 over {place}, found '{_loop_name(loop)}' of extent "
            f"{view.extent(loop)} and stride {stride}"
        )
    if loop not in dimension.loops:
        return (
            f"expected the same loop over dimension {dimension.name} of every operand, found '{_loop_name(loop)}' for "
            f"{what}"
        )
    return ""


def _moving(view: StructuredView[SSAValue], index: Linear) -> list[SSAValue]:
    """The loops of the tile that move an index."""
    used = index.variables()
    return [loop for loop, found in view.variables.items() if loop in used and found.extent > 1]


def _loop_name(variable: SSAValue) -> str:
    return cast(ForOp, variable.owner.parent_op()).loop_name


def describe_index(index: Linear) -> str:
    """An index expression with loop names, for messages."""
    parts = [f"{getattr(atom, 'name_hint', None) or atom} * {factor}" for atom, factor in index.terms.items()]
    return " + ".join([*parts, str(index.constant)])
