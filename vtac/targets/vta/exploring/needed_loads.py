"""Bytes that a network loads at least: tiles that are on chip already are not loaded again, whoever reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, SSAValue

from vtac.analysis.nest import blocks_under, writers_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import BlockOp
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.matching import is_store
from vtac.targets.vta.schedules.roof import Needed
from vtac.targets.vta.schedules.tile_regions import tiles_of


@dataclass(frozen=True)
class NeededLoads:
    """Bytes that a function loads at least.

    `sums` go to the accumulators, which nothing spares. Inputs and weights may be on chip from another kernel of the
    stream: `arguments` are the bytes of each argument by its number, `results` those of what layers of the function
    store for one another. `constants` are all in one number, as nobody knows which of them are equal.
    """

    sums: int = 0
    arguments: Mapping[int, int] = field(default_factory=dict[int, int])
    results: int = 0
    constants: int = 0

    @property
    def nbytes(self) -> int:
        """Of one run of the function by itself."""
        return self.sums + self.results + self.constants + sum(self.arguments.values())


def needed_loads(function: FuncOp, given: int, layers: Sequence[Layer], config: VTAConfig) -> NeededLoads:
    """What the layers of a function load: of each buffer as much as that one needs that needs the most of it.

    Its first `given` arguments are those of its calls; others are results and constants.
    """
    blocks = {block.block_name: block for block in blocks_under(function)}
    most: dict[SSAValue, int] = {}
    for layer in layers:
        for buffer, nbytes in _operands(layer, blocks, config):
            most[buffer] = max(most.get(buffer, 0), nbytes)
    arguments, results, constants = dict[int, int](), 0, 0
    for buffer, nbytes in most.items():
        if any(is_store(writer) for writer in writers_of(buffer)):
            results += nbytes
        elif isinstance(buffer, BlockArgument) and buffer.owner is function.body.block and buffer.index < given:
            arguments[buffer.index] = nbytes
        else:
            constants = max(constants, nbytes)
    return NeededLoads(sum(_sums(layer, config) for layer in layers), arguments, results, constants)


def _sums(layer: Layer, config: VTAConfig) -> int:
    tiles = sum(tiles_of(operand.region, layer.extents) for operand in layer.operands)
    tiles += sum(tiles_of(stage.region, layer.extents) for stage in layer.stages if stage.kind == "load")
    return tiles * config.acc_element_bytes


def _operands(layer: Layer, blocks: Mapping[str, BlockOp], config: VTAConfig) -> list[tuple[SSAValue, int]]:
    """Buffers of inputs and weights, and the bytes of each that a layer needs."""
    found: list[tuple[SSAValue, int]] = []

    def add(block: str, pad: str | None, index: int, inputs: int, weights: int) -> None:
        operands = blocks[block].inputs
        source = operands[index] if pad is None else blocks[pad].inputs[0]
        found.append((source, inputs * config.inp_element_bytes))
        found.append((operands[1 - index], weights * config.wgt_element_bytes))

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
    constants: int = 0
    most: Counter[Hashable] = field(default_factory=Counter[Hashable])

    def add(self, loads: NeededLoads, origins: Sequence[Hashable]) -> None:
        """A call of a function with those loads and arguments of those origins."""
        self.sums += loads.sums + loads.results
        self.constants = max(self.constants, loads.constants)
        for number, nbytes in loads.arguments.items():
            self.most[origins[number]] = max(self.most[origins[number]], nbytes)

    @property
    def nbytes(self) -> int:
        """All bytes, what may be equal once."""
        return self.sums + self.constants + sum(self.most.values())
