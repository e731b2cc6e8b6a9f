"""Operations on mbarriers: arrays of 64-bit words in shared memory, whose phases arrivals and bytes complete."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import IndexType, IntegerAttr, MemRefType, StringAttr, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_prop_def, prop_def, traits_def
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.tma.clusters import check_blocks

INDEX = IndexType()
I64 = IntegerAttr.constr(i64)
MOST_PENDING = (1 << 20) - 1
"""The most arrivals, and the most bytes, that a phase may count."""


def check_barriers(op: str, barriers: SSAValue) -> None:
    """Raises `VerifyException` for memory that holds no mbarriers."""
    kind = cast("MemRefType[Attribute]", barriers.type)
    if kind.element_type != i64 or kind.memory_space != StringAttr("shared") or len(kind.get_shape()) != 1:
        raise VerifyException(
            f'{op}: mbarriers in {kind}; a row of i64 in shared memory is required, as in memref<3xi64, "shared">'
        )


@irdl_op_definition
class InitOp(IRDLOperation):
    """Begin phase 0 of an mbarrier, whose phases take `arrivals` each. By one thread, once."""

    name = "tma.mbarrier_init"
    barriers = operand_def(MemRefType)
    index = operand_def(INDEX)
    arrivals = prop_def(I64)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$barriers `[` $index `]` `arrivals` $arrivals attr-dict `:` type($barriers)"

    def verify_(self) -> None:
        check_barriers("mbarrier_init", self.barriers)
        if not 1 <= self.arrivals.value.data <= MOST_PENDING:
            raise VerifyException(
                f"mbarrier_init: {self.arrivals.value.data} arrivals; 1 to {MOST_PENDING} are possible"
            )


@irdl_op_definition
class FenceInitOp(IRDLOperation):
    """What this thread has initialised is seen by bulk copies, once a barrier has been passed."""

    name = "tma.fence_mbarrier_init"
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "attr-dict"


@irdl_op_definition
class ArriveOp(IRDLOperation):
    """Each warp arrives once, when its lanes have all come: for who waits for the phase, what they did is done.

    With `blocks` it arrives once at the mbarrier of each of so many blocks of its cluster, the own one among them.
    """

    name = "tma.arrive"
    barriers = operand_def(MemRefType)
    index = operand_def(INDEX)
    blocks = opt_prop_def(I64)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$barriers `[` $index `]` (`blocks` $blocks^)? attr-dict `:` type($barriers)"

    def verify_(self) -> None:
        check_barriers("arrive", self.barriers)
        if self.blocks is not None:
            check_blocks("arrive", self, self.blocks.value.data)


@irdl_op_definition
class WaitOp(IRDLOperation):
    """Wait until the phase of a parity is complete: of its number, from 0 on. The one before the first has parity 1.

    With `cluster` threads of other blocks arrive, too, and what they did is known then.
    """

    name = "tma.wait"
    barriers = operand_def(MemRefType)
    index = operand_def(INDEX)
    parity = operand_def(INDEX)
    cluster = opt_prop_def(UnitAttr)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$barriers `[` $index `]` `parity` $parity (`cluster` $cluster^)? attr-dict `:` type($barriers)"

    def verify_(self) -> None:
        check_barriers("wait", self.barriers)
