"""Operations on fragments: registers, loads, stores and products of a warp."""

from __future__ import annotations

from functools import cache
from typing import cast

from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr, MemRefType, StringAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_operand_def, prop_def, result_def, traits_def
from xdsl.traits import MemoryAllocEffect, MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, gpu_architectures
from vtac.dialects.registers import InRegisters
from vtac.dialects.schedule.attributes import Number
from vtac.dialects.wmma.attributes import Fragment, FragmentType
from vtac.dialects.wmma.named import check_named

INDEX = IndexType()
I64 = IntegerAttr.constr(i64)


def fragment_of(value: SSAValue) -> Fragment:
    """The fragment record of an operand."""
    return cast(FragmentType, value.type).data


@cache
def accumulators(operand: str) -> tuple[str, ...]:
    """The element types in which tensor cores add up products of an operand type."""
    records = gpu_architectures().values()
    return tuple(sorted({o.accumulator for record in records for o in record.operations if o.operand == operand}))


def element_name(value: SSAValue) -> str:
    """A memref's element type as fragments name it: f16, s8, ..."""
    name = str(cast("MemRefType[Attribute]", value.type).element_type)
    return name.replace("i", "s") if name.startswith("i") else name


def _check_leading(op: str, leading: int, memory: SSAValue) -> None:
    """CUDA's rule: a pitch is a multiple of 16 bytes."""
    width = ELEMENT_BYTES.get(element_name(memory), 1)
    if leading < 1 or leading * width % 16:
        raise VerifyException(
            f"{op}: a leading dimension of {leading} elements of {width} bytes; a multiple of 16 bytes is required"
        )


def _check_memory(op: str, fragment: Fragment, memory: SSAValue) -> None:
    if cast("MemRefType[Attribute]", memory.type).memory_space == StringAttr("local"):
        raise VerifyException(
            f"{op}: memory of scope 'local' is a thread's own; a warp's fragments lie in shared or global memory"
        )
    found = element_name(memory)
    if found not in (fragment.element, fragment.element.replace("u", "s"), fragment.element.replace("tf32", "f32")):
        raise VerifyException(f"{op}: memory holds {found}, the fragment {fragment.element}")


@irdl_op_definition
class FragmentsOp(IRDLOperation):
    """An array of fragments in the registers of each warp."""

    name = "wmma.fragments"
    fragments = result_def(FragmentType)
    traits = traits_def(MemoryAllocEffect(), InRegisters())
    assembly_format = "attr-dict `:` type($fragments)"


@irdl_op_definition
class FillFragmentOp(IRDLOperation):
    """Every element of one fragment becomes a number of its element type."""

    name = "wmma.fill_fragment"
    fragments = operand_def(FragmentType)
    index = operand_def(INDEX)
    value = prop_def(IntegerAttr | FloatAttr)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$fragments `[` $index `]` `,` $value attr-dict `:` type($fragments)"

    def verify_(self) -> None:
        element = fragment_of(self.fragments).element
        found = str(self.value.type)
        if found != element.replace("tf32", "f32").replace("s", "i").replace("u", "i"):
            raise VerifyException(f"fill_fragment: a number of type {found} for a fragment of {element}")

    @staticmethod
    def get(fragments: SSAValue, index: SSAValue, value: Number) -> FillFragmentOp:
        return FillFragmentOp(operands=[fragments, index], properties={"value": value})


class _FragmentMemoryOp(IRDLOperation):
    """What moves one fragment between registers and memory, in rows `leading` elements apart."""

    fragments = operand_def(FragmentType)
    index = operand_def(INDEX)
    memory = operand_def(MemRefType)
    offset = operand_def(INDEX)
    named = opt_operand_def(INDEX)
    leading = prop_def(I64)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def _check_memory(self, op: str) -> None:
        _check_memory(op, fragment_of(self.fragments), self.memory)
        _check_leading(op, self.leading.value.data, self.memory)
        check_named(op, self.named, self.leading.value.data)


@irdl_op_definition
class LoadMatrixSyncOp(_FragmentMemoryOp):
    """Load one fragment from memory: `offset` and the leading dimension count elements; `named` is that under a name.

    Legal from memory of the fragment's element type; an accumulator is loaded row major.
    """

    name = "wmma.load_matrix_sync"
    assembly_format = (
        "$fragments `[` $index `]` `,` $memory `[` $offset `]` `leading` $leading (`as` $named^)? attr-dict "
        "`:` type($fragments) `,` type($memory)"
    )

    def verify_(self) -> None:
        self._check_memory("load_matrix_sync")


@irdl_op_definition
class StoreMatrixSyncOp(_FragmentMemoryOp):
    """Store one accumulator fragment to memory, row major; the same operands as a load."""

    name = "wmma.store_matrix_sync"
    assembly_format = (
        "$memory `[` $offset `]` `leading` $leading (`as` $named^)? `,` $fragments `[` $index `]` attr-dict "
        "`:` type($memory) `,` type($fragments)"
    )

    def verify_(self) -> None:
        role = fragment_of(self.fragments).role
        if role != "accumulator":
            raise VerifyException(f"store_matrix_sync: only accumulators are stored, not {role}")
        self._check_memory("store_matrix_sync")


@irdl_op_definition
class MmaSyncOp(IRDLOperation):
    """accumulator[d] += a[i] x b[j], by a whole warp."""

    name = "wmma.mma_sync"
    accumulator = operand_def(FragmentType)
    accumulator_index = operand_def(INDEX)
    a = operand_def(FragmentType)
    a_index = operand_def(INDEX)
    b = operand_def(FragmentType)
    b_index = operand_def(INDEX)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$accumulator `[` $accumulator_index `]` `,` $a `[` $a_index `]` `,` $b `[` $b_index `]` attr-dict "
        "`:` type($accumulator) `,` type($a) `,` type($b)"
    )

    def verify_(self) -> None:
        parts = [fragment_of(value) for value in (self.accumulator, self.a, self.b)]
        for fragment, role in zip(parts, ("accumulator", "matrix_a", "matrix_b"), strict=True):
            if fragment.role != role:
                raise VerifyException(f"mma_sync: expected a {role} fragment, found {fragment.role}")
        shapes = {(fragment.m, fragment.n, fragment.k) for fragment in parts}
        if len(shapes) > 1:
            shown = ", ".join(f"{fragment.m}x{fragment.n}x{fragment.k}" for fragment in parts)
            raise VerifyException(f"mma_sync: fragments of different shapes: {shown}")
        if parts[1].element != parts[2].element:
            raise VerifyException(f"mma_sync: A holds {parts[1].element}, B {parts[2].element}")
        if parts[0].element not in accumulators(parts[1].element):
            raise VerifyException(
                f"mma_sync: {parts[1].element} operands accumulate in {' or '.join(accumulators(parts[1].element))}, "
                f"not in {parts[0].element}"
            )
