"""Operations on tensors of f32 as linalg text, which the host executes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.linalg_text import affine_map, iterators
from vtac.workloads.tensor_text import Tensor, filled, operand_list, padded

Reduction: TypeAlias = Literal["addf", "maximumf"]
ELEMENTS = {"int8": "i8", "int32": "i32", "float32": "f32"}


def number(value: float) -> str:
    """A constant of f32, as text that names all of its bits."""
    return f"0x{np.float32(value).view(np.uint32):08X}"


@dataclass
class FloatText:
    """Lines so far, and the parameters that they read. Values are called after the layer, with a number."""

    name: str
    lines: list[str] = field(default_factory=list[str])
    parameters: dict[str, NDArray[Any]] = field(default_factory=dict[str, NDArray[Any]])
    count: int = 0

    def fresh(self, shape: Sequence[int], element: str = "f32") -> Tensor:
        """A name that is free."""
        self.count += 1
        return Tensor(f"{self.name}_f{self.count}", tuple(shape), element)

    def parameter(self, array: NDArray[Any]) -> Tensor:
        """A constant of any of the elements that programs have."""
        name = f"{self.name}_p{len(self.parameters) + 1}"
        self.parameters[name] = np.ascontiguousarray(array)
        return Tensor(name, array.shape, ELEMENTS[array.dtype.name])

    def elementwise(
        self, operands: Sequence[Tensor], shape: Sequence[int], body: str, element: str = "f32", name: str = ""
    ) -> Tensor:
        """`body` makes `%y` of `%a0`, `%a1`, ...; operands are broadcast to the shape as in numpy."""
        places = [_broadcast(operand.shape, shape) for operand in operands]
        return self.generic(operands, places, self.result(shape, element, name), len(shape), body)

    def result(self, shape: Sequence[int], element: str = "f32", name: str = "") -> Tensor:
        """What an operation makes, named or with a free name."""
        return Tensor(name, tuple(shape), element) if name else self.fresh(shape, element)

    def generic(
        self,
        operands: Sequence[Tensor],
        places: Sequence[str],
        result: Tensor,
        rank: int,
        body: str,
        reductions: int = 0,
        start: float | None = None,
        value: str = "%y",
    ) -> Tensor:
        """One `linalg.generic`: `places` are indices of operands in d0, d1, ...

        Loops over the dimensions of the result come first, then `reductions` more, into `%o`, which begins at `start`.
        Its body makes `value`.
        """
        body = re.sub(r"%(?!a\d+\b|[oy]\b)(\w+)", r"%\1.f", body)
        whole = ", ".join(f"d{dim}" for dim in range(rank + reductions))
        own = ", ".join(f"d{dim}" for dim in range(rank))
        maps = ", ".join(affine_map(whole, place) for place in (*places, own))
        arguments = ", ".join(f"%a{place}: {operand.element}" for place, operand in enumerate(operands))
        begin = Tensor(f"{result.name}_start", result.shape, result.element)
        self.lines.append(
            f"  %{begin.name} = tensor.empty() : {result.kind}" if start is None else filled(begin, number(start))
        )
        self.lines.append(f"""\
  %{result.name} = linalg.generic {{indexing_maps = [{maps}], {iterators(rank, reductions)}}}
    {operand_list(operands)} outs(%{begin.name} : {result.kind}) {{
  ^bb0({arguments}, %o: {result.element}):
    {body}
    linalg.yield {value} : {result.element}
  }} -> {result.kind}""")
        return result

    def named(self, result: Tensor, name: str) -> Tensor:
        """The same value by another name, wherever lines say it."""
        self.lines = [re.sub(rf"%{result.name}(?![\w.])", f"%{name}", line) for line in self.lines]
        return Tensor(name, result.shape, result.element)

    def reduced(self, source: Tensor, axes: Sequence[int], how: Reduction) -> Tensor:
        """Over some dimensions, one element after the other; they stay, with extent 1."""
        kept = [dim for dim in range(len(source.shape)) if dim not in axes]
        loops = {dim: place for place, dim in enumerate((*kept, *axes))}
        place = ", ".join(f"d{loops[dim]}" for dim in range(len(source.shape)))
        small = self.fresh([source.shape[dim] for dim in kept])
        start = 0.0 if how == "addf" else -np.inf
        self.generic([source], [place], small, len(kept), f"%y = arith.{how} %o, %a0 : f32", len(axes), start)
        return self.reshape(small, [1 if dim in axes else extent for dim, extent in enumerate(source.shape)])

    def reshape(self, source: Tensor, shape: Sequence[int]) -> Tensor:
        """The same elements in another shape, through one dimension for all."""
        lines, result = reshaped(source, self.fresh(shape, source.element))
        self.lines += lines
        return result

    def pad(self, source: Tensor, pads: Sequence[int], value: float) -> Tensor:
        """An image with a number around it: top, left, bottom, right."""
        if not any(pads):
            return source
        result, text = padded(self.fresh(source.shape).name, source, pads, number(value))
        self.lines.append(text)
        return result


def reshaped(source: Tensor, result: Tensor) -> tuple[list[str], Tensor]:
    """Text that gives elements another shape; `result` is what it is called and looks like.

    Dimensions are merged or split where that is all; else all are merged, and split again.
    """
    if source.shape == result.shape:
        return [], source
    groups = _groups(source.shape, result.shape)
    if groups is not None:
        return [_collapse(source, result, groups)], result
    groups = _groups(result.shape, source.shape)
    if groups is not None:
        return [_expand(source, result, groups)], result
    flat = Tensor(f"{result.name}_flat", (int(np.prod(source.shape)),), source.element)
    return [
        _collapse(source, flat, [list(range(len(source.shape)))]),
        _expand(flat, result, [list(range(len(result.shape)))]),
    ], result


def _collapse(source: Tensor, result: Tensor, groups: list[list[int]]) -> str:
    return f"  %{result.name} = tensor.collapse_shape %{source.name} {groups} : {source.kind} into {result.kind}"


def _expand(source: Tensor, result: Tensor, groups: list[list[int]]) -> str:
    extents = ", ".join(map(str, result.shape))
    return (
        f"  %{result.name} = tensor.expand_shape %{source.name} {groups} output_shape [{extents}] : "
        f"{source.kind} into {result.kind}"
    )


def _groups(many: Sequence[int], few: Sequence[int]) -> list[list[int]] | None:
    """Neighbouring dimensions of `many` that make one of `few` each; None where that is not how they differ."""
    groups: list[list[int]] = []
    place = 0
    for number_left, extent in enumerate(few):
        group, size = [place], 1
        if place >= len(many):
            return None
        size = many[place]
        place += 1
        while size < extent and place < len(many):
            size *= many[place]
            group.append(place)
            place += 1
        if size != extent:
            return None
        is_last = number_left == len(few) - 1
        while place < len(many) and many[place] == 1 and (is_last or few[number_left + 1] != 1):
            group.append(place)
            place += 1
        groups.append(group)
    return groups if place == len(many) else None


def _broadcast(shape: Sequence[int], wanted: Sequence[int]) -> str:
    """Indices of an operand that numpy would broadcast to the wanted shape."""
    first = len(wanted) - len(shape)
    return ", ".join(
        "0" if extent == 1 and wanted[first + dim] != 1 else f"d{first + dim}" for dim, extent in enumerate(shape)
    )
