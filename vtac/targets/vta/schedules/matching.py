"""From the blocks behind a layer's results to its stages."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import cast

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.bodies import AluChain, alu_chain, is_copy, is_truncating_copy
from vtac.analysis.nests.in_place import possible_bases, takes_own_part
from vtac.analysis.nests.nest import element_type_of, readers_of, shape_of, writers_of
from vtac.analysis.operations.structured_view import block_view
from vtac.dialects.schedule.payload import BlockOp
from vtac.targets.vta.schedules.stages import (
    COPY,
    Accumulator,
    Operand,
    Product,
    Stage,
    StageKind,
    chain_cost,
    first_writer,
    product_operands,
)
from vtac.targets.vta.schedules.tile_regions import (
    Place,
    TileRegion,
    is_pointwise,
    places_read,
    tile_region_of,
    whole_place,
)
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction, match_tiled_contraction, no_layer


def is_store(block: BlockOp) -> bool:
    """A block that truncates to int8."""
    return _bits(block.output) == 8 and is_truncating_copy(block) and not is_copy(block) and block.init is None


def is_given(buffer: SSAValue) -> bool:
    """An argument or a constant: nothing in the function writes it."""
    return not writers_of(buffer)


def _bits(buffer: SSAValue) -> int:
    """Width of a buffer's integers; 0 for anything else."""
    kind = element_type_of(buffer)
    return cast(IntegerType, kind).width.data if isinstance(kind, IntegerType) else 0


@dataclass
class LayerBlocks:
    """Blocks that store results, and all blocks of their layer."""

    stores: list[BlockOp]
    blocks: set[BlockOp]

    @staticmethod
    def behind(store: BlockOp) -> LayerBlocks:
        """The blocks that a store depends on, as far as tensors of int32 and paddings go."""
        blocks = {store}
        waiting = [store.inputs[0]]
        while waiting:
            for writer in writers_of(waiting.pop()):
                if writer in blocks:
                    continue
                blocks.add(writer)
                waiting += [value for value in writer.inputs if _bits(value) == 32]
                blocks |= {pad for value in writer.inputs if (pad := padding_of(value)) is not None}
        return LayerBlocks([store], blocks)


def padding_of(buffer: SSAValue) -> BlockOp | None:
    """The block that fills an int8 buffer with padded tiles."""
    writers = writers_of(buffer) if _bits(buffer) == 8 else []
    pads = [one for one in writers if is_copy(one) and one.accesses.data[0].pad_value is not None]
    return pads[0] if len(writers) == 1 and pads else None


@dataclass
class Matched:
    """What the blocks of a layer are."""

    stages: list[Stage] = field(default_factory=list[Stage])
    operands: list[Operand] = field(default_factory=list[Operand])
    accumulators: list[Accumulator] = field(default_factory=list[Accumulator])
    contraction: TiledContraction | None = None


def match_stages(found: LayerBlocks, order: list[BlockOp]) -> Matched:
    """The stages of a layer in program order. Raises `ScheduleError` for a block that is none."""
    return _Matcher(found, order).run()


