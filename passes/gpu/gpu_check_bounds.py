"""gpu-check-bounds: every access of a kernel lies within its buffer, for all blocks, threads and iterations."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.kernel_bounds import out_of_bounds
from vtac.analysis.kernels.kernel_places import refuse_routines
from vtac.dialects.wmma.declared import KERNEL
from vtac.errors import CompileError


@dataclass(frozen=True)
class GpuCheckBounds(ModulePass):
    """Refuse kernels that reach beyond their memory; changes nothing.

    requires: kernels (convert-loops-to-gpu) whose loops are scf.for.
    ensures:  every access of global and shared memory lies within its buffer and starts where CUDA's alignment wants
              it, lanes of vectors and rows of fragments included, wherever the conditions around it hold; every
              fragment that is named is one of its array.
    declines: anything else, and places that come from what is no sum, multiple, quotient or remainder of indices;
              kernels with routines.
    """

    name = "gpu-check-bounds"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [function for function in op.ops if isinstance(function, FuncOp) and KERNEL.is_on(function)]:
            refuse_routines(kernel, self.name)
            for access, found in out_of_bounds(kernel):
                raise CompileError(
                    f"kernel '{kernel.sym_name.data}': {found}; choose tiles that the extents are multiples of, or "
                    'guard what is left over (split with tail="guard")',
                    location_of(access),
                )
