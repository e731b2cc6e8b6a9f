"""Which loops of a kernel the hardware runs, and which become micro-ops."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import cast

from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.expressions.affine_expressions import dimension, to_affine
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.nest import outermost_first
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.vta.attributes import UopLoop
from vtac.dialects.vta.kernels import MAX_HARDWARE_LOOPS

HARDWARE_UOP_LIMIT = 2048
"""Micro-ops that the hardware's UOP SRAM holds, whatever the configuration says."""
MAX_ITERATIONS = (1 << 14) - 1


def micro_op_limit(config: VTAConfig) -> int:
    """Micro-ops that one kernel may have."""
    return min(config.capacity("uop"), HARDWARE_UOP_LIMIT)


@dataclass(frozen=True, slots=True)
class KernelLoop:
    """One loop of a kernel, outermost first in a list of them."""

    loop: ForOp
    extent: int

    @property
    def variable(self) -> SSAValue:
        return self.loop.induction_variable


@dataclass(frozen=True, slots=True)
class KernelShape:
    """A kernel: hardware loops, micro-op loops, and the tile indices that remain."""

    hardware: tuple[UopLoop, ...]
    micro: tuple[KernelLoop, ...]
    indices: tuple[Linear, ...]
    captures: tuple[SSAValue, ...]

    def index_map(self) -> AffineMap:
        """The indices over micro-op loops (dims) and captures (symbols)."""
        place: dict[Hashable, AffineExpr] = {
            loop.variable: dimension(position) for position, loop in enumerate(self.micro)
        }
        for position, capture in enumerate(self.captures):
            place[capture] = AffineExpr.symbol(position)
        results = tuple(to_affine(index, lambda variable: place[variable]) for index in self.indices)
        return AffineMap(len(self.micro), len(self.captures), results)


def shape_kernel(loops: Sequence[ForOp], indices: Sequence[Linear]) -> KernelShape:
    """Give the two outermost loops to the hardware and the others to the micro-op list.

    `indices` are tile indices (dst, src, ...) over the loops and over host values. Loops
    of one iteration vanish. A loop inside a quotient cannot be a hardware loop.
    """
    remaining = [KernelLoop(loop, loop.trip_count) for loop in loops if loop.trip_count > 1]
    rest: tuple[Linear, ...] = tuple(indices)
    hardware: list[UopLoop] = []
    while remaining and len(hardware) < MAX_HARDWARE_LOOPS and _is_linear(remaining[0], rest):
        outer = remaining.pop(0)
        factors = [index.coefficient(outer.variable) for index in rest]
        hardware.append(UopLoop(outer.extent, factors[0], factors[1], factors[2] if len(factors) > 2 else 0))
        rest = tuple(index.without(outer.variable) for index in rest)
    inner = {loop.variable for loop in remaining}
    free: set[Hashable] = set()
    for index in rest:
        free |= index.variables()
    captures = tuple(cast(SSAValue, variable) for variable in outermost_first(free - inner))
    return KernelShape(tuple(hardware), tuple(remaining), rest, captures)


def _is_linear(loop: KernelLoop, indices: Sequence[Linear]) -> bool:
    return loop.extent <= MAX_ITERATIONS and all(
        index.is_linear_in(loop.variable) and index.coefficient(loop.variable) >= 0 for index in indices
    )


def micro_op_count(shape: KernelShape) -> int:
    """Micro-ops in the kernel's list."""
    count = 1
    for loop in shape.micro:
        count *= loop.extent
    return count


def with_distinct_neighbours(shape: KernelShape) -> KernelShape | None:
    """The shape with its micro-op loops in an order where no dst repeats within three.

    The reference refuses a micro-op whose dst equals either of the two before it. None
    when no order of the micro-op loops avoids that.
    """
    extents: dict[Hashable, int] = {loop.variable: loop.extent for loop in shape.micro}
    known: dict[Hashable, Linear] = {capture: Linear(0) for capture in shape.captures}
    index = shape.indices[0].substitute(known, extents)
    is_distinct = _moves_on if all(index.is_linear_in(loop.variable) for loop in shape.micro) else _is_distinct
    for order in permutations(shape.micro):
        if is_distinct(index, order):
            return replace(shape, micro=order)
    return None


def _moves_on(index: Linear, loops: Sequence[KernelLoop]) -> bool:
    """Whether an index that is linear in loops, of two iterations or more each, has another value at each of three.

    From one point to the next some loop goes on, and all inside of it start again, which moves the index by the same
    wherever it happens. Before and after that only the innermost loop goes on.
    """
    factors = [index.coefficient(loop.variable) for loop in loops]
    moves: list[int] = []
    back = 0
    for loop, factor in zip(reversed(loops), reversed(factors), strict=True):
        moves.append(factor - back)
        back += factor * (loop.extent - 1)
    return all(moves) and all(move + moves[0] for move in moves[1:])


def _is_distinct(index: Linear, loops: Sequence[KernelLoop]) -> bool:
    """The same for any index, point by point."""
    extents: dict[Hashable, int] = {loop.variable: loop.extent for loop in loops}
    before: int | None = None
    last: int | None = None
    for point in product(*(range(loop.extent) for loop in loops)):
        values: dict[Hashable, Linear] = {
            loop.variable: Linear(value) for loop, value in zip(loops, point, strict=True)
        }
        dst = index.substitute(values, extents).constant
        if dst in (before, last):
            return False
        before, last = last, dst
    return True
