"""Buffers of a program's tensors while it is linked: allocations, and views of what lies in another's buffer."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import MemRefType, NoneAttr, StridedLayoutAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.memref import ReinterpretCastOp
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.programs.placements import Placements
from vtac.analysis.types.strided_parts import Part
from vtac.errors import CompileError
from vtac.rewriting.made_operations import allocated
from vtac.rewriting.payload_arguments import as_memref


class ProgramBuffers:
    """The buffer of each tensor of a program; `ops` are the allocations and views that there are to insert."""

    def __init__(self, function: FuncOp) -> None:
        """Raises `CompileError` for a tensor that has no place."""
        self.function = function
        self.ops: list[Operation] = []
        self._placements = Placements(function.body.block)
        self._buffers: dict[SSAValue, SSAValue] = {}
        self._views: dict[tuple[Part, Attribute], SSAValue] = {}
        for misfit in self._placements.misfits:
            raise CompileError(
                f"'{misfit.op.name}' in program '{function.sym_name.data}': operand {misfit.index} has no place "
                f"({misfit.reason}): run place-tensors first",
                location_of(misfit.op),
            )

    def give(self, value: SSAValue, buffer: SSAValue) -> None:
        """A tensor, with all that lies in its buffer, has this one."""
        self._buffers[self._placements.part(value).root] = buffer

    def allocate(self, kind: Attribute, name: str | None) -> SSAValue:
        """A new buffer."""
        allocation = allocated(cast("MemRefType[Attribute]", kind))
        allocation.memref.name_hint = name
        self.ops.append(allocation)
        return allocation.memref

    def operand(self, value: SSAValue, kind: Attribute, call: CallOp) -> SSAValue:
        """What a kernel takes for a tensor: its buffer, or a view of the type `kind` of the one that it lies in."""
        part = self._placements.part(value)
        if part.root not in self._buffers:
            whole = kind if part.root is value else as_memref(part.root.type, call)
            self._buffers[part.root] = self.allocate(whole, part.root.name_hint)
        buffer = self._buffers[part.root]
        if buffer.type == kind and part == Part.whole(part.root, part.shape):
            return buffer
        if (part, kind) not in self._views:
            self._views[part, kind] = self._view(buffer, part, cast("MemRefType[Attribute]", kind), value, call)
        return self._views[part, kind]

    def _view(
        self, buffer: SSAValue, part: Part, kind: MemRefType[Attribute], value: SSAValue, call: CallOp
    ) -> SSAValue:
        if not _takes(kind, part):
            raise CompileError(
                f"kernel '{call.callee.string_value()}' takes {kind}; '{value.name_hint or 'a tensor'}' lies "
                f"{part.offset} elements into a buffer, with strides {list(part.strides)}: run place-tensors first",
                location_of(call),
            )
        view = ReinterpretCastOp.from_dynamic(buffer, [part.offset], part.shape, part.strides, kind)
        view.result.name_hint = value.name_hint
        self.ops.append(view)
        return view.result


def _takes(kind: MemRefType[Attribute], part: Part) -> bool:
    """Whether a kernel's argument may be this part."""
    if tuple(kind.get_shape()) != part.shape:
        return False
    if isinstance(kind.layout, NoneAttr):
        return part.offset == 0 and part.is_row_major
    return isinstance(kind.layout, StridedLayoutAttr) and tuple(kind.get_strides() or ()) == part.strides
