"""Does a loop compute one GEMM tile? The first difference, when it does not.

The intrinsic `vta.gemm`: acc[b][o] += sum over k of inp[b][k] * wgt[o][k], with b < BATCH,
o < BLOCK_OUT, k < BLOCK_IN; or its reset, acc[b][o] = 0.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from xdsl.dialects.arith import ExtUIOp

from vtac.analysis.accesses import indices_of
from vtac.analysis.bodies import multiply_accumulate
from vtac.analysis.constant_fills import filled_value
from vtac.analysis.linear import Linear
from vtac.analysis.nest import buffer_name, scope_of, shape_of
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


def match_gemm(loop: ForOp, config: VTAConfig) -> GemmTile | str:
    """The GEMM tile that a loop with all it holds computes, or the first difference."""
    inner: dict[Hashable, ForOp] = {}
    current: ForOp = loop
    while True:
        inner[current.induction_variable] = current
        first = current.body.block.first_op
        if first is not current.body.block.last_op or first is None:
            return f"expected a perfect nest, loop '{current.loop_name}' holds several statements"
        if not isinstance(first, ForOp):
            break
        current = first
    if not isinstance(first, BlockOp):
        return f"expected a block inside, found {first.name}"
    return _match_block(first, inner, config)


def _match_block(block: BlockOp, inner: dict[Hashable, ForOp], config: VTAConfig) -> GemmTile | str:
    is_reset = not block.inputs and not block.has_reduction
    if is_reset:
        value = filled_value(block)
        if value is None or value.value.data != 0:
            return "expected the constant 0: GEMM resets accumulators to 0 only"
    elif difference := multiply_accumulate(block) or _unsigned(block):
        return difference
    output = len(block.inputs)
    roles: dict[str, Hashable | None] = {}
    sizes = {"b": config.batch, "o": config.block_out, "k": config.block_in}
    if difference := _match_operand(block, output, ("b", "o"), roles, sizes, inner):
        return difference
    if difference := _match_scope(block, output, "vta.acc"):
        return difference
    if is_reset:
        return _all_used(GemmTile(block, None, None), roles, inner)
    orders = ((0, 1), (1, 0))
    problems: list[str] = []
    for inp, wgt in orders:
        trial = dict(roles)
        problem = _match_operand(block, inp, ("b", "k"), trial, sizes, inner) or _match_operand(
            block, wgt, ("o", "k"), trial, sizes, inner
        )
        if not problem:
            scopes = _match_scope(block, inp, "vta.inp") or _match_scope(block, wgt, "vta.wgt")
            return scopes or _all_used(GemmTile(block, inp, wgt), trial, inner)
        problems.append(problem)
    swapped = scope_of(block.inputs[0]) == "vta.wgt"
    return problems[1 if swapped else 0]


def _unsigned(block: BlockOp) -> str:
    if any(isinstance(op, ExtUIOp) for op in block.body.block.ops):
        return "expected both inputs sign-extended by arith.extsi, found arith.extui"
    return ""


def _all_used(tile: GemmTile, roles: dict[str, Hashable | None], inner: dict[Hashable, ForOp]) -> GemmTile | str:
    for variable, loop in inner.items():
        if variable not in roles.values() and loop.trip_count > 1:
            return f"loop '{loop.loop_name}' (extent {loop.trip_count}) is no part of the tile: tensorize an inner loop"
    return tile


def _match_scope(block: BlockOp, position: int, scope: str) -> str:
    buffer = (*block.inputs, block.output)[position]
    if scope_of(buffer) == scope:
        return ""
    return f"expected '{buffer_name(buffer)}' in scope {scope}, found {scope_of(buffer)}"


def _match_operand(
    block: BlockOp,
    position: int,
    names: tuple[str, str],
    roles: dict[str, Hashable | None],
    sizes: dict[str, int],
    inner: dict[Hashable, ForOp],
) -> str:
    """Match the last two indices of an operand with the tile's variables."""
    buffer = (*block.inputs, block.output)[position]
    what = f"'{buffer_name(buffer)}'"
    width = 32 if position == len(block.inputs) else 8
    if str(buffer.type.element_type) != f"i{width}":  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
        return f"expected {what} of element type i{width}, found {buffer.type}"
    shape = shape_of(buffer)
    wanted = tuple(sizes[name] for name in names)
    if len(shape) < 2 or shape[-2:] != wanted:
        return f"expected {what} to end in a {wanted[0]} x {wanted[1]} tile, found shape {'x'.join(map(str, shape))}"
    indices = indices_of(block, position)
    for name, index in zip(names, indices[-2:], strict=True):
        if difference := _match_index(index, name, roles, sizes, inner, what):
            return difference
    for index in indices[:-2]:
        moving = [variable for variable in index.variables() if variable in inner and inner[variable].trip_count > 1]
        if moving:
            return f"expected one tile of {what}, found loop '{inner[moving[0]].loop_name}' moving between tiles"
    return ""


def _match_index(
    index: Linear,
    name: str,
    roles: dict[str, Hashable | None],
    sizes: dict[str, int],
    inner: dict[Hashable, ForOp],
    what: str,
) -> str:
    size = sizes[name]
    if size == 1 and not any(variable in inner and inner[variable].trip_count > 1 for variable in index.variables()):
        return ""
    if index.constant or len(index.terms) != 1:
        return (
            f"expected one loop of extent {size} over dimension {name} of {what}, found index {describe_index(index)}"
        )
    ((variable, stride),) = index.terms.items()
    loop = inner.get(variable)
    if loop is None:
        return f"expected a loop of extent {size} over dimension {name} of {what} inside, found it outside"
    if stride != 1 or loop.trip_count != size:
        return (
            f"expected loop of extent {size} and stride 1 over dimension {name} of {what}, "
            f"found '{loop.loop_name}' of extent {loop.trip_count} and stride {stride}"
        )
    if roles.setdefault(name, variable) != variable:
        return f"expected the same loop over dimension {name} of every operand, found '{loop.loop_name}' for {what}"
    return ""


def describe_index(index: Linear) -> str:
    """An index expression with loop names, for messages."""
    parts = [f"{getattr(atom, 'name_hint', None) or atom} * {factor}" for atom, factor in index.terms.items()]
    return " + ".join([*parts, str(index.constant)])
