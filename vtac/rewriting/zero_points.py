"""Products of bytes less zero points as products of bytes, and what the zero points add.

With factors t + x and w, sum((t + x) * w) = sum(t * w) + x * sum(w): the last is a constant for each
feature. Padding around the data that holds -x stands for zeros: then t's padding can be zeros, too,
and the constant is over the weights that meet data, for each place of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, i8, i32
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.types.tensor_types import rank_of, shape_of
from vtac.analysis.values.dense_numbers import numbers_of
from vtac.analysis.values.scaled_integers import INT8
from vtac.rewriting.edits import append
from vtac.rewriting.integer_tensors import dense, empty, generic

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Kernel:
    """Weights: `value` plus `offset`, and the numbers of both together where they are constants."""

    value: SSAValue
    offset: int

    @property
    def numbers(self) -> Integers | None:
        owner = self.value.owner
        contents = owner.value if isinstance(owner, arith.ConstantOp) else None
        if not isinstance(contents, DenseIntOrFPElementsAttr):
            return None
        found = numbers_of(contents)
        return None if found is None else found.astype(np.int64) + self.offset

    def parts(self, made: list[Operation]) -> list[SSAValue]:
        """Tensors of bytes whose sum the weights are."""
        numbers = self.numbers
        if not self.offset:
            return [self.value]
        if numbers is None:
            return [self.value, *self._constants(np.full(shape_of(self.value), self.offset), made)]
        return self._constants(numbers, made)

    def _constants(self, numbers: Integers, made: list[Operation]) -> list[SSAValue]:
        found: list[SSAValue] = []
        while not found or numbers.any():
            part = np.clip(numbers, *INT8)
            made.append(dense(part, i8))
            found.append(made[-1].results[0])
            found[-1].name_hint = self.value.name_hint
            numbers = numbers - part
        return found


def sum_of_weights(numbers: Integers, feature: int, taps: Sequence[int], reached: Sequence[Integers]) -> Integers:
    """Per feature, and per place of the result where `reached` says which taps meet data there, the weights' sum."""
    kept = (feature, *taps)
    others = tuple(dim for dim in range(numbers.ndim) if dim not in kept)
    per_tap = numbers.sum(axis=others)
    order = sorted(kept)
    per_tap = per_tap.transpose([order.index(dim) for dim in kept])
    if not reached:
        return per_tap.reshape(per_tap.shape[0], -1).sum(axis=1)
    rows, columns = reached
    return np.einsum("fhw,yh,xw->fyx", per_tap, rows, columns)


def plus(total: SSAValue, constant: SSAValue, dims: Sequence[int]) -> list[Operation]:
    """A tensor plus another one that has some of its dimensions; the last operation's result is it."""
    rank = rank_of(total)
    block = Block(arg_types=[i32] * 3)
    added = arith.AddiOp(block.args[0], block.args[1])
    append([added, YieldOp(added.result)], block)
    maps = [AffineMap.identity(rank), AffineMap(rank, 0, tuple(map(AffineDimExpr, dims))), AffineMap.identity(rank)]
    output = empty(i32, shape_of(total))
    kinds = [IteratorTypeAttr.parallel()] * rank
    return [output, generic([total, constant], output.tensor, block, maps, kinds)]


def number(value: int) -> arith.ConstantOp:
    """A byte."""
    return arith.ConstantOp(IntegerAttr(value, i8))
