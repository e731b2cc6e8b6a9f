"""bufferization's operations between tensors and buffers, also of buffers whose elements do not lie side by side.

`FrontendBufferization` is xDSL's bufferization dialect with these in the places of the operations of the same name:
xDSL takes buffers without a layout alone, and `-one-shot-bufferize` gives arguments one that is told at run time.
"""

from __future__ import annotations

from xdsl.dialects import bufferization
from xdsl.dialects.bufferization import Bufferization
from xdsl.dialects.builtin import MemRefType, TensorType, UnitAttr, UnrankedMemRefType, UnrankedTensorType
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import IRDLOperation, base, irdl_op_definition, operand_def, opt_prop_def, result_def, traits_def
from xdsl.traits import NoMemoryEffect
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

_BUFFER = base(MemRefType[Attribute]) | base(UnrankedMemRefType[Attribute])
_TENSOR = base(TensorType[Attribute]) | base(UnrankedTensorType[Attribute])


@irdl_op_definition
class ToTensorOp(IRDLOperation):
    """What a buffer holds, as a tensor: `%buffer restrict writable : T to U`."""

    name = "bufferization.to_tensor"
    buffer = operand_def(_BUFFER)
    tensor = result_def(_TENSOR)
    writable = opt_prop_def(UnitAttr)
    restrict = opt_prop_def(UnitAttr)
    assembly_format = (
        "$buffer (`restrict` $restrict^)? (`writable` $writable^)? attr-dict `:` type($buffer) `to` type($tensor)"
    )

    def verify_(self) -> None:
        _verify_same_contents(self.buffer.type, self.tensor.type)


@irdl_op_definition
class ToBufferOp(IRDLOperation):
    """A buffer that holds what a tensor has: `%tensor read_only : T to U`."""

    name = "bufferization.to_buffer"
    tensor = operand_def(_TENSOR)
    buffer = result_def(_BUFFER)
    read_only = opt_prop_def(UnitAttr)
    traits = traits_def(NoMemoryEffect())
    assembly_format = "$tensor (`read_only` $read_only^)? attr-dict `:` type($tensor) `to` type($buffer)"

    def verify_(self) -> None:
        _verify_same_contents(self.buffer.type, self.tensor.type)


def _verify_same_contents(buffer: Attribute, tensor: Attribute) -> None:
    """A buffer and a tensor have equal elements and shapes."""
    if isa(buffer, MemRefType[Attribute]) and isa(tensor, TensorType[Attribute]):
        is_same = (buffer.element_type, buffer.get_shape()) == (tensor.element_type, tensor.get_shape())
    elif isa(buffer, UnrankedMemRefType[Attribute]) and isa(tensor, UnrankedTensorType[Attribute]):
        is_same = buffer.element_type == tensor.element_type
    else:
        is_same = False
    if not is_same:
        raise VerifyException(f"{buffer} holds no {tensor}: equal shapes and element types are required")


_OURS: dict[type[Operation], type[Operation]] = {
    bufferization.ToTensorOp: ToTensorOp,
    bufferization.ToBufferOp: ToBufferOp,
}
_OPERATIONS: list[type[Operation]] = [_OURS.get(op, op) for op in Bufferization.operations]
_ATTRIBUTES: list[type[Attribute]] = list(Bufferization.attributes)
FrontendBufferization = Dialect("bufferization", _OPERATIONS, _ATTRIBUTES)
