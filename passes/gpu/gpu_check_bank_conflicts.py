"""gpu-check-bank-conflicts: no access of a kernel waits for a bank of shared memory."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.bank_conflicts import bank_accesses
from vtac.dialects.wmma.declared import KERNEL
from vtac.errors import CompileError


@dataclass(frozen=True)
class GpuCheckBankConflicts(ModulePass):
    """Refuse kernels whose lanes wait for each other at a bank; changes nothing, and is no part of a pipeline.

    requires: kernels (convert-loops-to-gpu) whose loops are scf.for.
    ensures:  no access of shared memory takes more than `turns` turns where eight lanes of 16 bytes, sixteen of 8 or
              32 of fewer could take one; looked at are all warps and the first four iterations of each loop. Loads and
              stores of WMMA are left out, as CUDA does not say which lane takes what; with `fragments` they are taken
              as machine code has them.
    declines: accesses that do, naming the slowest turns that were found.
    """

    name = "gpu-check-bank-conflicts"

    turns: int = 1
    fragments: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            for access in bank_accesses(kernel, fragments=self.fragments):
                if access.turns > self.turns:
                    raise CompileError(
                        f"kernel '{kernel.sym_name.data}': {access.shown}, at most {self.turns} allowed: rows that lie "
                        "a multiple of 128 bytes apart meet the same banks; swizzle the buffer, or give it a pitch of "
                        "an odd multiple of 16 bytes (storage_align)",
                        location_of(access.op),
                    )
