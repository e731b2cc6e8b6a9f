"""What a lane computes of the elements of an accumulator's tile that it holds, two neighbours at a time.

Where a guard decides of elements, an `scf.if` stands around what is computed of them: around both neighbours where it
holds for both or for neither, else around each.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.expressions.separation import separated
from vtac.analysis.kernels.alignment import multiple_of
from vtac.analysis.nests.accesses import guards_of, indices_of
from vtac.analysis.nests.nest import buffer_name, element_type_of, strides_of
from vtac.analysis.nests.tiles import strided_index
from vtac.analysis.tensor_cores.mma_tiles import Result, no_tile
from vtac.dialects.mma import ExtractOp, LoadPairOp, StorePairOp
from vtac.dialects.schedule.payload import ForOp
from vtac.rewriting.flat_views import flattened
from vtac.rewriting.index_values import HostValues

Held = tuple[SSAValue, int]
"""Where a lane holds an element: the number of its tile, and the element's in the tile."""
_PAIR = 2
_BOTH = tuple(range(_PAIR))


@dataclass(frozen=True)
class Place:
    """Where a lane's first element of a piece lies in one buffer, and how many elements further the second does."""

    buffer: SSAValue
    first: Linear
    step: int
    is_pair: bool


@dataclass
class LaneResults:
    """Makes what a lane computes of one tile; operations are collected in `values`, for the caller to insert."""

    result: Result
    tiles: SSAValue
    values: HostValues
    rewriter: PatternRewriter

    def pair(self, held: Sequence[Held], loops: Mapping[Hashable, Linear], minor: ForOp) -> None:
        """Two neighbours, the first of which is where `loops` say; the loop over columns finds the second."""
        extents, block = self.values.extents, self.result.block
        places = self.places(loops, minor)
        bounds = [guard for guard in guards_of(block, extents) if guard.bounds(extents)[0] < 0]
        firsts = [guard.substitute(loops, extents) for guard in bounds]
        steps = [self._growth(guard, minor, "a guard") for guard in bounds]
        if all(self._holds_for_both(*one) for one in zip(firsts, steps, strict=True)):
            self._guarded(firsts, held, places, _BOTH)
            return
        for at in _BOTH:
            self._guarded([guard + step * at for guard, step in zip(firsts, steps, strict=True)], held, places, (at,))

    def places(self, loops: Mapping[Hashable, Linear], minor: ForOp) -> list[Place]:
        """Where the first of two neighbours lies in each buffer of the block."""
        return [self._place(position, loops, minor) for position in range(len(self.result.block.inputs) + 1)]

    def _place(self, position: int, loops: Mapping[Hashable, Linear], minor: ForOp) -> Place:
        block, extents = self.result.block, self.values.extents
        buffer = (*block.inputs, block.output)[position]
        flat = strided_index(indices_of(block, position, extents), strides_of(buffer))
        step = self._growth(flat, minor, f"'{buffer_name(buffer)}'")
        first = flat.substitute(loops, extents)
        return Place(buffer, first, step, step == 1 and multiple_of(first, extents) % _PAIR == 0)

    def _growth(self, expression: Linear, minor: ForOp, what: str) -> int:
        """By how much an expression is more in the next column."""
        column = minor.induction_variable
        if not expression.is_linear_in(column):
            expression = separated(expression, {column}, self.values.extents)
        if not expression.is_linear_in(column):
            raise no_tile(self.result.block, f"{what} is not addressed linearly by loop '{minor.loop_name}'")
        return expression.coefficient(column)

    def _holds_for_both(self, guard: Linear, step: int) -> bool:
        """Whether a guard (>= 0) holds for both elements or for neither: its ends lie between two pairs."""
        if step == 0:
            return True
        last = guard + step if step < 0 else guard
        return multiple_of(last, self.values.extents) % (abs(step) + 1) == 0

    def _guarded(
        self, guards: Sequence[Linear], held: Sequence[Held], places: Sequence[Place], which: tuple[int, ...]
    ) -> None:
        """What is computed of some elements, under the guards that ranges do not decide; indices stand before it."""
        values = self.values
        sums = self._sums(held, which)
        verdict: SSAValue | None = None
        for guard in guards:
            if guard.bounds(values.extents)[0] < 0:
                verdict = values.both(verdict, values.at_least(values.value(guard), 0))
        if verdict is None:
            self._statements(sums, places, which, values.operations)
            return
        skipped: list[Operation] = []
        self._statements(sums, places, which, skipped)
        values.operations.append(scf.IfOp(verdict, [], [*skipped, scf.YieldOp()]))

    def _statements(
        self, sums: list[SSAValue], places: Sequence[Place], which: tuple[int, ...], made: list[Operation]
    ) -> None:
        """Loads, arithmetic and stores of some elements, whose sums are given."""
        inputs = [
            sums if at == self.result.accumulator else self._read(place, which, made)
            for at, place in enumerate(places[:-1])
        ]
        results = [self._computed([values[at] for values in inputs], made) for at in range(len(which))]
        self._write(results, places[-1], which, made)

    def _sums(self, held: Sequence[Held], which: tuple[int, ...]) -> list[SSAValue]:
        """Elements of a pair, taken from registers by all lanes alike."""
        kind = element_type_of(self.result.block.inputs[self.result.accumulator])
        found: list[SSAValue] = []
        for at in which:
            index, element = held[at]
            number = IntegerAttr(element, i64)
            op = ExtractOp(operands=[self.tiles, index], properties={"element": number}, result_types=[kind])
            self.values.operations.append(op)
            found.append(op.result)
        return found

    def _read(self, place: Place, which: tuple[int, ...], made: list[Operation]) -> list[SSAValue]:
        values = self.values
        if place.is_pair and which == _BOTH:
            pair = LoadPairOp(place.buffer, values.materialise(values.value(place.first)))
            made.append(pair)
            return [pair.first, pair.second]
        flat = flattened(place.buffer, self.rewriter)
        found: list[SSAValue] = []
        for at in which if place.step else which[:1]:
            load = memref.LoadOp.get(flat, [values.materialise(values.value(place.first + place.step * at))])
            made.append(load)
            found.append(load.res)
        return found if place.step else found * len(which)

    def _computed(self, inputs: list[SSAValue], made: list[Operation]) -> SSAValue:
        block = self.result.block
        mapping: dict[SSAValue, SSAValue] = dict(zip(block.body.block.args, inputs, strict=True))
        *arithmetic, _ = block.body.block.ops
        made += [inner.clone(mapping) for inner in arithmetic]
        return mapping.get(block.yielded, block.yielded)

    def _write(self, results: list[SSAValue], place: Place, which: tuple[int, ...], made: list[Operation]) -> None:
        values = self.values
        if place.is_pair and which == _BOTH:
            made.append(
                StorePairOp(results[0], results[1], place.buffer, values.materialise(values.value(place.first)))
            )
            return
        flat = flattened(place.buffer, self.rewriter)
        for at, result in zip(which, results, strict=True):
            offset = values.materialise(values.value(place.first + place.step * at))
            made.append(memref.StoreOp.get(result, flat, [offset]))
