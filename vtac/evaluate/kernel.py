"""Direct execution of kernels of the wmma level with numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from vtac.analysis.kernels.kernel_constants import constant_arguments
from vtac.analysis.kernels.kernel_roles import in_place_arguments, is_result
from vtac.analysis.nests.nest import buffer_name, element_type_of, shape_of
from vtac.dialects.clusters import whole_clusters
from vtac.dialects.declared import Declared
from vtac.dialects.wmma.declared import BLOCK, CLUSTER_DIMENSIONS, GRID, KERNEL
from vtac.evaluate.functions import function_of
from vtac.evaluate.kernel_blocks import Blocks
from vtac.evaluate.kernel_memory import KernelMemory, stored_dtype
from vtac.evaluate.numbers import Array, Mask
from vtac.evaluate.refusals import refused
from vtac.evaluate.work import refuse_too_much

BLOCKS_AT_ONCE = 32
"""Blocks that are executed together, whole clusters; others share nothing, so their number changes no result."""

_THREAD_BYTES = 64
"""What the scalars of one thread take, about."""


@dataclass(frozen=True)
class KernelRun:
    """Outputs of a kernel in the order of its arguments, and which of their elements were written."""

    outputs: tuple[Array, ...]
    written: tuple[Mask, ...]


def is_kernel(function: FuncOp) -> bool:
    """Whether a function is a kernel with a grid."""
    return KERNEL.is_on(function)


def evaluate_kernel(
    program: ModuleOp | FuncOp, arrays: Sequence[Array], blocks: Sequence[int] | None = None
) -> KernelRun:
    """Execute a kernel with numpy: all of its blocks, or those of given numbers, x fastest, with their clusters.

    All threads take each step together, so what their order would decide is a fault: two
    threads at one element of shared memory without a barrier between. `arrays` are the
    inputs, with the contents of memref outputs among them and without constants, as for `vtac.compile`; bfloat16 is
    passed as uint16. Sums are taken in float32 or int32, tile by tile.

    Raises `EvaluationError` for such a race, for an index outside of its buffer, reads of
    elements and fragments that hold nothing, misaligned tiles, barriers that a part of the
    threads meets, and more work than the limits allow.
    """
    function = function_of(program)
    if not is_kernel(function):
        raise refused(f"'{function.sym_name.data}' is no kernel: run lower-to-wmma first", function)
    grid, block = _extents(function, GRID), _extents(function, BLOCK)
    count = prod(grid) if blocks is None else len(blocks)
    refuse_too_much(function, -(-count // BLOCKS_AT_ONCE), _THREAD_BYTES * prod(block) * min(count, BLOCKS_AT_ONCE))
    memories = _bind(function, arrays)
    chosen = list(range(count) if blocks is None else blocks)
    cluster = CLUSTER_DIMENSIONS.get(function)
    size = prod(cluster or (1,))
    if cluster is not None:
        x, y, z = cluster
        chosen = list(whole_clusters(grid, (x, y, z), chosen))
    step = BLOCKS_AT_ONCE // size * size
    for start in range(0, len(chosen), step):
        at_once = Blocks(chosen[start : start + step], grid, block, dict(memories), size)
        with np.errstate(all="ignore"):  # threads that a condition leaves out compute too, on what there is
            at_once.run(function.body.block)
        at_once.bulk.end(function)
        at_once.bulk.stores.check_end(function)
    results = [argument for argument in function.body.block.args if is_result(function, argument)]
    outputs = [memories[result] for result in results]
    written = tuple(_written(memory).reshape(memory.shape) for memory in outputs)
    return KernelRun(tuple(memory.data.reshape(memory.shape) for memory in outputs), written)


def _written(memory: KernelMemory) -> Mask:
    return np.ones(memory.size, np.bool_) if memory.written is None else memory.written


def _bind(function: FuncOp, arrays: Sequence[Array]) -> dict[SSAValue, KernelMemory]:
    """The arguments' memory: inputs as given, outputs unwritten."""
    in_place = in_place_arguments(function)
    arguments = function.body.block.args
    constants = constant_arguments(function)
    wanted = [a for a in arguments if a not in constants and (not is_result(function, a) or buffer_name(a) in in_place)]
    if len(arrays) != len(wanted):
        names = ", ".join(buffer_name(argument) for argument in wanted)
        raise refused(f"the kernel takes {len(wanted)} arrays ({names}); {len(arrays)} were given", function)
    memories = {argument: KernelMemory(argument, array) for argument, array in constants.items()}
    for argument, array in zip(wanted, arrays, strict=True):
        dtype = stored_dtype(element_type_of(argument))
        if array.shape != shape_of(argument) or array.dtype != dtype:
            raise refused(
                f"argument '{buffer_name(argument)}' is {dtype}{list(shape_of(argument))}; the array given is "
                f"{array.dtype}{list(array.shape)}",
                function,
            )
        if not is_result(function, argument):
            memories[argument] = KernelMemory(argument, np.ascontiguousarray(array))
    memories.update({a: KernelMemory(a) for a in arguments if a not in memories})
    return memories


def _extents(function: FuncOp, launch: Declared[tuple[int, ...]]) -> tuple[int, int, int]:
    extents = launch.get(function)
    if extents is None:
        raise refused(f"the kernel has no {launch.name}: {launch.meaning}", function)
    x, y, z = extents
    return x, y, z


def evaluate_whole_kernel(module: ModuleOp, arrays: Sequence[Array]) -> Array | tuple[Array, ...]:
    """The results of a module's kernel, an array or several. Raises `EvaluationError` also for elements unwritten."""
    function = function_of(module)
    run = evaluate_kernel(function, arrays)
    if not all(written.all() for written in run.written):
        raise refused("the kernel leaves elements of a result unwritten", function)
    return run.outputs[0] if len(run.outputs) == 1 else run.outputs
