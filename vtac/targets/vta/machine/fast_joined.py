"""Which products add to the same accumulator tiles, so that one product of all their terms does.

A convolution adds up over blocks of channels, and each block comes with loads of its own:

    load, acc += P0 W0^T, load, acc += P1 W1^T, ...    =    acc += [P0 P1 ...] [W0 W1 ...]^T

Sums wrap, so products may add in any order. One that covers a part of the tiles, as a tap of a convolution does at the
border of the image, leaves zeros for the others:

    tiles 0..3 of a row:    tap -1: . P P P    tap 0: P P P P    tap 1: P P P .
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import NamedTuple

from vtac.targets.vta.machine.fast_gemm import Roles, is_one_product
from vtac.targets.vta.machine.fast_nest import Loop, Nest


class Product(NamedTuple):
    """A product that can be joined: its loops by kind; rows and columns by rising step of dst."""

    nest: Nest
    start: tuple[int, int, int]
    rows: tuple[Loop, ...]
    columns: tuple[Loop, ...]
    reduction: tuple[Loop, ...]
    lines: int
    """Tiles along the rows."""
    terms: int
    """Tiles that are added up."""


def product_of(nest: Nest) -> Product | None:
    """A GEMM's product, where it is one of matrices that adds to each tile once."""
    if not is_one_product(nest):
        return None
    roles = Roles.of(nest.loops)
    if roles.batch or roles.factor != 1:
        return None
    rows, columns = (tuple(sorted(loops, key=_step)) for loops in (roles.rows, roles.columns))
    axes = [loop[:2] for loop in rows + columns]
    if any(step <= 0 for _, step in axes) or not _is_apart(axes):
        return None
    dst, src, wgt = nest.starts[0].tolist()
    reduction = roles.reduction
    return Product(nest, (dst, src, wgt), rows, columns, reduction, _trips(rows), _trips(reduction))


def _step(loop: Loop) -> int:
    return loop.dst


def _trips(loops: tuple[Loop, ...]) -> int:
    return prod([loop.extent for loop in loops])


def _is_apart(axes: list[tuple[int, int]]) -> bool:
    """Whether axes of (extent, step) lead to another tile with every index."""
    axes = sorted(axes, key=lambda axis: axis[1])
    return all(step * extent <= above for (extent, step), (_, above) in pairwise(axes))


def _offsets(first: Product, other: Product) -> tuple[int, ...] | None:
    """How far `other` begins from `first` along each of its rows' axes; None if it does not lie on them."""
    if [loop[:2] for loop in first.columns] != [loop[:2] for loop in other.columns]:
        return None
    steps = [loop.dst for loop in first.rows]
    if any(loop.dst not in steps for loop in other.rows):
        return None
    distance, offsets = other.start[0] - first.start[0], list[int]()
    if not distance:
        return (0,) * len(steps)
    for step, above in pairwise([*steps, 0]):
        trips, rest = divmod(distance, step)
        if rest or above % step:
            return None
        period = above // step
        offset = (trips + period // 2) % period - period // 2 if above else trips
        offsets.append(offset)
        distance -= offset * step
    return None if distance else tuple(offsets)


@dataclass(frozen=True, eq=False)
class Joined:
    """Products in the order in which they join: how far each lies from the first, and what holds all.

    `low` and `high` bound the axes of rows, `start` and `end` the tiles. `lines` is the sum of the products' own.
    """

    products: tuple[Product, ...]
    offsets: tuple[tuple[int, ...], ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    start: int
    end: int
    terms: int
    lines: int
    following: dict[Nest, Joined | None] = field(default_factory=dict[Nest, "Joined | None"])
    """What became of this with one product more; None where that does not join."""

    @staticmethod
    def of(product: Product) -> Joined:
        """A product by itself."""
        origin = (0,) * len(product.rows)
        return _joined((product,), (origin,), origin, tuple([loop.extent for loop in product.rows]))

    @property
    def first(self) -> Product:
        """The product whose axes all others lie on."""
        return self.products[0]

    @property
    def rows(self) -> tuple[Loop, ...]:
        """The axes of all rows, by rising step."""
        spans = zip(self.first.rows, self.low, self.high, strict=True)
        return tuple([loop._replace(extent=high - low) for loop, low, high in spans])

    @cached_property
    def columns(self) -> int:
        """Tiles along the columns."""
        return _trips(self.first.columns)

    @property
    def height(self) -> int:
        """Tiles along all rows."""
        return prod([high - low for low, high in zip(self.low, self.high, strict=True)])

    @property
    def has_gaps(self) -> bool:
        """Whether a product leaves rows to the others."""
        return self.lines < self.height * len(self.products)

    def with_product(self, other: Product) -> Joined | None:
        """One product more, unless it lies elsewhere or too many zeros would be left."""
        offsets = _offsets(self.first, other)
        if offsets is None:
            return None
        extents = {loop.dst: loop.extent for loop in other.rows}
        ends = [at + extents.get(loop.dst, 1) for at, loop in zip(offsets, self.first.rows, strict=True)]
        low, high = tuple(map(min, self.low, offsets)), tuple(map(max, self.high, ends))
        products, terms, lines = (*self.products, other), self.terms + other.terms, self.lines + other.lines
        within = (*self.offsets, offsets)
        if (low, high) == (self.low, self.high):
            joined = Joined(products, within, low, high, self.start, self.end, terms, lines)
        else:
            joined = _joined(products, within, low, high)
            if not _is_apart([loop[:2] for loop in joined.rows + joined.first.columns]):
                return None
        is_sparse = 3 * lines < 2 * joined.height * len(products)
        return None if is_sparse else joined


def _joined(
    products: tuple[Product, ...], offsets: tuple[tuple[int, ...], ...], low: tuple[int, ...], high: tuple[int, ...]
) -> Joined:
    first = products[0]
    steps = [loop.dst for loop in first.rows]
    start = first.start[0] + sum([step * at for step, at in zip(steps, low, strict=True)])
    last = first.start[0] + sum([step * (at - 1) for step, at in zip(steps, high, strict=True)])
    last += sum([(loop.extent - 1) * loop.dst for loop in first.columns])
    terms, lines = sum([product.terms for product in products]), sum([product.lines for product in products])
    return Joined(products, offsets, low, high, start, last + 1, terms, lines)
