"""From a module at the wmma level to a CUDA program."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from vtac.analysis.kernels.kernel_constants import constant_arguments
from vtac.analysis.kernels.kernel_roles import in_place_arguments
from vtac.targets.cuda.emit.expressions import identifier, parameter_name
from vtac.targets.cuda.emit.kernel import emit_cuda, find_kernel, launch_record
from vtac.targets.cuda.program import CudaProgram


def to_program(work: ModuleOp) -> CudaProgram:
    """The program of a module at the wmma level."""
    kernel = find_kernel(work)
    in_place = tuple(identifier(name) for name in in_place_arguments(kernel))
    constants = {parameter_name(argument): array for argument, array in constant_arguments(kernel).items()}
    return CudaProgram(emit_cuda(work), launch_record(work), in_place, constants)
