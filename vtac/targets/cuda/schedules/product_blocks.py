"""What default schedules for tensor cores take: one contraction, padding before it, an elementwise tail."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.nest import blocks_under, buffer_name, precedes, readers_of, writers_of
from vtac.analysis.nests.regions import plain_dimension
from vtac.analysis.operations.structured_view import block_view
from vtac.analysis.operations.tensor_products import tensor_operand
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, OperandType
from vtac.dialects.schedule.payload import BlockOp
from vtac.errors import ScheduleError


@dataclass(frozen=True)
class ProductBlocks:
    """Names of a product's blocks and of those around it, in program order; `operand` as fragments name its type.

    `start` are the elementwise blocks that lead to what the contraction goes on from, such as a
    bias; `tail` those after it, the last of which writes the result; `sides` elementwise ones that the
    tail reads, and that have nothing to do with the contraction.
    """

    pads: tuple[str, ...]
    start: tuple[str, ...]
    product: str
    tail: tuple[str, ...]
    sides: tuple[str, ...]
    operand: OperandType

    @property
    def element_bytes(self) -> int:
        """Bytes of one element of an operand."""
        return ELEMENT_BYTES[self.operand]


def find_product_blocks(function: FuncOp, product: BlockOp) -> ProductBlocks:
    """What stands around a function's product. Raises `ScheduleError` that names the block in the way."""
    blocks = blocks_under(function)
    _check_alone(product, blocks)
    operand = tensor_operand(block_view(product))
    if operand is None:
        raise _refusal(
            product, "is no product that tensor cores multiply", "f16, bf16 or bytes of one sign are required"
        )
    sides = _sides(product, blocks)
    others = [block for block in blocks if block is not product and block not in sides]
    before = [block for block in others if precedes(block, product)]
    start = _start(product, before)
    pads = [block for block in before if block not in start]
    for pad in pads:
        _check_pad(pad, product)
    tail = [block for block in others if block not in before]
    _check_tail(product, tail)
    parts = (pads, start, tail, sides)
    pad_names, start_names, tail_names, side_names = (tuple(block.block_name for block in part) for part in parts)
    return ProductBlocks(pad_names, start_names, product.block_name, tail_names, side_names, operand)


def _sides(product: BlockOp, blocks: list[BlockOp]) -> list[BlockOp]:
    """Elementwise intermediates that neither lead to the product nor follow from it, in program order."""
    leading = {product.output, *product.inputs}
    for block in reversed(blocks):
        if block.output in leading:
            leading.update(block.inputs)
    following = {product.output}
    for block in blocks:
        if following.intersection(block.inputs):
            following.add(block.output)
    return [
        block
        for block in blocks
        if block.output not in leading | following
        and isinstance(block.output.owner, Operation)
        and writers_of(block.output) == [block]
    ]


def _start(product: BlockOp, before: list[BlockOp]) -> list[BlockOp]:
    """The blocks that lead to what the product goes on from, in program order."""
    wanted = {product.output}
    start: list[BlockOp] = []
    for block in reversed(before):
        if block.output in wanted:
            start.insert(0, block)
            wanted.update(block.inputs)
    return start


def _check_alone(product: BlockOp, blocks: list[BlockOp]) -> None:
    """The product starts from a constant or from other blocks, and no other block reduces."""
    if product.init is None and writers_of(product.output) == [product]:
        raise _refusal(
            product,
            f"goes on from what '{buffer_name(product.output)}' holds",
            "start it from a constant (linalg.fill) and add afterwards",
        )
    other = next((block for block in blocks if block.has_reduction and block is not product), None)
    if other is not None:
        raise _refusal(
            other,
            f"is a second reduction, beside '{product.block_name}'",
            "one contraction with an elementwise tail is required: compile functions of one each",
        )


def _check_pad(block: BlockOp, product: BlockOp) -> None:
    pad = block.accesses.data[0].pad_value if block.inputs else None
    if not is_copy(block) or readers_of(block.output) != [product]:
        raise _refusal(
            block,
            f"computes what '{product.block_name}' reads",
            "only padding with zeros (tensor.pad) may stand before the contraction",
        )
    if pad is not None and pad.value.data != 0:
        raise _refusal(block, f"pads with {pad.value.data}", "padding with zeros is required")


def _check_tail(product: BlockOp, tail: list[BlockOp]) -> None:
    """Each block reads what the one before wrote, element by element; all but the last write intermediates."""
    ready: dict[SSAValue, None] = {product.output: None}
    for position, block in enumerate(tail):
        reads = [value for value in block.inputs if value in ready]
        if not reads or writers_of(block.output) != [block]:
            raise _refusal(
                block,
                f"does not follow from '{product.block_name}'",
                "one contraction with an elementwise tail is required: compile the rest in a function of its own",
            )
        last = position == len(tail) - 1
        if last == isinstance(block.output.owner, Operation):
            raise _refusal(
                block,
                f"writes {'an intermediate' if last else 'a result'}, and is {'' if last else 'not '}the last",
                "one result, computed last, is required",
            )
        ready[block.output] = None
        _check_elementwise(block, ready)
    if tail and not isinstance(product.output.owner, Operation):
        raise _refusal(product, "writes a result that other blocks read", "one result, computed last, is required")


def _check_elementwise(block: BlockOp, ready: dict[SSAValue, None]) -> None:
    """What was computed is read, and the result written, at every variable once."""
    whole = set(range(len(block.variables)))
    for buffer, access in zip((*block.inputs, block.output), block.accesses.data, strict=True):
        if buffer not in ready:
            continue
        walked = [plain_dimension(expr) for expr in access.indices.results]
        if access.pad_value is not None or set(walked) != whole or len(walked) != len(whole):
            raise _refusal(
                block,
                f"touches '{buffer_name(buffer)}' at {access.indices}",
                "an elementwise tail over the contraction's own shape is required",
            )


def no_schedule(found: str, location: str) -> ScheduleError:
    """The error for a program without a default schedule."""
    return ScheduleError(f"target 'cuda' has no default schedule for this program: {found}", location)


def _refusal(block: BlockOp, found: str, required: str) -> ScheduleError:
    return no_schedule(f"block '{block.block_name}' {found}; {required}, or give a schedule", location_of(block))
