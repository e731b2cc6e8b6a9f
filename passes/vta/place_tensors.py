"""place-tensors: concatenations, slices and insertions of device results need no copy: they are computed in place.

before: %e = tensor.empty()                             after: func.func private @net_0(...) -> (tensor<1x4x5x5x1x16xi8>
        %1 = tensor.insert_slice %a into %e[0, 0, ...            {packing.strides = array<i64: ...>}) ...
        %2 = tensor.insert_slice %b into %1[0, 4, ...          (the rest stays)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.tensor import InsertSliceOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import device_functions, program_functions
from vtac.analysis.programs.placements import Misfit, Placements
from vtac.dialects.packing.declared import STRIDES
from vtac.partition.placed_copies import DeviceCopies, stored_again
from vtac.rewriting.walker import rewrite_once


@dataclass
class ResolveMisfit(RewritePattern):
    """An operand without a place is stored a second time by what computes it, or copied by a device function."""

    misfits: Mapping[Operation, list[Misfit]]
    copies: DeviceCopies
    devices: Mapping[str, FuncOp]

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        for misfit in self.misfits.get(op, ()):
            op.operands[misfit.index] = self._another(misfit, op.operands[misfit.index], rewriter)
            rewriter.notify_op_modified(op)

    def _another(self, misfit: Misfit, value: SSAValue, rewriter: PatternRewriter) -> SSAValue:
        if isinstance(misfit.op, InsertSliceOp) and misfit.index == 1 and isinstance(value.owner, InsertSliceOp):
            chain = value.owner.clone()
            rewriter.insert(chain)
            return chain.result
        if misfit.again and isinstance(value.owner, CallOp):
            found = stored_again(value, self.devices[value.owner.callee.string_value()], rewriter)
            if found is not None:
                return found
        return self.copies.copy(value, misfit.op, rewriter)


@dataclass
class NoteStrides(RewritePattern):
    """A device function knows which of its arguments and results are parts of larger buffers."""

    placements: Placements
    devices: Mapping[str, FuncOp]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CallOp, rewriter: PatternRewriter) -> None:
        device = self.devices[op.callee.string_value()]
        taken = [self._marks(value) for value in op.arguments]
        given = [self._marks(value) for value in op.res]
        if any(marks.data for marks in (*taken, *given)):
            device.arg_attrs, device.res_attrs = _joined(device.arg_attrs, taken), _joined(device.res_attrs, given)
            rewriter.notify_op_modified(device)

    def _marks(self, value: SSAValue) -> DictionaryAttr:
        part = self.placements.part(value)
        plain = part.offset == 0 and part.is_row_major
        return DictionaryAttr({} if plain else STRIDES.entry(part.strides))


def _by_operation(placements: Placements) -> dict[Operation, list[Misfit]]:
    found: dict[Operation, list[Misfit]] = {}
    for misfit in placements.misfits:
        found.setdefault(misfit.op, []).append(misfit)
    return found


def _joined(attributes: ArrayAttr[DictionaryAttr] | None, more: list[DictionaryAttr]) -> ArrayAttr[DictionaryAttr]:
    known = attributes.data if attributes else [DictionaryAttr({})] * len(more)
    merged: list[dict[str, Attribute]] = [dict(one.data) | dict(two.data) for one, two in zip(known, more, strict=True)]
    return ArrayAttr([DictionaryAttr(one) for one in merged])


@dataclass(frozen=True)
class PlaceTensors(ModulePass):
    """Let what is put into a tensor be computed where it lies there, and what is cut out be read where it lies.

    Where tensors lie is a plan of a whole program (`Placements`). A tensor that has to lie in two places is stored
    twice by the device function that computes it; one that no device function of the program computes, or that lies
    elsewhere already, is copied by a device function of its own.

    requires: programs of calls, reshapes, slices and insertions of tiles (group-device-calls), in which each device
              function is called once.
    ensures:  every tensor of a program has a place; device functions bear `packing.strides` on arguments and results
              that are parts of larger buffers.
    declines: nothing.
    """

    name = "place-tensors"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        copies = DeviceCopies(op)
        for program in program_functions(op):
            placements = Placements(program.body.block)
            while placements.misfits:
                devices = {device.sym_name.data: device for device in device_functions(op)}
                rewrite_once(program, ResolveMisfit(_by_operation(placements), copies, devices))
                placements = Placements(program.body.block)
            devices = {device.sym_name.data: device for device in device_functions(op)}
            rewrite_once(program, NoteStrides(placements, devices))
