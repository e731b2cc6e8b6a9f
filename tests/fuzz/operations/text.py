"""Linalg text and arrays that several operations share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.networks import Array, Network, Value
from fuzz.outcome import UnfitError


def maps(*results: str, dims: str) -> str:
    """`indexing_maps = [...]`, one map per operand."""
    return f"indexing_maps = [{', '.join(f'affine_map<({dims}) -> ({result})>' for result in results)}]"


def iterators(parallel: int, reductions: int = 0) -> str:
    kinds = ['"parallel"'] * parallel + ['"reduction"'] * reductions
    return f"iterator_types = [{', '.join(kinds)}]"


def generic(
    result: Value, operands: Sequence[tuple[Value, str]], dims: str, out: str, body: Sequence[str]
) -> list[str]:
    """An elementwise generic whose body defines `%y` of `%a0`, `%a1`, ..."""
    names = ", ".join(f"%{value.name}" for value, _ in operands)
    kinds = ", ".join(value.kind for value, _ in operands)
    arguments = ", ".join(f"%a{i}: {value.element}" for i, (value, _) in enumerate(operands))
    return [
        f"  %{result.name}_e = tensor.empty() : {result.kind}",
        f"  %{result.name} = linalg.generic {{{maps(*(m for _, m in operands), out, dims=dims)}, "
        f"{iterators(len(dims.split(',')))}}} ins({names} : {kinds}) outs(%{result.name}_e : {result.kind}) {{",
        f"  ^bb0({arguments}, %o: {result.element}):",
        *(f"    {line}" for line in body),
        f"    linalg.yield %y : {result.element}",
        f"  }} -> {result.kind}",
    ]


def letters(rank: int) -> str:
    return ", ".join(f"d{i}" for i in range(rank))


def started(result: Value, number: int) -> list[str]:
    """A tensor of one number, `%NAME_i`."""
    return [
        f"  %{result.name}_c = arith.constant {number} : {result.element}",
        f"  %{result.name}_e = tensor.empty() : {result.kind}",
        f"  %{result.name}_i = linalg.fill ins(%{result.name}_c : {result.element}) outs(%{result.name}_e : "
        f"{result.kind}) -> {result.kind}",
    ]


def padded(network: Network, name: str, value: Value, pads: Sequence[int], number: int) -> tuple[Value, Array]:
    """An image with a number around rows and columns (the last two dimensions): top, left, bottom, right."""
    array = network.results[value.name]
    if not any(pads):
        return value, array
    top, left, bottom, right = pads
    result = Value(
        name, (*value.shape[:2], value.shape[2] + top + bottom, value.shape[3] + left + right), value.element
    )
    network.lines += [
        f"  %{name}_z = arith.constant {number} : {value.element}",
        f"  %{name} = tensor.pad %{value.name} low[0, 0, {top}, {left}] high[0, 0, {bottom}, {right}] {{",
        "  ^bb0(%q0: index, %q1: index, %q2: index, %q3: index):",
        f"    tensor.yield %{name}_z : {value.element}",
        f"  }} : {value.kind} to {result.kind}",
    ]
    return result, np.pad(array, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=number)


def windows(array: Array, taps: tuple[int, int], stride: int, dilation: int) -> list[list[NDArray[Any]]]:
    """For each tap of a window its shifted image; raises `UnfitError` where the window does not fit."""
    height = (array.shape[2] - dilation * (taps[0] - 1) - 1) // stride + 1
    width = (array.shape[3] - dilation * (taps[1] - 1) - 1) // stride + 1
    if height < 1 or width < 1:
        raise UnfitError("a window larger than its image")
    return [
        [array[:, :, u * dilation :: stride, v * dilation :: stride][:, :, :height, :width] for v in range(taps[1])]
        for u in range(taps[0])
    ]
