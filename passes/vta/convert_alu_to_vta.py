"""convert-alu-to-vta: loops marked `alu` -> vta.alu kernels, one per operation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Attribute, Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.target import config_of
from vtac.analysis.nests.accesses import all_indices_of
from vtac.analysis.nests.bodies import AluChain, AluStep, alu_chain
from vtac.analysis.nests.in_place import possible_bases
from vtac.analysis.nests.nest import buffer_name, scope_of
from vtac.analysis.nests.runs import Run, collapse
from vtac.analysis.nests.tiles import perfect_nest, tile_access, tile_shape
from vtac.analysis.vta.kernel_shapes import (
    KernelShape,
    micro_op_count,
    micro_op_limit,
    shape_kernel,
    with_distinct_neighbours,
)
from vtac.dialects.frequent import number_attribute, text_attribute
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.declared import ALU
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.vta.kernels import AluOp, GemmOp
from vtac.errors import CompileError, TilingError
from vtac.rewriting.walker import rewrite_once

_HLS_SHIFTS = (-16, 15)
"""Amounts that the HLS design shifts by: it takes 5 bits for a signed number."""

IMMEDIATE_RANGE = (-(1 << 15), (1 << 15) - 1)


@dataclass
class ConvertAluLoop(RewritePattern):
    """One ALU loop."""

    config: VTAConfig

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if not ALU.is_on(op):
            return
        nest = perfect_nest(op)
        if nest is None:
            raise CompileError(f"alu: loop '{op.loop_name}' holds several statements", location_of(op))
        loops, block = nest
        chain = alu_chain(block)
        if isinstance(chain, str):
            raise _decline(block, chain, "the ALU computes min, max, add and shifts")
        for buffer in block.buffers:
            if scope_of(buffer) != "vta.acc":
                raise _decline(
                    block, f"'{buffer_name(buffer)}' lives in {scope_of(buffer)}", "the ALU works on vta.acc"
                )
        kernels = _KernelBuilder(self.config, block, loops).build(chain)
        for kernel in kernels:
            kernel.location = block.location
        rewriter.replace(op, kernels, [])


def _decline(block: BlockOp, found: str, remedy: str, kind: type[CompileError] = CompileError) -> CompileError:
    return kind(f"alu of block '{block.block_name}': {found}; {remedy}", location_of(block))


class _KernelBuilder:
    """Kernels of one elementwise block."""

    def __init__(self, config: VTAConfig, block: BlockOp, loops: list[ForOp]) -> None:
        self.config = config
        self.block = block
        tile = tile_shape(config, "acc")
        self.indices: list[Linear] = []
        inside: list[ForOp] | None = None
        for position, indices in enumerate(all_indices_of(block)):
            found = tile_access(block, position, indices, loops, tile)
            if isinstance(found, str):
                raise _decline(block, found, "the ALU works on whole tiles: keep the tile's loops innermost")
            self.indices.append(found[0])
            if inside is not None and inside != found[1]:
                raise _decline(block, "operands run over a tile in different orders", "keep one order")
            inside = found[1]
        self.loops = [loop for loop in loops if loop not in (inside or [])]
        self.dst = self.indices[-1]

    def build(self, chain: AluChain) -> list[Operation]:
        chain, copies = self._in_place(chain)
        kernels: list[Operation] = []
        if copies is not None:
            kernels += [self._reset(), self._kernel(AluStep("add", input=copies))]
        for step in chain.steps:
            kernels += [self._kernel(part) for part in self._parts(step)]
        return kernels

    def _parts(self, step: AluStep) -> list[AluStep]:
        """A shift as several, where the HLS design takes its amount for a negative one; other steps as they are.

        Arithmetic shifts of 32 bits add up, to the right and to the left.
        """
        amount = step.immediate
        if not self.config.is_hls or step.name != "shr" or amount is None or not -31 <= amount <= 31:
            return [step]
        parts: list[int] = []
        while amount:
            parts.append(max(_HLS_SHIFTS[0], min(amount, _HLS_SHIFTS[1])))
            amount -= parts[-1]
        return [replace(step, immediate=part) for part in parts] or [step]

    def _in_place(self, chain: AluChain) -> tuple[AluChain, int | None]:
        """The chain on an input that already is the output, or the input to copy first."""
        for base in possible_bases(chain):
            if self._is_output(base):
                if base == chain.base:
                    return chain, None
                first = replace(chain.steps[0], input=chain.base)
                return AluChain(base, (first, *chain.steps[1:])), None
        for position, buffer in enumerate(self.block.buffers[:-1]):
            if buffer is self.block.buffers[-1]:
                raise _decline(
                    self.block,
                    f"input {position} lives where the output '{buffer_name(buffer)}' is written, in another order",
                    "write another buffer",
                )
        return chain, chain.base

    def _is_output(self, position: int) -> bool:
        return self.block.buffers[position] is self.block.buffers[-1] and self.indices[position] == self.dst

    def _kernel(self, step: AluStep) -> AluOp:
        self._check(step)
        source = len(self.block.buffers) - 1 if step.input is None else step.input
        if step.input is not None and self._is_output(step.input):
            raise _decline(self.block, "an operation takes the output itself as both operands", "copy it first")
        shape = self._shape([self.dst, self.indices[source]])
        buffers = [self.block.buffers[-1], self.block.buffers[source]]
        immediate = None if step.immediate is None else number_attribute(step.immediate)
        properties: dict[str, Attribute | None] = {"opcode": text_attribute(step.name), "immediate": immediate}
        micro = [loop.extent for loop in shape.micro]
        return AluOp.build_kernel(shape.captures, buffers, shape.hardware, micro, shape.index_map(), properties)

    def _reset(self) -> GemmOp:
        shape = self._shape([self.dst, Linear(0), Linear(0)])
        micro = [loop.extent for loop in shape.micro]
        properties: dict[str, Attribute | None] = {"reset": UnitAttr()}
        return GemmOp.build_kernel(
            shape.captures, [self.block.buffers[-1]] * 3, shape.hardware, micro, shape.index_map(), properties
        )

    def _shape(self, indices: list[Linear]) -> KernelShape:
        runs = collapse([Run.of(loop, indices) for loop in self.loops if loop.trip_count > 1])
        for run in runs:
            if run.strides[0] == 0:
                raise _decline(self.block, f"loop '{run.loop.loop_name}' writes the same tiles again", "drop the loop")
        rest = indices
        for loop in self.loops:
            rest = [index.without(loop.induction_variable) for index in rest]
        with_runs = [base + sum_of_runs for base, sum_of_runs in zip(rest, _run_terms(runs, len(indices)), strict=True)]
        shape = shape_kernel([run.loop for run in runs], with_runs)
        if micro_op_count(shape) > micro_op_limit(self.config):
            found = f"{micro_op_count(shape)} micro-ops in one kernel"
            remedy = f"at most {micro_op_limit(self.config)} fit: put the alu directive on an inner loop"
            raise _decline(self.block, found, remedy, TilingError)
        legal = with_distinct_neighbours(shape)
        if legal is None:
            found = "a tile is written again within two micro-ops"
            raise _decline(self.block, found, "reorder the loops", TilingError)
        return legal

    def _check(self, step: AluStep) -> None:
        low, high = IMMEDIATE_RANGE
        if step.name == "mul":
            raise _decline(self.block, "arith.muli", "the VTA's hardware has no elementwise multiplication")
        if step.immediate is None:
            return
        if step.name == "shr" and not -31 <= step.immediate <= 31:
            raise _decline(self.block, f"a shift by {step.immediate}", "the hardware shifts by 0 to 31")
        if not low <= step.immediate <= high:
            raise _decline(self.block, f"the immediate {step.immediate}", f"the field holds {low} to {high}")


def _run_terms(runs: list[Run], count: int) -> list[Linear]:
    terms = [Linear(0)] * count
    for run in runs:
        for position, stride in enumerate(run.strides):
            terms[position] = terms[position] + Linear.variable(run.loop.induction_variable) * stride
    return terms


@dataclass(frozen=True)
class ConvertAluToVta(ModulePass):
    """Turn each ALU loop into kernels that work in place on the output.

    requires: compacted buffers in vta.acc (schedule-reuse-in-place saves copies).
    ensures:  one kernel per operation of the body; contiguous loops collapsed, then two
              hardware loops, the rest micro-ops; with an immediate, src equals dst. A value
              that must survive is first copied (reset, then add).
              On the HLS design a shift beyond -16 to 15 is several.
    declines: multiplication (no hardware), immediates beyond 16 bits, shifts beyond 31,
              partial tiles, other scopes.
    """

    name = "convert-alu-to-vta"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, ConvertAluLoop(config_of(op)))
