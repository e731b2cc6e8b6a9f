"""Who does what in a block: the thread that asks for copies, warps that do nothing else, and their registers."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr, StringAttr, i1, i64
from xdsl.irdl import IRDLOperation, irdl_op_definition, prop_def, result_def, traits_def
from xdsl.traits import MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

I64 = IntegerAttr.constr(i64)
LEAST_REGISTERS, MOST_REGISTERS = 24, 256


@irdl_op_definition
class ElectOp(IRDLOperation):
    """Whether this is the one thread of its block that acts for it: the first with a threadIdx.z."""

    name = "tma.elect"
    z = prop_def(I64)
    elected = result_def(i1)
    traits = traits_def(Pure())
    assembly_format = "`z` $z attr-dict"

    @staticmethod
    def of(z: int) -> ElectOp:
        return ElectOp(properties={"z": IntegerAttr(z, i64)}, result_types=[i1])

    def verify_(self) -> None:
        if self.z.value.data < 0:
            raise VerifyException(f"elect: threadIdx.z {self.z.value.data}; it is 0 or more")


@irdl_op_definition
class SetmaxnregOp(IRDLOperation):
    """All warps of a warpgroup change the registers of each of their threads: `inc` waits until there are so many."""

    name = "tma.setmaxnreg"
    action = prop_def(StringAttr)
    count = prop_def(I64)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$action $count attr-dict"

    def verify_(self) -> None:
        count = self.count.value.data
        if self.action.data not in ("inc", "dec"):
            raise VerifyException(f'setmaxnreg: \'{self.action.data}\'; "inc" or "dec" is possible')
        if not LEAST_REGISTERS <= count <= MOST_REGISTERS or count % 8:
            raise VerifyException(
                f"setmaxnreg: {count} registers; a multiple of 8 from {LEAST_REGISTERS} to {MOST_REGISTERS} is required"
            )
