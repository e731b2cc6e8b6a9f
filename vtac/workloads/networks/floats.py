"""Layers in f32, for which the VTA has no operation: softmax and layer normalisation, int8 in and out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.linalg_text import affine_map, tensor
from vtac.workloads.networks.core import NetworkCore, Values
from vtac.workloads.tensor_text import Tensor

_QUANTISED = """%rounded = math.roundeven {value} : f32
    %least = arith.constant -128.0 : f32
    %most = arith.constant 127.0 : f32
    %above = arith.maximumf %rounded, %least : f32
    %within = arith.minimumf %above, %most : f32
    %y = arith.fptosi %within : f32 to i8"""


class Floats(NetworkCore):
    """Layers that go through floating point."""

    def softmax(self, source: Tensor, name: str, scale: float) -> Tensor:
        """Over the last dimension of i32 scores at a scale: i8 at a scale of 1 / 127."""
        scores = self._scaled(source, f"{name}_scores", scale)
        most = self._row(scores, f"{name}_most", "arith.maximumf", float("-inf"))
        exponentials = Tensor(f"{name}_exp", source.shape, "f32")
        body = "%c = arith.subf %a0, %a1 : f32\n    %y = math.exp %c : f32"
        self._rowwise(exponentials, [scores, most], body)
        total = self._row(exponentials, f"{name}_total", "arith.addf", 0.0)
        result = Tensor(name, source.shape)
        body = """%share = arith.divf %a0, %a1 : f32
    %unit = arith.constant 127.0 : f32
    %scaled = arith.mulf %share, %unit : f32
    """
        self._rowwise(result, [exponentials, total], body + _QUANTISED.format(value="%scaled"))

        def compute(values: Values) -> NDArray[np.int8]:
            found = values[source.name].astype(np.float32) * np.float32(scale)
            found = np.exp(found - found.max(-1, keepdims=True))
            return _int8(found / found.sum(-1, keepdims=True, dtype=np.float32) * np.float32(127))

        return self._record(result, f"softmax {'x'.join(map(str, source.shape))}", 0, compute)

    def layer_norm(self, source: Tensor, name: str) -> Tensor:
        """Over the last dimension of i8: normalised to a deviation of 32."""
        width = source.shape[-1]
        wide = self._scaled(source, f"{name}_wide", 1.0)
        mean = self._row(wide, f"{name}_mean", "arith.addf", 0.0, 1.0 / width)
        centred = Tensor(f"{name}_centred", source.shape, "f32")
        self._rowwise(centred, [wide, mean], "%y = arith.subf %a0, %a1 : f32")
        squares = Tensor(f"{name}_squares", source.shape, "f32")
        self._rowwise(squares, [centred], "%y = arith.mulf %a0, %a0 : f32")
        variance = self._row(squares, f"{name}_variance", "arith.addf", 0.0, 1.0 / width)
        result = Tensor(name, source.shape)
        body = """%small = arith.constant 1.0 : f32
    %shifted = arith.addf %a1, %small : f32
    %deviation = math.sqrt %shifted : f32
    %normal = arith.divf %a0, %deviation : f32
    %unit = arith.constant 32.0 : f32
    %scaled = arith.mulf %normal, %unit : f32
    """
        self._rowwise(result, [centred, variance], body + _QUANTISED.format(value="%scaled"))

        def compute(values: Values) -> NDArray[np.int8]:
            share = np.float32(1.0 / width)
            found = values[source.name].astype(np.float32)
            found = found - found.sum(-1, keepdims=True, dtype=np.float32) * share
            spread = (found * found).sum(-1, keepdims=True, dtype=np.float32) * share
            return _int8(found / np.sqrt(spread + np.float32(1)) * np.float32(32))

        return self._record(result, f"layer norm {'x'.join(map(str, source.shape))}", 0, compute)

    def _scaled(self, source: Tensor, name: str, scale: float) -> Tensor:
        result = Tensor(name, source.shape, "f32")
        body = f"""%f = arith.sitofp %a0 : {source.element} to f32
    %scale = arith.constant {np.float32(scale):.9e} : f32
    %y = arith.mulf %f, %scale : f32"""
        self._rowwise(result, [source], body)
        return result

    def _row(self, source: Tensor, name: str, operation: str, start: float, factor: float | None = None) -> Tensor:
        """A reduction over the last dimension, times a factor."""
        reduced = Tensor(name if factor is None else f"{name}_of", source.shape[:-1], "f32")
        rank = len(source.shape)
        dims = [f"d{dim}" for dim in range(rank)]
        maps = f"[{affine_map(', '.join(dims), ', '.join(dims))}, {affine_map(', '.join(dims), ', '.join(dims[:-1]))}]"
        kinds = ", ".join(['"parallel"'] * (rank - 1) + ['"reduction"'])
        number = "0xFF800000" if start == float("-inf") else f"{start:.1f}"
        self._lines.append(f"""\
  %{reduced.name}_value = arith.constant {number} : f32
  %{reduced.name}_empty = tensor.empty() : {reduced.kind}
  %{reduced.name}_start = linalg.fill ins(%{reduced.name}_value : f32)
    outs(%{reduced.name}_empty : {reduced.kind}) -> {reduced.kind}
  %{reduced.name} = linalg.generic {{indexing_maps = {maps}, iterator_types = [{kinds}]}}
    ins(%{source.name} : {source.kind}) outs(%{reduced.name}_start : {reduced.kind}) {{
  ^bb0(%a: f32, %acc: f32):
    %y = {operation} %acc, %a : f32
    linalg.yield %y : f32
  }} -> {reduced.kind}""")
        if factor is None:
            return reduced
        result = Tensor(name, reduced.shape, "f32")
        body = f"%share = arith.constant {np.float32(factor):.9e} : f32\n    %y = arith.mulf %a0, %share : f32"
        self._rowwise(result, [reduced], body)
        return result

    def _rowwise(self, result: Tensor, operands: Sequence[Tensor], body: str) -> None:
        """One generic; operands of one dimension less do not follow the last one."""
        rank = len(result.shape)
        dims = [f"d{dim}" for dim in range(rank)]
        text = ", ".join(dims)
        maps = [affine_map(text, ", ".join(dims[: len(operand.shape)])) for operand in (*operands, result)]
        arguments = ", ".join(f"%a{number}: {operand.element}" for number, operand in enumerate(operands))
        names = ", ".join(f"%{operand.name}" for operand in operands)
        kinds = ", ".join(operand.kind for operand in operands)
        parallel = ", ".join(['"parallel"'] * rank)
        self._lines.append(f"""\
  %{result.name}_empty = tensor.empty() : {tensor(result.shape, result.element)}
  %{result.name} = linalg.generic {{indexing_maps = [{", ".join(maps)}], iterator_types = [{parallel}]}}
    ins({names} : {kinds}) outs(%{result.name}_empty : {result.kind}) {{
  ^bb0({arguments}, %o: {result.element}):
    {body}
    linalg.yield %y : {result.element}
  }} -> {result.kind}""")


def _int8(values: NDArray[np.float32]) -> NDArray[np.int8]:
    return np.clip(np.rint(values), -128, 127).astype(np.int8)
