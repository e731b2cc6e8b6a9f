"""Why no unit of the VTA executes a block, and which directive would give it to one."""

from __future__ import annotations

from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import Operation

from vtac.analysis.nests.nest import element_type_of, enclosing_loops, scope_of, writers_of
from vtac.dialects.schedule.payload import BlockOp, ForOp, YieldOp
from vtac.dialects.scopes import GLOBAL

_GEMM_SCOPES = ("vta.inp", "vta.wgt")


def gpu_loop_around(op: Operation) -> ForOp | None:
    """The outermost loop around an operation that stands for an index of a CUDA launch."""
    return next((loop for loop in enclosing_loops(op) if loop.loop_kind.is_gpu_index), None)


def bound_elsewhere(loop: ForOp) -> str:
    """What to say of a loop that stands for an index of a CUDA launch in a program for the VTA."""
    return (
        f"loop '{loop.loop_name}' is bound to {loop.loop_kind.value}, an index of CUDA kernels: bind it to cthread, "
        "the VTA's virtual threads, or compile for target cuda"
    )


def why_unmapped(block: BlockOp) -> str:
    """A message of one line: what the block does, and what to do so that a unit does it."""
    loop = gpu_loop_around(block)
    if loop is not None:
        return bound_elsewhere(loop)
    name = f"block '{block.block_name}' is mapped to no unit of the VTA"
    kinds = [element_type_of(value) for value in (*block.inputs, block.output)]
    floating = next((kind for kind in kinds if isinstance(kind, AnyFloat)), None)
    if floating is not None:
        return f"{name}: it computes with {floating}, the VTA with integers of 8 and 32 bits; quantise the program"
    return f"{name}: {_remedy(block)}"


def _remedy(block: BlockOp) -> str:
    sources, target = _scopes(block)
    is_copy = len(block.inputs) == 1 and all(isinstance(op, YieldOp) for op in block.body.block.ops)
    if is_copy and (target == GLOBAL) != (sources[0] == GLOBAL):
        return f"it copies from {sources[0]} to {target}; give a loop of it to a DMA unit with dma_copy"
    if block.has_reduction and len(block.inputs) > 1:
        return f"it {_remedy_of_product(sources, target)}"
    if not block.inputs:
        adding = next((one for one in writers_of(block.output) if one.has_reduction), None)
        if adding is not None:
            remedy = _remedy_of_product(*_scopes(adding))
            return f"it is the start of the sums of block '{adding.block_name}', which {remedy}"
        return "it writes a constant; give a loop of it to the ALU with alu"
    if target == GLOBAL or GLOBAL in sources:
        return (
            "it computes in DRAM; copy its operands with cache_read and its result with cache_write, "
            "or set_scope 'vta.acc', then give a loop of it to a unit with dma_copy, alu or tensorize"
        )
    return "give a loop of it to the ALU with alu"


def _scopes(block: BlockOp) -> tuple[list[str], str]:
    return [scope_of(value) for value in block.inputs], scope_of(block.output)


def _remedy_of_product(sources: list[str], target: str) -> str:
    missing = [
        f"cache_read(block, {place}, '{scope}')" for place, scope in enumerate(_GEMM_SCOPES) if scope not in sources
    ]
    if target != "vta.acc":
        missing.append("cache_write(block, 0, 'vta.acc')")
    first = f"{', '.join(missing)}, then " if missing else ""
    return f"multiplies and adds; give its tile to the GEMM unit: {first}tensorize(loop, 'vta.gemm')"
