"""Named tensors, and the linalg text of single operations on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vtac.workloads.linalg_text import affine_map, iterators, tensor


@dataclass(frozen=True)
class Tensor:
    """A value of a program: its name without `%`, shape and element type."""

    name: str
    shape: tuple[int, ...]
    element: str = "i8"

    @property
    def kind(self) -> str:
        """Its type."""
        return tensor(self.shape, self.element)


def operand_list(operands: Sequence[Tensor], scalars: Sequence[Tensor] = ()) -> str:
    """`ins(...)` of tensors and, behind them, scalars."""
    names = ", ".join(f"%{operand.name}" for operand in (*operands, *scalars))
    return f"ins({names} : {', '.join([*(o.kind for o in operands), *(s.element for s in scalars)])})"


def window_attributes(stride: int, dilation: int = 1) -> str:
    """The attributes of a 2D convolution or pooling."""
    return f"{{dilations = dense<{dilation}> : tensor<2xi64>, strides = dense<{stride}> : tensor<2xi64>}}"


def filled(result: Tensor, value: int | str) -> str:
    """A tensor of one number."""
    number, empty = f"%{result.name}_value", f"%{result.name}_empty"
    return f"""\
  {number} = arith.constant {value} : {result.element}
  {empty} = tensor.empty() : {result.kind}
  %{result.name} = linalg.fill ins({number} : {result.element}) outs({empty} : {result.kind}) -> {result.kind}"""


def padded(name: str, source: Tensor, pads: Sequence[int], value: int | str, rows: int = 2) -> tuple[Tensor, str]:
    """An image with a number around it: top, left, bottom, right; `rows` is the dimension of its rows."""
    top, left, bottom, right = pads
    low, high, shape = [0] * 4, [0] * 4, list(source.shape)
    low[rows : rows + 2], high[rows : rows + 2] = (top, left), (bottom, right)
    result = Tensor(name, tuple(a + n + z for a, n, z in zip(low, shape, high, strict=True)), source.element)
    text = f"""\
  %{name}_value = arith.constant {value} : {source.element}
  %{name} = tensor.pad %{source.name} low{low} high{high} {{
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index):
    tensor.yield %{name}_value : {source.element}
  }} : {source.kind} to {result.kind}"""
    return result, text


def elementwise(result: Tensor, operands: Sequence[Tensor], body: str, channel: int = 1) -> str:
    """One generic whose body makes `%y` of `%a0`, `%a1`, ...; operands of rank 1 follow the dimension `channel`."""
    rank = len(result.shape)
    dims = ", ".join(f"d{dim}" for dim in range(rank))
    maps = [affine_map(dims, dims if len(operand.shape) == rank else f"d{channel}") for operand in (*operands, result)]
    arguments = ", ".join(f"%a{number}: {operand.element}" for number, operand in enumerate(operands))
    return f"""\
  %{result.name}_empty = tensor.empty() : {result.kind}
  %{result.name} = linalg.generic {{indexing_maps = [{", ".join(maps)}], {iterators(rank)}}}
    {operand_list(operands)} outs(%{result.name}_empty : {result.kind}) {{
  ^bb0({arguments}, %o: {result.element}):
    {body}
    linalg.yield %y : {result.element}
  }} -> {result.kind}"""
