"""Operations of a warpgroup: descriptors of matrices in shared memory, products that run by themselves, and waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import IndexType, IntegerAttr, MemRefType, StringAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.mma.attributes import TilesType
from vtac.dialects.mma.ops import element_type_name, tiles_of
from vtac.dialects.wgmma.attributes import DescriptorType
from vtac.dialects.wgmma.layouts import COLUMNS, WgmmaInstruction
from vtac.dialects.wgmma.matrices import SharedMatrix
from vtac.errors import ConfigError

INDEX = IndexType()
I64 = IntegerAttr.constr(i64)
MOST_PENDING = 7
"""Groups that a wait may leave under way."""


def matrix_of(value: SSAValue) -> SharedMatrix:
    """How the matrix of a descriptor lies."""
    return cast(DescriptorType, value.type).data


@irdl_op_definition
class DescriptorOp(IRDLOperation):
    """Where a matrix of an operand lies: from an element of shared memory on, as its type says.

    `offset`, in elements, is the same for all lanes of a warpgroup. It stands for what products read there: it is an
    access of the memory, and stays where it is among others.
    """

    name = "wgmma.descriptor"
    memory = operand_def(MemRefType)
    offset = operand_def(INDEX)
    descriptor = result_def(DescriptorType)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$memory `[` $offset `]` attr-dict `:` type($memory) `->` type($descriptor)"

    def verify_(self) -> None:
        kind = cast("MemRefType[Attribute]", self.memory.type)
        space = kind.memory_space
        found = space.data if isinstance(space, StringAttr) else "global"
        if found != "shared":
            raise VerifyException(f"wgmma.descriptor: memory of scope '{found}'; wgmma reads 'shared' memory")
        matrix = matrix_of(self.descriptor)
        if str(kind.element_type) != element_type_name(matrix.element):
            raise VerifyException(f"wgmma.descriptor: memory holds {kind.element_type}, the matrix {matrix.element}")


@irdl_op_definition
class MmaAsyncOp(IRDLOperation):
    """Begin accumulator[first, ...] += a x b of 64 x n x 32 bytes of k, by the four warps of a warpgroup.

    Each warp's sums are n / 8 tiles of 16 x 8, from number `index` on. Until a `wgmma.wait_group` they hold nothing,
    and what the descriptors name stays as it is.
    """

    name = "wgmma.mma_async"
    accumulator = operand_def(TilesType)
    index = operand_def(INDEX)
    a = operand_def(DescriptorType)
    b = operand_def(DescriptorType)
    n = prop_def(I64)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$accumulator `[` $index `]` `,` $a `,` $b `n` $n attr-dict `:` type($accumulator) `,` type($a) `,` type($b)"
    )

    @property
    def instruction(self) -> WgmmaInstruction:
        """The instruction; raises `ConfigError` for one that PTX does not have."""
        return WgmmaInstruction(self.n.value.data, matrix_of(self.a).element, tiles_of(self.accumulator).element)

    @property
    def count(self) -> int:
        """Tiles of each warp."""
        return self.n.value.data // COLUMNS

    def verify_(self) -> None:
        sums, left, right = tiles_of(self.accumulator), matrix_of(self.a), matrix_of(self.b)
        if sums.role != "accumulator":
            raise VerifyException(f"wgmma.mma_async: expected tiles of accumulator, found {sums.role}")
        if left.element != right.element:
            raise VerifyException(f"wgmma.mma_async: A holds {left.element}, B {right.element}")
        try:
            one = self.instruction
        except ConfigError as error:
            raise VerifyException(f"wgmma.mma_async: {error}") from None
        if sums.shape != one.tiles.shape:
            raise VerifyException(f"wgmma.mma_async: tiles of {sums.shape}; sums of {one.shape} are {one.tiles.shape}")
        if sums.count < self.count:
            raise VerifyException(f"wgmma.mma_async: {sums.count} tiles; {one.shape} takes {self.count} of each warp")


@irdl_op_definition
class FenceOp(IRDLOperation):
    """What touched the sums before is done before the next products touch them: `reason` says what that was."""

    name = "wgmma.fence"
    reason = opt_prop_def(StringAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "(`reason` $reason^)? attr-dict"


@irdl_op_definition
class FenceProxyAsyncOp(IRDLOperation):
    """What a thread itself wrote to shared memory before is there for products and other asynchronous reads.

    A barrier has to follow for what products of other threads read. `reason` says what was written.
    """

    name = "wgmma.fence_proxy_async"
    reason = opt_prop_def(StringAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "(`reason` $reason^)? attr-dict"


@irdl_op_definition
class CommitGroupOp(IRDLOperation):
    """The products that were begun since the last one are a group, that is waited for together."""

    name = "wgmma.commit_group"
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "attr-dict"


@irdl_op_definition
class WaitGroupOp(IRDLOperation):
    """Wait until at most `pending` groups are under way; the accumulators named hold their sums then."""

    name = "wgmma.wait_group"
    accumulators = var_operand_def(TilesType)
    pending = prop_def(I64)
    reason = opt_prop_def(StringAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$pending (`for` $accumulators^ `:` type($accumulators))? (`reason` $reason^)? attr-dict"

    def verify_(self) -> None:
        pending = self.pending.value.data
        if not 0 <= pending <= MOST_PENDING:
            raise VerifyException(f"wgmma.wait_group: {pending} groups; 0 to {MOST_PENDING} may stay under way")
        if pending and self.accumulators:
            raise VerifyException(
                f"wgmma.wait_group: {pending} groups stay under way, and sums of theirs may be among those named"
            )

    @staticmethod
    def get(pending: int, reason: str, accumulators: Sequence[SSAValue] = ()) -> WaitGroupOp:
        properties = {"pending": IntegerAttr(pending, i64), "reason": StringAttr(reason)}
        return WaitGroupOp(operands=[list(accumulators)], properties=properties)
