"""skip_padding: no multiplication by the zeros around an input.

before: for i, dy: sum(i) += a(i + dy - 1), pad 0 * w(dy)
after:  for i, dy: where 0 <= i + dy - 1 < n: sum(i) += a(i + dy - 1) * w(dy)

before: for i, dy                         after: for i, dy
          for c: t(c) = a(i + dy - 1, c), pad 0          for c: where 0 <= i + dy - 1 < n: t(c) = a(i + dy - 1, c)
          for c: sum(i) += t(c) * w(dy, c)               for c: where 0 <= i + dy - 1 < n: sum(i) += t(c) * w(dy, c)
"""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import bindings_of, guards_of, indices_of
from vtac.analysis.nests.nest import extents_around, shape_of
from vtac.analysis.operations.contraction import match_product
from vtac.analysis.operations.structured_view import block_view
from vtac.analysis.tensor_cores.padded_steps import padded_steps
from vtac.dialects.schedule.attributes import AccessAttr
from vtac.dialects.schedule.block_directives import SkipPaddingOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal
from vtac.rewriting.block_edits import rebind


@rewrites(SkipPaddingOp)
def skip_padding(op: SkipPaddingOp, handles: Handles) -> None:
    """Turn padded reads into guards.

    requires: a multiply-accumulate without an init (decompose_reduction) that reads at least
              one input with padding of zeros, or a copy that does and stands in one of its loops.
    ensures:  iterations that only read padding are left out; sums stay, as those add zero, whatever they are multiplied
              by. Of a copy they are those of the loop around both in which its whole tile is padding; all that is in
              the loop is left out then, but boxes (`tma.load`), which stay as they are.
    refused:  padding of other numbers, and blocks that read none; copies that no loop around has padding alone for.
    """
    block = handles.block(op.block, op)
    _check(op, block)
    if all(access.pad_value is None for access in block.accesses.data):
        _skip_steps(op, block)
        return
    extents = extents_around(block)
    guards = guards_of(block, extents)
    accesses: list[AccessAttr] = []
    for position, access in enumerate(block.accesses.data):
        if access.pad_value is None:
            accesses.append(access)
            continue
        for index, limit in zip(indices_of(block, position, extents), shape_of(block.inputs[position]), strict=True):
            guards += [index, Linear(limit - 1) - index]
        accesses.append(AccessAttr.get(access.indices, None))
    bindings = bindings_of(block, extents)
    block.accesses = ArrayAttr(accesses)
    rebind(block, bindings, guards)


def _skip_steps(op: SkipPaddingOp, block: BlockOp) -> None:
    """Guard what an iteration holds in which a copy brings only padding."""
    found = padded_steps(block)
    if found is None:
        problem, remedy = "reads no padding", "inline the padding block first, with compute_inline"
        raise refusal(op, f"block '{block.block_name}' {problem}", remedy)
    if isinstance(found, str):
        remedy = "move copies of padding to a loop of the sum with compute_at, with whole tiles of it in the padding"
        raise refusal(op, f"block '{block.block_name}' reads copies of padding, but {found}", remedy)
    for one in found.skipped:
        rebind(one, bindings_of(one), [*guards_of(one), *found.guards])


def _check(op: SkipPaddingOp, block: BlockOp) -> None:
    name = f"block '{block.block_name}'"
    product = match_product(block_view(block), narrow=True)
    if isinstance(product, str):
        raise refusal(op, f"{name} is no multiply-accumulate: {product}", "zeros can be left out of such sums only")
    if block.init is not None:
        raise refusal(op, f"{name} starts its sum itself", "use decompose_reduction first")
    pads = [access.pad_value for access in block.accesses.data if access.pad_value is not None]
    for pad in pads:
        if pad.value.data != 0:
            raise refusal(op, f"{name} reads padding of {pad.value.data}", "only zeros add nothing to a sum")