class _Matcher:
    def __init__(self, found: LayerBlocks, order: list[BlockOp]) -> None:
        self.stores = found.stores
        self.order = order
        self.extents = shape_of(found.stores[0].output)[:-2]
        self.bounds: dict[Hashable, int] = dict(enumerate(self.extents))
        self.places: dict[SSAValue, set[Place]] = {}
        self.matched = Matched()
        self.firsts = self._first_writers()
        self.numbers = {block.output: number for number, block in enumerate(self.firsts)}

    def run(self) -> Matched:
        self._find_places()
        for number, block in enumerate(self.firsts):
            self.matched.stages.append(self._stage(number, block))
        return self.matched

    def _first_writers(self) -> list[BlockOp]:
        """One block per buffer of accumulators."""
        found: list[BlockOp] = []
        for block in self.order:
            if block in self.stores or _bits(block.output) != 32:
                continue
            first = first_writer(writers_of(block.output))
            if first is None:
                raise no_layer(block, "expected one block that writes its output, and products that add to it")
            if first is block:
                found.append(block)
        return found

    def _find_places(self) -> None:
        """Which tiles of each buffer an output tile needs, from the results backwards."""
        for store in self.stores:
            self.places[store.output] = {whole_place(self.extents)}
        for block in reversed(self.order):
            written = self.places.get(block.output)
            if written is None or (_bits(block.output) == 8 and block not in self.stores):
                continue
            if block.has_reduction and product_operands(block) is None:
                continue
            for position, value in enumerate(block.inputs):
                read = places_read(block, position, written, self.bounds)
                if read is None:
                    raise no_layer(block, "expected an output written by plain indices")
                self.places.setdefault(value, set()).update(read)

    def _region(self, buffer: SSAValue, places: set[Place], block: BlockOp) -> TileRegion:
        region = tile_region_of(places, shape_of(buffer)[:-2])
        if region is None:
            raise no_layer(block, "expected every read of a buffer to move with the result in the same steps")
        return region

    def _stage(self, number: int, block: BlockOp) -> Stage:
        region = self._region(block.output, self.places[block.output], block)
        products = tuple(self._product(one) for one in self.order if one.output is block.output and _is_product(one))
        results = sum(store.inputs[0] is block.output for store in self.stores)
        if block.has_reduction:
            kind: StageKind = "product" if product_operands(block) is not None else "contraction"
            if kind == "contraction":
                self._set_contraction(block, region)
            space = self._space(number, region, stage=number)
            return Stage(block.block_name, kind, region, 0, 0, space, (), products, results)
        if is_copy(block) and is_given(block.inputs[0]) and _bits(block.inputs[0]) == 32:
            space = self._space(number, region, stage=number)
            data = _data(block, region)
            return Stage(block.block_name, "load", region, 0, 0, space, (), products, results, data=data)
        chain = alu_chain(block)
        if isinstance(chain, str):
            raise no_layer(block, chain)
        operands = self._operands(block)
        reads = tuple(sorted({self.numbers[value] for value in block.inputs if value in self.numbers}))
        space, in_place = self._alu_space(number, block, chain, region, operands)
        alu, kernels = chain_cost(chain, in_place=in_place)
        spared = COPY if not in_place and possible_bases(chain) else (0, 0)
        return Stage(block.block_name, "alu", region, alu, kernels, space, reads, products, results, spared)

    def _set_contraction(self, block: BlockOp, region: TileRegion) -> None:
        if self.matched.contraction is not None:
            raise no_layer(block, f"expected one contraction, '{self.matched.contraction.block}' is another")
        found = match_tiled_contraction(block)[0]
        if not is_pointwise(region, self.extents):
            if len(region) != len(self.extents) or any(side.spatial not in (None, n) for n, side in enumerate(region)):
                raise no_layer(block, "expected elementwise operations and windows behind a contraction")
            found = replace(found, region=region)
        self.matched.contraction = found

    def _product(self, block: BlockOp) -> Product:
        positions = product_operands(block)
        if positions is None:
            raise no_layer(block, "expected a product with one weight tile")
        index = positions[0]
        buffer = block.inputs[index]
        pad = padding_of(buffer)
        region, weights = self._region_read(block, index), self._region_read(block, 1 - index)
        sizes = shape_of(buffer if pad is None else pad.inputs[0])[:-2]
        if pad is not None and len(readers_of(buffer)) > 1:
            raise no_layer(pad, "expected padding for one reader")
        starts = block.init is not None
        name, before = (None, ()) if pad is None else (pad.block_name, _padding_before(pad))
        return Product(block.block_name, index, name, region, sizes, starts, weights, before)

    def _region_read(self, block: BlockOp, position: int) -> TileRegion:
        """What an output tile needs of an input of a block."""
        places = places_read(block, position, self.places[block.output], self.bounds)
        return self._region(block.inputs[position], places or set(), block)

    def _operands(self, block: BlockOp) -> dict[int, int]:
        """Inputs that are arguments, so that they must be loaded: position -> number of the operand."""
        found: dict[int, int] = {}
        for index, value in enumerate(block.inputs):
            if not is_given(value):
                if _bits(value) != 32:
                    raise no_layer(block, f"expected int32 inputs, found {value.type} for input {index}")
                continue
            if _bits(value) != 32:
                wrong = f"expected int32 operands, which LOAD ACC takes, found {value.type} for input {index}"
                raise no_layer(block, wrong)
            places = places_read(block, index, self.places[block.output], self.bounds) or set()
            found[index] = len(self.matched.operands)
            self.matched.operands.append(Operand(block.block_name, index, self._region(value, places, block)))
        return found

    def _alu_space(
        self, number: int, block: BlockOp, chain: AluChain, region: TileRegion, operands: dict[int, int]
    ) -> tuple[int, bool]:
        """Where an elementwise block works, and whether that is in place of an input used no more."""
        for position in possible_bases(chain):
            value = block.inputs[position]
            if value in self.numbers and takes_own_part(block, position):
                return self._extended(self.matched.stages[self.numbers[value]].accumulator, number), True
            same = block.accesses.data[position].indices == block.output_access.indices
            once = sum(other is value for other in block.inputs) == 1
            if not same or not once:
                continue
            if position in operands:
                if is_pointwise(self.matched.operands[operands[position]].region, self.extents):
                    return self._space(number, region, operand=operands[position]), True
                continue
            if value in self.numbers and all(self._is_before(reader, block) for reader in readers_of(value)):
                return self._extended(self.matched.stages[self.numbers[value]].accumulator, number), True
        return self._space(number, region, stage=number), False

    def _is_before(self, reader: BlockOp, block: BlockOp) -> bool:
        return reader in self.stores or self.order.index(reader) <= self.order.index(block)

    def _space(self, number: int, region: TileRegion, stage: int | None = None, operand: int | None = None) -> int:
        self.matched.accumulators.append(Accumulator(region, number, self._last(number), False, stage, operand))
        return self._extended(len(self.matched.accumulators) - 1, number)

    def _extended(self, space: int, number: int) -> int:
        old = self.matched.accumulators[space]
        output = self.firsts[number].output
        stored = old.stored or any(store.inputs[0] is output for store in self.stores)
        last = max(old.last, self._last(number))
        self.matched.accumulators[space] = Accumulator(old.region, old.first, last, stored, old.stage, old.operand)
        return space

    def _last(self, number: int) -> int:
        """The last stage that reads one."""
        output = self.firsts[number].output
        readers = [self.numbers.get(reader.output, number) for reader in readers_of(output)]
        return max([number, *readers])


def _padding_before(pad: BlockOp) -> tuple[int, ...]:
    """The padding in front, per outer dimension."""
    return tuple(-index.constant for index in block_view(pad).inputs[0].indices[:-2])


def _data(copy: BlockOp, region: TileRegion) -> TileRegion:
    """What a copy reads of what it may pad, for a region of what it writes; no offsets where that is not known."""
    if copy.accesses.data[0].pad_value is None:
        return region
    indices = block_view(copy).inputs[0].indices[:-2]
    if [index - index.constant for index in indices] != [Linear.variable(number) for number in range(len(region))]:
        return tuple(replace(side, offsets=()) for side in region)
    sides = zip(region, indices, shape_of(copy.inputs[0]), strict=False)
    return tuple(
        replace(side, size=size, offsets=tuple(offset + index.constant for offset in side.offsets))
        for side, index, size in sides
    )


def _is_product(block: BlockOp) -> bool:
    return block.has_reduction and product_operands(block) is not None
