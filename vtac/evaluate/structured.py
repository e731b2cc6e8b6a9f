"""One linalg structured op over its iteration space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import IndexOp
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineMap

from vtac.evaluate.affine import Index, evaluate_map
from vtac.evaluate.arith import evaluate_body
from vtac.evaluate.buffers import Buffer
from vtac.evaluate.numbers import Array, computed_dtype
from vtac.evaluate.refusals import refused
from vtac.evaluate.sums import added, only_adds, taken_at_once


@dataclass
class StructuredOp:
    """One linalg op with its operands: parallel iterators all at once, reductions one point after the other.

    Integer sums are taken over many points at once.

    `targets` are its outputs, which it writes; `scalars` what its body takes from around it,
    `tensors` those of which it extracts elements.
    """

    op: LinalgStructuredOperation
    inputs: list[Buffer | Array]
    targets: list[Buffer]
    scalars: dict[SSAValue, Array]
    tensors: Mapping[SSAValue, Array] = field(default_factory=dict[SSAValue, Array])

    def __post_init__(self) -> None:
        try:
            self.extents = self.op.get_static_loop_ranges()
        except NotImplementedError:
            raise refused(
                f"'{self.op.name}': the loop extents do not follow from the operand shapes", self.op
            ) from None
        self.reductions = [
            dimension
            for dimension, kind in enumerate(self.op.get_iterator_types())
            if kind.data is not IteratorType.PARALLEL
        ]
        self.rank = max(1, len(self.extents))

    def execute(self) -> None:
        maps = [attribute.data for attribute in self.op.get_indexing_maps()]
        output_maps = maps[len(self.inputs) :]
        for indices in output_maps:
            self._check_output(indices)
        places = [self._place(m, self._grid({}), b) for m, b in zip(output_maps, self.targets, strict=True)]
        values = [self._initial(position, place) for position, place in enumerate(places)]
        at_once = self._summed_at_once()
        single = [dimension for dimension in self.reductions if dimension not in at_once]
        for point in np.ndindex(*(self.extents[dimension] for dimension in single)):
            grid = self._grid(dict(zip(single, point, strict=True)), at_once)
            inputs = [self._input(n, m, grid, b) for n, (m, b) in enumerate(zip(maps, self.inputs, strict=False))]
            before = [np.zeros((1,) * self.rank, target.data.dtype) for target in self.targets] if at_once else values
            after = evaluate_body(self.op.body.block, [*inputs, *before], self._outer(grid), None, self.tensors)
            values = [added(values[0], after[0], self.extents, at_once)] if at_once else after
        for target, place, value in zip(self.targets, places, values, strict=True):
            target.data[place] = value if target.shape else value.reshape(())
            if target.written is not None:
                target.written[place] = True

    def _summed_at_once(self) -> list[int]:
        """The reductions whose points are computed at once and summed up."""
        if self.tensors or not only_adds(self.op.body.block, len(self.inputs)):
            return []
        return taken_at_once(self.extents, self.reductions)

    def _grid(self, point: dict[int, int], at_once: Sequence[int] = ()) -> list[Index]:
        """Every dimension's values: at the point for a reduction (0 without), all for a parallel one and some."""
        grid: list[Index] = []
        for dimension, extent in enumerate(self.extents):
            if dimension in self.reductions and dimension not in at_once:
                grid.append(point.get(dimension, 0))
            else:
                shape = [1] * self.rank
                shape[dimension] = extent
                grid.append(np.arange(extent, dtype=np.int64).reshape(shape))
        return grid

    def _check_output(self, indices: AffineMap) -> None:
        used = {dimension for result in indices.results for dimension in result.used_dims()}
        parallel = {dimension for dimension in range(len(self.extents)) if dimension not in self.reductions}
        if used != parallel or not indices.is_projected_permutation(allow_zero_in_results=True):
            raise refused(
                f"'{self.op.name}' writes at {indices}: an output's indices must be the parallel iterators "
                "(or 0, for a dimension that is kept)",
                self.op,
            )

    def _place(self, indices: AffineMap, grid: list[Index], buffer: Buffer) -> tuple[Index, ...]:
        place = tuple(evaluate_map(indices, grid))
        for index, extent in zip(place, buffer.shape, strict=True):
            if np.size(index) and (np.min(index) < 0 or np.max(index) >= extent):
                raise refused(
                    f"'{self.op.name}' reaches '{buffer.name}' of shape {list(buffer.shape)} at {np.min(index)} to "
                    f"{np.max(index)} of a dimension of {extent}",
                    self.op,
                )
        return place

    def _input(self, position: int, indices: AffineMap, grid: list[Index], operand: Buffer | Array) -> Array:
        """An input's elements; one zero when the body does not look at them, as with a pooling's window."""
        argument = self.op.body.block.args[position]
        if argument.uses:
            return self._element(indices, grid, operand)
        return np.zeros((1,) * self.rank, computed_dtype(argument.type))

    def _element(self, indices: AffineMap, grid: list[Index], operand: Buffer | Array) -> Array:
        if not isinstance(operand, Buffer):
            return operand.reshape((1,) * self.rank)
        return self._take(operand, self._place(indices, grid, operand))

    def _initial(self, position: int, place: tuple[Index, ...]) -> Array:
        """What an output holds before; no more than one element when the body does not look at it."""
        target = self.targets[position]
        if self.op.body.block.args[len(self.inputs) + position].uses:
            return self._take(target, place)
        return np.zeros((1,) * self.rank, target.data.dtype)

    def _take(self, buffer: Buffer, place: tuple[Index, ...]) -> Array:
        if buffer.written is not None and not np.all(buffer.written[place]):
            raise refused(f"'{self.op.name}' reads '{buffer.name}' where nothing has written it", self.op)
        taken = np.asarray(buffer.data[place])
        return taken.reshape(taken.shape or (1,) * self.rank)

    def _outer(self, grid: list[Index]) -> dict[SSAValue, Array]:
        """Values that the body takes from around it, and its iterators."""
        outer = {value: array.reshape((1,) * self.rank) for value, array in self.scalars.items()}
        for inner in self.op.body.block.ops:
            if isinstance(inner, IndexOp):
                index = np.asarray(grid[inner.dim.value.data], np.int64)
                outer[inner.result] = cast(Array, index.reshape(index.shape or (1,) * self.rank))
        return outer
