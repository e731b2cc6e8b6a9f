"""convert-dma-to-vta: loops marked `dma_copy` -> vta.load_2d and vta.store_2d."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.target import allows_acc_8bit, config_of
from vtac.analysis.nests.bodies import is_copy, is_truncating_copy, is_widening_copy
from vtac.analysis.nests.nest import extents_around, scope_of
from vtac.analysis.nests.tiles import perfect_nest
from vtac.analysis.vta.transfers import Dimension, Padding, Transfer, match_transfer
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.declared import DMA_COPY
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.scopes import MEMORIES
from vtac.dialects.vta.memory import Amount, Load2DOp, Store2DOp
from vtac.errors import CompileError
from vtac.rewriting.edits import append
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.padding import Padded, PaddedRange, padded_range
from vtac.rewriting.walker import rewrite_once
from vtac.rewriting.zero_rows import zero_rows


@dataclass
class ConvertCopyLoop(RewritePattern):
    """One copy loop."""

    config: VTAConfig
    module: ModuleOp

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if not DMA_COPY.is_on(op):
            return
        nest = perfect_nest(op)
        if nest is None:
            raise CompileError(f"dma_copy: loop '{op.loop_name}' holds several statements", location_of(op))
        block = nest[1]
        target = scope_of(block.buffers[-1])
        load = target in MEMORIES
        memory = MEMORIES.get(target, "out")
        if memory == "acc" and is_widening_copy(block):
            memory = "acc8"
        _check_scopes(block, load=load, acc_8bit=allows_acc_8bit(self.module))
        transfer = match_transfer(op, self.config, memory, load=load)
        if isinstance(transfer, str):
            raise _decline(block, transfer, "copy whole tiles, innermost, in the buffer's order")
        emitter = _Emitter(self, transfer, memory)
        body = emitter.load() if load else emitter.store()
        for child in body:
            child.location = block.location
        rewriter.replace(op, body, [])


def _check_scopes(block: BlockOp, *, load: bool, acc_8bit: bool) -> None:
    *sources, output = block.buffers
    source, target = scope_of(sources[0]) if sources else "nothing", scope_of(output)
    if source == "global" and target == "vta.acc" and is_widening_copy(block):
        if acc_8bit:
            return
        raise _decline(
            block,
            "it loads i8 into accumulators, which simulators decode and the hardware does not",
            "load it as an input and multiply by the identity, or compile for simulators only (--acc-8bit)",
        )
    if load and source == "global" and is_copy(block):
        return
    if not load and source == "vta.acc" and target == "global" and is_truncating_copy(block):
        return
    raise _decline(
        block, f"it moves {source} to {target}", "DMA copies global to a VTA memory, and truncates vta.acc to global"
    )


def _decline(block: BlockOp, found: str, remedy: str) -> CompileError:
    return CompileError(f"dma_copy of block '{block.block_name}': {found}; {remedy}", location_of(block))


class _Emitter:
    """Builds the operations of one transfer."""

    def __init__(self, pattern: ConvertCopyLoop, transfer: Transfer, memory: str) -> None:
        self.pattern = pattern
        self.transfer = transfer
        self.memory = memory
        self.host = [ForOp.get(d.extent, d.loop.loop_name if d.loop else "row") for d in transfer.host]
        extents = extents_around(transfer.block)
        for loop in self.host:
            extents[loop.induction_variable] = loop.trip_count
        self.values = HostValues(extents)
        self.dram = self._offset(transfer.dram_offset, [d.dram_stride for d in transfer.host])
        self.sram = self._offset(transfer.sram_offset, [d.sram_stride for d in transfer.host])

    def _offset(self, base: Linear, strides: list[int]) -> Linear:
        for loop, stride in zip(self.host, strides, strict=True):
            base = base + Linear.variable(loop.induction_variable) * stride
        return base

    def store(self) -> list[Operation]:
        transfer, values = self.transfer, self.values
        amounts = [
            values.value(self.sram),
            values.value(self.dram),
            transfer.x.extent,
            transfer.y.extent,
            transfer.y.dram_stride,
        ]
        store = Store2DOp.build_from(self.memory, transfer.block.output, transfer.block.inputs[0], amounts)
        return self._wrap([*values.operations, store])

    def load(self) -> list[Operation]:
        transfer, values = self.transfer, self.values
        pad = transfer.block.accesses.data[0].pad_value
        if pad is not None and pad.value.data != 0:
            raise _decline(transfer.block, f"pad value {pad.value.data}", "the load unit pads with zeros only")
        x = self._range(transfer.x)
        y = self._range(transfer.y)
        absent = [self._host_padding(d, loop) for d, loop in zip(transfer.host, self.host, strict=True)]
        padded = Padded(x, y, [*transfer.fixed_padding, *(p for p in absent if p is not None)])
        load = self._load_2d(x, y, self.dram, self.sram)
        if padded.always_loadable(values.extents):
            return self._wrap([*values.operations, load])
        return self._wrap(zero_rows(self.pattern.module, transfer, padded, values, load, self.dram, self.sram))

    def _range(self, dimension: Dimension) -> PaddedRange:
        return padded_range(self.values, dimension)

    def _host_padding(self, dimension: Dimension, loop: ForOp) -> Padding | None:
        padding = dimension.padding
        if padding is None:
            return None
        return Padding(padding.start + Linear.variable(loop.induction_variable), padding.limit)

    def _load_2d(self, x: PaddedRange, y: PaddedRange, dram: Linear, sram: Linear) -> Load2DOp:
        values = self.values
        undecided: list[tuple[Amount, int]] = []
        for part, stride in ((y, self.transfer.y.dram_stride), (x, self.transfer.x.dram_stride)):
            if part.before_expression is not None:
                dram = dram + part.before_expression * stride
            else:
                undecided.append((part.before, stride))
        start = values.value(dram)
        for before, stride in undecided:
            start = values.add(start, values.scale(before, stride))
        amounts: list[Amount] = [
            start,
            x.size,
            y.size,
            self.transfer.y.dram_stride,
            x.before,
            y.before,
            x.after,
            y.after,
            values.value(sram),
        ]
        return Load2DOp.build_from(self.memory, self.transfer.block.inputs[0], self.transfer.block.output, amounts)

    def _wrap(self, operations: list[Operation]) -> list[Operation]:
        """Put operations into the host loops of the transfer."""
        for loop in reversed(self.host):
            append(operations, loop.body.block)
            operations = [loop]
        return operations


@dataclass(frozen=True)
class ConvertDmaToVta(ModulePass):
    """Turn each copy loop into one 2D transfer, in host loops where it has more dimensions.

    requires: compacted buffers without guards; the module's `vta.config`.
    ensures:  transfers of whole tiles; pads computed from the affine bounds, symbolic in
              the outer loops; a tile that may lie wholly in the padding, or has pads over
              15, is loaded from a zero row of its own where that happens.
    declines: i8 into accumulators, unless the module is marked `vta.acc_8bit`; partial tiles,
              non-affine indices, a pad value other than 0, other scopes.
    """

    name = "convert-dma-to-vta"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, ConvertCopyLoop(config_of(op), op))
