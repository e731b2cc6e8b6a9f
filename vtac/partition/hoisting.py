"""Layout changes of a device function's operands and results, moved to its call."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.linalg.ops import BroadcastOp, GenericOp, IndexOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.operations.reshapes import RESHAPES
from vtac.dialects.packing import BlockDiagonalOp, PackOp, UnpackOp
from vtac.rewriting.edits import erase, replace_uses, stand_for

_LAYOUTS = (PackOp, BroadcastOp, BlockDiagonalOp, *RESHAPES)


class Hoisting:
    """Moves what a function does to the layout of its arguments to its one call, where it is done once."""

    def __init__(self, device: FuncOp, call: CallOp, rewriter: PatternRewriter) -> None:
        self.device = device
        self.call = call
        self.rewriter = rewriter
        body = device.body.block
        self.outside: dict[SSAValue, SSAValue] = dict(zip(body.args, call.arguments, strict=True))

    def run(self, orders: Sequence[tuple[int, ...]], tile: tuple[int, int]) -> CallOp:
        """The new call; its results, in tiles by these orders of dimensions, are unpacked after it."""
        body = self.device.body.block
        hoisted = [op for op in body.ops if self._hoist(op)]
        new: list[SSAValue] = []
        moved = set(hoisted)
        for op in hoisted:
            for result in op.results:
                if any(use.operation not in moved for use in result.uses) and not isinstance(
                    op, ConstantOp | tensor.EmptyOp
                ):
                    argument = body.insert_arg(result.type, len(body.args))
                    argument.name_hint = result.name_hint
                    replace_uses(result, argument)
                    new.append(self.outside[result])
        for op in reversed(hoisted):
            if not any(result.uses for result in op.results):
                erase(op)
        kept = self._drop_arguments(len(new))
        self.device.update_function_type()
        return self._replace_call([*kept, *new], orders, tile)

    def _hoist(self, op: Operation) -> bool:
        """Put a copy of an operation on the layout of arguments before the call; False for any other operation."""
        given = isinstance(op, ConstantOp | tensor.EmptyOp)
        if not (_is_layout(op) or (given and any(_is_layout(use.operation) for use in op.results[0].uses))):
            return False
        if any(operand not in self.outside for operand in op.operands):
            return False
        clone = op.clone(self.outside)
        clone.location = self.call.location
        self.rewriter.insert(clone, InsertPoint.before(self.call))
        for old, copy in zip(op.results, clone.results, strict=True):
            copy.name_hint = _host_name(op, clone)
            self.outside[old] = copy
        return True

    def _drop_arguments(self, added: int) -> list[SSAValue]:
        """Drop the arguments that nothing reads any more; what the others are called with."""
        body = self.device.body.block
        before = list(body.args)[: len(body.args) - added]
        kept = [argument for argument in before if argument.uses]
        for argument in before:
            if argument not in kept:
                self.rewriter.erase_block_argument(argument)
        return [self.outside[argument] for argument in kept]

    def _replace_call(
        self, operands: Sequence[SSAValue], orders: Sequence[tuple[int, ...]], tile: tuple[int, int]
    ) -> CallOp:
        old = self.call
        call = CallOp(old.callee, operands, list(self.device.function_type.outputs))
        stand_for(call, old)
        unpacked: list[Operation] = []
        for result, given, order in zip(old.res, call.res, orders, strict=True):
            given.name_hint = f"{result.name_hint or 'result'}_packed"
            op = UnpackOp.build_from(given, result.type, order[:2], tile, order)  # pyright: ignore[reportArgumentType]
            op.result.name_hint = result.name_hint
            op.location = old.location
            unpacked.append(op)
        self.rewriter.replace(old, [call, *unpacked], [op.results[0] for op in unpacked])
        return call


def _is_layout(op: Operation) -> bool:
    return isinstance(op, _LAYOUTS) or _is_spread(op)


def _is_spread(op: Operation) -> bool:
    """Whether an operation puts numbers onto diagonals."""
    return isinstance(op, GenericOp) and any(isinstance(inner, IndexOp) for inner in op.body.block.ops)


def _host_name(op: Operation, clone: Operation) -> str | None:
    """What the host calls a layout of an operand: after the operand."""
    source = clone.operands[0] if clone.operands else None
    name = None if source is None else source.name_hint
    if isinstance(op, PackOp):
        return f"{name or 'x'}_packed"
    if isinstance(op, BroadcastOp):
        return f"{(name or 'x').removesuffix('_packed')}_tiles"
    return "diagonal" if _is_spread(op) else name or op.results[0].name_hint
