"""A tensor of a program a second time: stored again by what computes it, or copied by a device function."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import FunctionType, ModuleOp, StringAttr
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import device_functions
from vtac.analysis.ir.target import config_of
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.packing.declared import DEVICE, LAYER
from vtac.partition.primitives import Primitive
from vtac.partition.tile_operations import elementwise, widened
from vtac.rewriting.choices import note_choice
from vtac.rewriting.edits import append, stand_for

COPIED = "copied on the VTA into its place, where no device function of the program can store it"


def stored_again(value: SSAValue, device: FuncOp, rewriter: PatternRewriter) -> SSAValue | None:
    """Another result of the call that computes a tensor, with the same contents; None where it stores none of bytes."""
    call, last = value.owner, device.body.block.last_op
    if not isinstance(call, CallOp) or not isinstance(last, ReturnOp):
        return None
    stored = last.operands[list(call.res).index(value)]  # pyright: ignore[reportArgumentType]
    if not isinstance(stored.owner, GenericOp):
        return None
    clone = stored.owner.clone()
    clone.location = stored.owner.location
    clone.results[0].name_hint = stored.name_hint
    rewriter.insert(clone, InsertPoint.before(last))
    rewriter.replace(last, ReturnOp(*last.operands, clone.results[0]))
    device.update_function_type()
    again = CallOp(call.callee, list(call.arguments), list(device.function_type.outputs))
    stand_for(again, call)
    for old, new in zip(call.res, again.res, strict=False):
        new.name_hint = old.name_hint
    again.res[-1].name_hint = value.name_hint
    rewriter.replace(call, again, again.res[:-1])
    return again.res[-1]


@dataclass
class DeviceCopies:
    """Device functions of a module that copy tensors of tiles."""

    module: ModuleOp
    made: int = 0

    def copy(self, value: SSAValue, before: Operation, rewriter: PatternRewriter) -> SSAValue:
        """The result of a call, before an operation, of a new device function that copies a tensor."""
        name = self._new_name()
        rewriter.insert(self._function(name, value, before), InsertPoint.at_end(self.module.body.block))
        call = CallOp(name, [value], [value.type])
        call.location = before.location
        call.res[0].name_hint = f"{value.name_hint or 'tensor'}_copy"
        LAYER.set(call, call.res[0].name_hint)
        rewriter.insert(call, InsertPoint.before(before))
        note_choice(self.module, name, COPIED)
        return call.res[0]

    def _new_name(self) -> str:
        names = {op.sym_name.data for op in self.module.ops if isinstance(op, FuncOp)}
        stem = next(iter(device_functions(self.module))).sym_name.data.rpartition("_")[0] or "copy"
        while (name := f"{stem}_copy{self.made}") in names:
            self.made += 1
        return name

    def _function(self, name: str, value: SSAValue, like: Operation) -> FuncOp:
        config = config_of(self.module)
        body = Block(arg_types=[value.type])
        body.args[0].name_hint = value.name_hint
        made = widened(body.args[0], 1, (config.block_out, config.block_in))
        shape = shape_of(value)
        made += elementwise(Primitive("narrow"), [made[-1].results[0]], [AffineMap.identity(len(shape))], shape)
        append([*made, ReturnOp(made[-1].results[0])], body)
        function = FuncOp(
            name, FunctionType.from_lists([value.type], [value.type]), Region(body), visibility=StringAttr("private")
        )
        function.location = like.location
        DEVICE.set(function, True)
        return function
