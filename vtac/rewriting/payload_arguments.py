"""Arguments of a function on buffers while it is built: the caller's, one per result, one per constant."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FunctionType,
    MemRefType,
    StridedLayoutAttr,
    TensorType,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.analysis.types.buffer_types import buffer_type
from vtac.analysis.types.sizes import unusable_extents
from vtac.dialects.packing.declared import STRIDES
from vtac.dialects.schedule.declared import CONSTANT, NAME, RESULT
from vtac.errors import CompileError
from vtac.text.short import counted


class PayloadArguments:
    """Appends arguments to a block, and describes them in the function's attributes at last."""

    def __init__(self, block: Block, function: FuncOp) -> None:
        self.block = block
        self.function = function
        self._marks: list[DictionaryAttr] = []
        self._results = 0

    def add_given(self, old: BlockArgument) -> BlockArgument:
        """An argument of the function as it was, with its attributes."""
        attributes = self.function.arg_attrs
        marks = attributes.data[old.index] if attributes else DictionaryAttr({})
        argument = self._add(_placed(old.type, marks, self.function), old.name_hint, _without_strides(marks))
        argument.location = old.location
        return argument

    def add_result(self, value: SSAValue) -> BlockArgument:
        """The buffer of a tensor that the function returns."""
        attributes, number = self.function.res_attrs, self._results
        marks = attributes.data[number] if attributes and number < len(attributes) else DictionaryAttr({})
        self._results += 1
        kind = _placed(value.type, marks, self.function)
        argument = self._add(kind, value.name_hint, DictionaryAttr(RESULT.entry(True) | _given_name(value, marks)))
        if isinstance(value, BlockArgument):
            argument.location = value.location
        return argument

    def add_constant(self, kind: Attribute, contents: DenseIntOrFPElementsAttr, name: str | None) -> BlockArgument:
        """A buffer with its contents."""
        return self._add(kind, name, DictionaryAttr(CONSTANT.entry(contents)))

    def _add(self, kind: Attribute, name: str | None, marks: DictionaryAttr) -> BlockArgument:
        argument = self.block.insert_arg(as_memref(kind, self.function), len(self.block.args))
        argument.name_hint = name
        self._marks.append(marks)
        return argument

    def describe(self) -> None:
        """Give the function the type and the attributes of these arguments, and no results."""
        described = any(marks.data for marks in self._marks)
        self.function.arg_attrs = ArrayAttr(self._marks) if described else None
        self.function.res_attrs = None
        self.function.function_type = FunctionType.from_lists([argument.type for argument in self.block.args], [])


def _given_name(value: SSAValue, marks: DictionaryAttr) -> dict[str, Attribute]:
    """The entry for the name that the function states for a result, or the operation computing it."""
    name = NAME.within(marks) or (NAME.get(value.owner) if isinstance(value.owner, Operation) else None)
    return {} if name is None else NAME.entry(name)


def _placed(kind: Attribute, marks: DictionaryAttr, op: Operation) -> MemRefType[Attribute]:
    """The buffer of a tensor that may be a part of another: then with strides, from an offset that the caller knows."""
    strides, found = STRIDES.within(marks), as_memref(kind, op)
    if strides is None:
        return found
    if len(strides) != found.get_num_dims():
        raise CompileError(
            f"{STRIDES.name} has {counted(len(strides), 'number')} for {kind}: one per dimension is required",
            location_of(op),
        )
    return buffer_type(found.element_type, found.get_shape(), found.memory_space, StridedLayoutAttr(strides, None))


def _without_strides(marks: DictionaryAttr) -> DictionaryAttr:
    return DictionaryAttr({name: value for name, value in marks.data.items() if name != STRIDES.name})


def as_memref(kind: Attribute, op: Operation) -> MemRefType[Attribute]:
    """The buffer that a tensor becomes. Raises `CompileError`, located at an op, for anything but static shapes."""
    if isinstance(kind, MemRefType):
        return cast(MemRefType[Attribute], kind)
    if not isinstance(kind, TensorType):
        raise CompileError(f"a function takes and returns tensors or memrefs, not {kind}", location_of(op))
    shaped = cast(TensorType[Attribute], kind)
    if any(extent < 1 for extent in shaped.get_shape()):
        raise CompileError(unusable_extents(str(shaped), shaped.get_shape()), location_of(op))
    return buffer_type(shaped.get_element_type(), shaped.get_shape())
