"""What a function's blocks are, as far as a schedule needs to know: layers of packed operations.

A layer is a contraction on GEMM tiles (matrix product, convolution), or none, with the
elementwise blocks behind it and the block that stores the low 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import IntegerType
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from vtac.autoschedule.contraction import Contraction, match_contraction, no_layer
from vtac.dialects.diagnostics import ScheduleError
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.analysis.bodies import alu_chain, is_copy, is_truncating_copy
from vtac.passes.analysis.locations import location_of
from vtac.passes.analysis.nest import blocks_under, element_type_of, readers_of, shape_of, writers_of
from vtac.passes.analysis.regions import plain_dimension


@dataclass(frozen=True)
class Operand:
    """Another input of an elementwise block: its block, its position, its dimensions that follow the output's."""

    block: str
    index: int
    follows: tuple[bool, ...]


@dataclass(frozen=True)
class Layer:
    """One layer: block names in program order; `alu` counts ALU operations per output tile."""

    store: str
    tail: tuple[str, ...]
    extents: tuple[int, ...]
    alu: int
    operands: tuple[Operand, ...]
    contraction: Contraction | None


def find_layers(function: FuncOp, config: VTAConfig) -> list[Layer]:
    """The layers of a function in program order. Raises `ScheduleError` for a block that fits none."""
    blocks = blocks_under(function)
    layers: list[Layer] = []
    taken: set[BlockOp] = set()
    for block in blocks:
        if _is_store(block):
            layer, used = _layer(block, config)
            layers.append(layer)
            taken |= used
    for block in blocks:
        if block not in taken:
            raise ScheduleError(
                f"default schedule: block '{block.block_name}' belongs to no layer; a layer is a contraction on GEMM "
                "tiles (or none), elementwise int32 blocks and a block that truncates to int8: write it so, or give a "
                "schedule",
                location_of(block),
            )
    return layers


def _is_store(block: BlockOp) -> bool:
    return _bits(block.output) == 8 and is_truncating_copy(block) and not is_copy(block) and block.init is None


def _is_given(buffer: SSAValue) -> bool:
    """An argument or a constant: nothing in the function writes it."""
    return not writers_of(buffer)


def _bits(buffer: SSAValue) -> int:
    """Width of a buffer's integers; 0 for anything else."""
    kind = element_type_of(buffer)
    return cast(IntegerType, kind).width.data if isinstance(kind, IntegerType) else 0


def _layer(store: BlockOp, config: VTAConfig) -> tuple[Layer, set[BlockOp]]:
    used = {store}
    tail: list[BlockOp] = []
    current = store.inputs[0]
    contraction: Contraction | None = None
    while not _is_given(current):
        producer = _only_writer(current, store)
        used.add(producer)
        if producer.has_reduction:
            contraction, padding = match_contraction(producer)
            used |= padding
            break
        chain = alu_chain(producer)
        if isinstance(chain, str):
            raise no_layer(producer, chain)
        tail.insert(0, producer)
        current = producer.inputs[_chained(producer, chain.base)]
    operands = [operand for block in tail for operand in _operands(block, current if block is tail[0] else None)]
    shape = shape_of(store.output)
    tile = (config.batch, config.block_out)
    if shape[-2:] != tile:
        raise no_layer(
            store, f"expected a result in {tile[0]} x {tile[1]} tiles, found shape {'x'.join(map(str, shape))}"
        )
    steps = sum(_steps(block) for block in tail)
    names = tuple(block.block_name for block in tail)
    if contraction is None and tail:
        operands = [operand for block in tail for operand in _operands(block, None)]
    return Layer(store.block_name, names, shape[:-2], steps, tuple(operands), contraction), used


def _chained(block: BlockOp, base: int) -> int:
    """The input that comes from another block; the chain's base when all are arguments."""
    computed = [i for i, value in enumerate(block.inputs) if not _is_given(value)]
    if len(computed) > 1:
        raise no_layer(block, f"expected one computed input, found {len(computed)}")
    return computed[0] if computed else base


def _steps(block: BlockOp) -> int:
    chain = alu_chain(block)
    if isinstance(chain, str):
        return 0
    return sum(1 if step.input is None else 2 for step in chain.steps)


def _operands(block: BlockOp, chained: SSAValue | None) -> list[Operand]:
    """Inputs that are arguments, so that they must be loaded."""
    found: list[Operand] = []
    for index, value in enumerate(block.inputs):
        if not _is_given(value) or value is chained:
            continue
        if _bits(value) != 32:
            wrong = f"expected int32 operands, which LOAD ACC takes, found {value.type} for input {index}"
            raise no_layer(block, wrong)
        used = {plain_dimension(expr) for expr in block.accesses.data[index].indices.results}
        outer = [plain_dimension(expr) for expr in block.output_access.indices.results][:-2]
        found.append(Operand(block.block_name, index, tuple(variable in used for variable in outer)))
    return found


def _only_writer(buffer: SSAValue, store: BlockOp) -> BlockOp:
    writers, readers = writers_of(buffer), readers_of(buffer)
    if len(writers) != 1 or len(readers) != 1:
        raise no_layer(
            store, f"expected each intermediate to be written and read once, found {len(writers)} and {len(readers)}"
        )
    return writers[0]
