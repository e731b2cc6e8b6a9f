"""One block of the schedule dialect under its perfect nest, executed on arrays.

The order of the nest is observable only between points that write the same element. So
the loops that the output index depends on run side by side when no two of their points
write the same element, and the others run in their order, or as one reduction where the
body's operation is associative on integers. Where that does not hold, the outermost
loop is run step by step and the rest is looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np
from xdsl.ir import SSAValue

from vtac.dialects.schedule.attributes import AccessAttr
from vtac.dialects.schedule.payload import BlockOp
from vtac.evaluate.affine import Index, evaluate_map, holds
from vtac.evaluate.arith import evaluate_body, neutral, reduction_ufunc
from vtac.evaluate.buffers import Buffer, common, first_index, flatten, outside
from vtac.evaluate.masks import any_along, as_mask, spread_mask
from vtac.evaluate.numbers import Array, DType, Integers, Mask, number
from vtac.evaluate.refusals import refused

POINTS_AT_ONCE = 1 << 19
"""Largest number of points executed side by side; bounds the memory of intermediate arrays."""


class Axis(NamedTuple):
    """Iterations start <= v < start + extent of one loop."""

    variable: SSAValue
    start: int
    extent: int


class Reduction(NamedTuple):
    """A body `acc op f(inputs)` whose op can be applied in any order."""

    ufunc: np.ufunc
    seen_as: DType


@dataclass(frozen=True)
class BlockStatement:
    """A block with the buffers it touches, ready to be executed."""

    block: BlockOp
    inputs: tuple[Buffer, ...]
    output: Buffer
    scalars: Mapping[SSAValue, Array]

    def execute(self, axes: Sequence[Axis], fixed: Mapping[SSAValue, int]) -> None:
        """Run the nest of loops `axes`, outermost first, where the loops of `fixed` stand at a value."""
        kept = [axis for axis in axes if axis.extent > 1]
        settled = {**fixed, **{axis.variable: axis.start for axis in axes if axis.extent == 1}}
        points = prod(axis.extent for axis in kept)
        if points > POINTS_AT_ONCE:
            self._step_through(kept, 0, settled, max(1, POINTS_AT_ONCE * kept[0].extent // points))
            return
        box = _Box(self, kept, settled)
        if not box.is_empty:
            self._execute_box(box)

    def _execute_box(self, box: _Box) -> None:
        if not (box.writes_are_distinct() and box.reads_its_own_element()):
            self._step_through(box.axes, 0, box.fixed, 1)
            return
        repeated = box.repeated_axes()
        if not repeated:
            box.compute(())
            return
        reduction = self.reduction()
        if reduction is not None and box.starts_first(repeated):
            box.compute(repeated, reduction)
            return
        self._step_through(box.axes, repeated[0], box.fixed, 1)

    def _step_through(self, axes: Sequence[Axis], position: int, fixed: Mapping[SSAValue, int], step: int) -> None:
        axis = axes[position]
        for start in range(axis.start, axis.start + axis.extent, step):
            extent = min(step, axis.start + axis.extent - start)
            piece = Axis(axis.variable, start, extent)
            self.execute([*axes[:position], piece, *axes[position + 1 :]], fixed)

    def reduction(self) -> Reduction | None:
        """How the body reduces, when its result does not depend on the order."""
        block = self.block
        if not block.has_reduction or any(buffer is self.output for buffer in self.inputs):
            return None
        accumulator = block.body.block.args[-1]
        uses = list(accumulator.uses)
        last = block.yielded.owner
        if len(uses) != 1 or uses[0].operation is not last:
            return None
        found = reduction_ufunc(uses[0].operation, self.output.data.dtype)
        return None if found is None else Reduction(*found)


class _Box:
    """All points of some loops of one block: its variables, guard and output positions there."""

    def __init__(self, statement: BlockStatement, axes: Sequence[Axis], fixed: Mapping[SSAValue, int]) -> None:
        self.statement = statement
        self.block = statement.block
        self.axes = axes
        self.fixed = fixed
        self.rank = max(1, len(axes))
        grid: dict[SSAValue, Index] = dict(fixed)
        for position, axis in enumerate(axes):
            shape = [1] * self.rank
            shape[position] = axis.extent
            grid[axis.variable] = np.arange(axis.start, axis.start + axis.extent, dtype=np.int64).reshape(shape)
        loops = [grid[loop] for loop in self.block.loops]
        self.active = as_mask(True if self.block.guard is None else holds(self.block.guard.data, loops))
        self.is_empty = self.active is not None and not self.active.any()
        self.variables = evaluate_map(self.block.bindings.data, loops)
        if self.is_empty:
            return
        self._check_domain()
        self.written = self._positions(statement.output, self.block.output_access, "writes")

    def writes_are_distinct(self) -> bool:
        """No two points write one element unless they differ only in loops the index ignores."""
        active = any_along(self.active, [a for a, n in enumerate(self.written.shape) if n == 1])
        if active is None:
            positions = self.written
        else:
            shape = np.broadcast_shapes(self.written.shape, active.shape)
            positions = np.broadcast_to(self.written, shape)[np.broadcast_to(active, shape)]
        seen = np.zeros(self.statement.output.data.size, np.bool_)
        seen[positions] = True
        return int(np.count_nonzero(seen)) == positions.size

    def reads_its_own_element(self) -> bool:
        """Whatever the block reads of the buffer it writes is the element written at that point."""
        if not self.axes:
            return True
        for buffer, access in zip(self.statement.inputs, self.block.accesses, strict=False):
            if buffer is self.statement.output:
                indices = evaluate_map(access.indices, self.variables)
                if outside(indices, buffer.shape) is not None:
                    return False
                if not np.array_equal(flatten(indices, buffer.shape, self.rank, clip=False), self.written):
                    return False
        return True

    def repeated_axes(self) -> tuple[int, ...]:
        """Loops that the output index ignores."""
        return tuple(position for position in range(len(self.axes)) if self.written.shape[position] == 1)

    def starts_first(self, repeated: tuple[int, ...]) -> bool:
        """An element's reduction starts at the first of its points here, or at none."""
        start = self._start()
        if not start.any():
            return True
        shape = [self.axes[a].extent if a in repeated else n for a, n in enumerate(start.shape)]
        first = tuple(slice(0, 1) if a in repeated else slice(None) for a in range(self.rank))
        whole = np.broadcast_to(start, shape)
        return np.count_nonzero(whole) == np.count_nonzero(whole[first])

    def compute(self, repeated: tuple[int, ...], reduction: Reduction | None = None) -> None:
        """Compute and store every element, reducing along the axes `repeated`."""
        inputs = [
            self._read(buffer, access)
            for buffer, access in zip(self.statement.inputs, self.block.accesses, strict=False)
        ]
        if reduction is None:
            accumulator = [self._accumulated(())] if self.block.has_reduction else []
            self._write(self._evaluate([*inputs, *accumulator]), self.active)
            return
        ufunc, seen_as = reduction
        dtype = self.statement.output.data.dtype
        nothing = neutral(ufunc, seen_as).reshape((1,) * self.rank)
        terms = self._evaluate([*inputs, nothing.view(dtype)]).view(seen_as)
        shape = [axis.extent if a in repeated else terms.shape[a] for a, axis in enumerate(self.axes)]
        if self.active is not None:
            terms = np.where(self.active, terms, nothing)
            shape = list(np.broadcast_shapes(tuple(shape), terms.shape))
        whole = np.broadcast_to(terms, shape)
        total: Array = ufunc.reduce(whole, axis=repeated, dtype=seen_as, keepdims=True)
        base = self._accumulated(repeated).view(seen_as)
        self._write(ufunc(base, total).view(dtype), any_along(self.active, repeated))

    def _evaluate(self, arguments: Sequence[Array]) -> Array:
        scalars = {value: array.reshape((1,) * self.rank) for value, array in self.statement.scalars.items()}
        return evaluate_body(self.block.body.block, arguments, scalars, self.active)[0]

    def _start(self) -> Mask:
        """Where all reduction variables are 0 and the block has an init."""
        start: bool | Mask = self.block.init is not None
        for variable, value in zip(self.block.variables, self.variables, strict=True):
            if variable.reduction:
                start = np.logical_and(start, np.equal(value, 0))
        return spread_mask(start, self.rank)

    def _accumulated(self, repeated: tuple[int, ...]) -> Array:
        """What each element's accumulation starts from at its first point along `repeated`."""
        start, active = self._start(), self.active
        first = tuple(slice(0, 1) if a in repeated else slice(None) for a in range(self.rank))
        start = start[first]
        if active is not None:
            start = np.logical_and(start, active[first])
        output = self.statement.output
        needed = np.logical_not(start)
        remaining = any_along(active, repeated)
        if remaining is not None:
            needed = np.logical_and(needed, remaining)
        if needed.any():
            self._refuse_unwritten(output, self.block.output_access, self.written, needed)
        old = np.take(output.data.reshape(-1), self.written)
        if self.block.init is None or not start.any():
            return old
        return np.where(start, number(self.block.init), old)

    def _read(self, buffer: Buffer, access: AccessAttr) -> Array:
        pad = access.pad_value
        if pad is None:
            positions = self._positions(buffer, access, "reads")
            self._refuse_unwritten(buffer, access, positions, self.active)
            return np.take(buffer.data.reshape(-1), positions)
        indices = evaluate_map(access.indices, self.variables)
        padded = outside(indices, buffer.shape)
        positions = flatten(indices, buffer.shape, self.rank, clip=padded is not None)
        wanted = self.active
        if padded is not None:
            inside = np.logical_not(padded)
            wanted = inside if wanted is None else np.logical_and(wanted, inside)
        self._refuse_unwritten(buffer, access, positions, wanted)
        values = np.take(buffer.data.reshape(-1), positions)
        return values if padded is None else np.where(padded, number(pad), values)

    def _write(self, values: Array, active: Mask | None) -> None:
        output = self.statement.output
        shape = np.broadcast_shapes(values.shape, self.written.shape, () if active is None else active.shape)
        positions = np.broadcast_to(self.written, shape)
        values = np.broadcast_to(values, shape)
        if active is not None:
            chosen = np.broadcast_to(active, shape)
            positions, values = positions[chosen], values[chosen]
        output.data.reshape(-1)[positions] = values
        if output.written is not None:
            output.written.reshape(-1)[positions] = True

    def _positions(self, buffer: Buffer, access: AccessAttr, verb: str) -> Integers:
        """Row-major positions of an access without padding; all that are active lie in the buffer."""
        indices = evaluate_map(access.indices, self.variables)
        bad = outside(indices, buffer.shape)
        if bad is not None:
            wrong = common(bad, self.active, indices)
            if wrong.any():
                raise refused(
                    f"block '{self.block.block_name}' {verb} '{buffer.name}' at {first_index(indices, wrong)}, outside "
                    f"of its shape {list(buffer.shape)}: guard the block, or give the access a pad value",
                    self.block,
                )
        return flatten(indices, buffer.shape, self.rank, clip=bad is not None)

    def _refuse_unwritten(self, buffer: Buffer, access: AccessAttr, positions: Integers, wanted: Mask | None) -> None:
        if buffer.written is None:
            return
        missing = np.logical_not(np.take(buffer.written.reshape(-1), positions))
        if not missing.any():
            return
        wrong = missing if wanted is None else np.logical_and(missing, wanted)
        if not wrong.any():
            return
        place = np.broadcast_to(positions, wrong.shape)[tuple(np.argwhere(wrong)[0])]
        index = [int(i) for i in np.unravel_index(int(place), buffer.shape)]
        raise refused(
            f"block '{self.block.block_name}' reads '{buffer.name}' at {index}, which nothing has written: the blocks "
            "before it must cover what it reads",
            self.block,
        )

    def _check_domain(self) -> None:
        extents = [variable.extent for variable in self.block.variables]
        bad = outside(self.variables, extents)
        if bad is None:
            return
        wrong = common(bad, self.active, self.variables)
        if wrong.any():
            raise refused(
                f"block '{self.block.block_name}' runs at {first_index(self.variables, wrong)}, outside of its domain "
                f"{extents}: guard it, or bind its variables to fewer iterations",
                self.block,
            )
