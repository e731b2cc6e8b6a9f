"""Layers that only move data: concatenation, upsampling, reshapes, transposes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from vtac.workloads.linalg_text import affine_map, iterators
from vtac.workloads.networks.core import Array, NetworkCore, Values
from vtac.workloads.tensor_text import Tensor


class Layouts(NetworkCore):
    """Layers that change where elements lie, not what they are."""

    def concatenate(self, sources: Sequence[Tensor], name: str, dim: int = 1) -> Tensor:
        """Tensors behind one another along a dimension, by `tensor.concat`."""
        shape = list(sources[0].shape)
        shape[dim] = sum(source.shape[dim] for source in sources)
        result = Tensor(name, tuple(shape), sources[0].element)
        names = ", ".join(f"%{source.name}" for source in sources)
        kinds = ", ".join(source.kind for source in sources)
        self._lines.append(f"  %{name} = tensor.concat dim({dim}) {names} : ({kinds}) -> {result.kind}")

        def compute(values: Values) -> Array:
            return np.concatenate([values[source.name] for source in sources], dim)

        return self._record(result, f"concat {'+'.join(str(source.shape[dim]) for source in sources)}", 0, compute)

    def cut(self, source: Tensor, name: str, begin: int, count: int, dim: int = 1) -> Tensor:
        """Elements `begin` to `begin + count` along a dimension, by `tensor.extract_slice`."""
        rank = len(source.shape)
        result = Tensor(name, tuple(count if one == dim else n for one, n in enumerate(source.shape)), source.element)
        offsets, sizes, strides = [begin * (one == dim) for one in range(rank)], list(result.shape), [1] * rank
        self._lines.append(
            f"  %{name} = tensor.extract_slice %{source.name}{offsets} {sizes} {strides} : "
            f"{source.kind} to {result.kind}"
        )

        def compute(values: Values) -> Array:
            return values[source.name].take(range(begin, begin + count), dim)

        return self._record(result, f"slice {begin} to {begin + count} of {source.shape[dim]}", 0, compute)

    def shuffle(self, source: Tensor, name: str, groups: int) -> Tensor:
        """Channels of `groups` in turn (NCHW): channel c of group g becomes channel c * groups + g."""
        batch, channels, *image = source.shape
        split = [[0], [1, 2], *([one + 3] for one in range(len(image)))]
        grid = self.expand(source, f"{name}_grid", (batch, groups, channels // groups, *image), split)
        turned = self.transpose(grid, f"{name}_turned", [0, 2, 1, *range(3, 3 + len(image))])
        return self.collapse(turned, name, split)

    def upsample(self, source: Tensor, name: str, factor: int = 2) -> Tensor:
        """Every row and column `factor` times (nearest neighbour), NCHW."""
        batch, channels, height, width = source.shape
        result = Tensor(name, (batch, channels, height * factor, width * factor), source.element)
        spread = Tensor(f"{name}_spread", (batch, channels, height, factor, width, factor), source.element)
        dims = "d0, d1, d2, d3, d4, d5"
        maps = f"[{affine_map(dims, 'd0, d1, d2, d4')}, {affine_map(dims, dims)}]"
        self._lines.append(f"""\
  %{spread.name}_empty = tensor.empty() : {spread.kind}
  %{spread.name} = linalg.generic {{indexing_maps = {maps}, {iterators(6)}}}
    ins(%{source.name} : {source.kind}) outs(%{spread.name}_empty : {spread.kind}) {{
  ^bb0(%a: {source.element}, %o: {source.element}):
    linalg.yield %a : {source.element}
  }} -> {spread.kind}
  %{name} = tensor.collapse_shape %{spread.name} [[0], [1], [2, 3], [4, 5]] : {spread.kind} into {result.kind}""")

        def compute(values: Values) -> Array:
            return values[source.name].repeat(factor, 2).repeat(factor, 3)

        return self._record(result, f"upsample x{factor} {channels} {height * factor}x{width * factor}", 0, compute)

    def flatten(self, source: Tensor) -> Tensor:
        """(N, C, H, W) as (N, C * H * W)."""
        return self.collapse(source, f"{source.name}_flat", [[0], [1, 2, 3]])

    def collapse(self, source: Tensor, name: str, groups: Sequence[Sequence[int]]) -> Tensor:
        """Neighbouring dimensions as one each."""
        shape = tuple(prod(source.shape[dim] for dim in group) for group in groups)
        result = Tensor(name, shape, source.element)
        shown = [list(group) for group in groups]
        self._lines.append(
            f"  %{name} = tensor.collapse_shape %{source.name} {shown} : {source.kind} into {result.kind}"
        )
        return self._record(result, "reshape", 0, lambda values: values[source.name].reshape(shape), is_view=True)

    def expand(self, source: Tensor, name: str, shape: Sequence[int], groups: Sequence[Sequence[int]]) -> Tensor:
        """Dimensions as several each: the extents of all are `shape`."""
        result = Tensor(name, tuple(shape), source.element)
        shown, extents = [list(group) for group in groups], ", ".join(map(str, shape))
        self._lines.append(
            f"  %{name} = tensor.expand_shape %{source.name} {shown} output_shape [{extents}] : "
            f"{source.kind} into {result.kind}"
        )
        return self._record(result, "reshape", 0, lambda values: values[source.name].reshape(shape), is_view=True)

    def transpose(self, source: Tensor, name: str, order: Sequence[int]) -> Tensor:
        """Dimensions in another order."""
        result = Tensor(name, tuple(source.shape[dim] for dim in order), source.element)
        self._lines.append(f"""\
  %{name}_empty = tensor.empty() : {result.kind}
  %{name} = linalg.transpose ins(%{source.name} : {source.kind}) outs(%{name}_empty : {result.kind})
    permutation = {list(order)}""")
        return self._record(result, f"transpose {list(order)}", 0, lambda values: values[source.name].transpose(order))
