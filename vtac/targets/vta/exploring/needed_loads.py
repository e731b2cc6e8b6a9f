"""Bytes that a network loads at least: tiles that are on chip already are not loaded again, whoever reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, SSAValue

from vtac.analysis.nests.nest import blocks_under, writers_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import BlockOp
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.matching import is_store
from vtac.targets.vta.schedules.roof import Needed
from vtac.targets.vta.schedules.tile_regions import tiles_of

Memory: TypeAlias = Literal["inp", "wgt"]


@dataclass(frozen=True)
class NeededLoads:
    """Bytes that a function loads at least.

    `sums` go to the accumulators, which nothing spares. Inputs and weights may be on chip from another kernel of the
    stream: `arguments` are the bytes of each argument, by its number, in a memory, `results` those of what layers of
    the function store for one another. `constants` of a memory are all in one number, as nobody knows which are equal.
    """

    sums: int = 0
    arguments: Mapping[tuple[Memory, int], int] = field(default_factory=dict[tuple[Memory, int], int])
    results: int = 0
    constants: Mapping[Memory, int] = field(default_factory=dict[Memory, int])

    @property
    def nbytes(self) -> int:
        """Of one run of the function by itself."""
        return self.sums + self.results + sum(self.constants.values()) + sum(self.arguments.values())


def needed_loads(function: FuncOp, given: int, layers: Sequence[Layer], config: VTAConfig) -> NeededLoads:
    """What the layers of a function load: of each buffer as much as that one needs that needs the most of it.

    Its first `given` arguments are those of its calls; others are results and constants.
    """
    blocks = {block.block_name: block for block in blocks_under(function)}
    most: dict[tuple[Memory, SSAValue], int] = {}
    for layer in layers:
        for memory, buffer, nbytes in _operands(layer, blocks, config):
            most[memory, buffer] = max(most.get((memory, buffer), 0), nbytes)
    arguments, results, constants = dict[tuple[Memory, int], int](), 0, dict[Memory, int]()
    for (memory, buffer), nbytes in most.items():
        if any(is_store(writer) for writer in writers_of(buffer)):
            results += nbytes
        elif isinstance(buffer, BlockArgument) and buffer.owner is function.body.block and buffer.index < given:
            arguments[memory, buffer.index] = nbytes
        else:
            constants[memory] = max(constants.get(memory, 0), nbytes)
    return NeededLoads(sum(_sums(layer, config) for layer in layers), arguments, results, constants)


def _sums(layer: Layer, config: VTAConfig) -> int:
    tiles = sum(tiles_of(operand.region, layer.extents) for operand in layer.operands)
    tiles += sum(tiles_of(stage.region, layer.extents) for stage in layer.stages if stage.kind == "load")
    return tiles * config.acc_element_bytes


def _operands(layer: Layer, blocks: Mapping[str, BlockOp], config: VTAConfig) -> list[tuple[Memory, SSAValue, int]]:
    """Memories with buffers of inputs and weights, and the bytes of each that a layer needs."""
    found: list[tuple[Memory, SSAValue, int]] = []

    def add(block: str, pad: str | None, index: int, inputs: int, weights: int) -> None:
        operands = blocks[block].inputs
        source = operands[index] if pad is None else blocks[pad].inputs[0]
        found.append(("inp", source, inputs * config.inp_element_bytes))
        found.append(("wgt", operands[1 - index], weights * config.wgt_element_bytes))

    for stage in layer.stages:
        for one in stage.products:
            add(one.block, one.pad, one.index, one.touched(layer.extents), tiles_of(one.weights, layer.extents))
    contraction = layer.contraction
    if contraction is not None:
        needed = Needed(contraction, layer.extents)
        selecting = [e for e, side in zip(layer.extents, contraction.by_weight, strict=True) if side]
        weights = contraction.channels * needed.positions
        for extent in selecting:
            weights *= extent
        add(contraction.block, contraction.pad, contraction.input_index, needed.inputs, weights)
    return found


@dataclass
class LoadTotal:
    """Adds up what calls load; `origins` says what a value comes from, and equal origins may be equal tiles."""

    sums: int = 0
    most: Counter[tuple[Memory, Hashable]] = field(default_factory=Counter[tuple[Memory, Hashable]])

    def add(self, loads: NeededLoads, origins: Sequence[Hashable]) -> None:
        """A call of a function with those loads and arguments of those origins."""
        self.sums += loads.sums + loads.results
        for (memory, number), nbytes in loads.arguments.items():
            self._read(memory, origins[number], nbytes)
        for memory, nbytes in loads.constants.items():
            self._read(memory, None, nbytes)

    def _read(self, memory: Memory, origin: Hashable, nbytes: int) -> None:
        self.most[memory, origin] = max(self.most[memory, origin], nbytes)

    def of(self, memory: Memory) -> int:
        """Bytes that a memory gets, what may be equal once."""
        return sum(nbytes for (place, _), nbytes in self.most.items() if place == memory)

    @property
    def nbytes(self) -> int:
        """All bytes."""
        return self.sums + self.of("inp") + self.of("wgt")
