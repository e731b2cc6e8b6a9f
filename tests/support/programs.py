"""Small linalg programs and schedules for them, and helpers that take them through the levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from vtac.passes.vta.schedule_inject_virtual_threads import ScheduleInjectVirtualThreads
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.text.context import make_context
from vtac.text.source import parse

Array = NDArray[np.generic]
Tail = Literal["guard", "peel"]

PAYLOAD_PHASES = ("payload", "scheduled", "blocked")
"""Phases whose IR is a schedule payload."""


@dataclass(frozen=True)
class SmallConv:
    """A convolution with requantisation on tensors (channels, rows, columns), after padding."""

    in_channels: int = 2
    out_channels: int = 4
    height: int = 5
    width: int = 6
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    shift: int = 3

    @property
    def rows(self) -> int:
        return (self.height + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def columns(self) -> int:
        return (self.width + 2 * self.padding - self.kernel) // self.stride + 1

    def arrays(self, seed: int = 0) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Random data and kernel over all of int8."""
        rng = np.random.default_rng(seed)
        data = rng.integers(-128, 128, (self.in_channels, self.height, self.width)).astype(np.int8)
        weights = rng.integers(-128, 128, (self.out_channels, self.in_channels, self.kernel, self.kernel))
        return data, weights.astype(np.int8)

    def expected(self, data: NDArray[np.int8], kernel: NDArray[np.int8]) -> NDArray[np.int8]:
        """The result, from numpy alone."""
        padding = ((0, 0), (self.padding, self.padding), (self.padding, self.padding))
        padded = np.pad(data.astype(np.int64), padding)
        sums = np.zeros((self.out_channels, self.rows, self.columns), np.int64)
        for dy in range(self.kernel):
            for dx in range(self.kernel):
                rows = slice(dy, dy + self.stride * (self.rows - 1) + 1, self.stride)
                columns = slice(dx, dx + self.stride * (self.columns - 1) + 1, self.stride)
                sums += np.einsum("chw,oc->ohw", padded[:, rows, columns], kernel[:, :, dy, dx].astype(np.int64))
        return np.clip(sums >> self.shift, 0, 127).astype(np.int8)

    def text(self) -> str:
        """The function `conv`, with blocks data_buf, conv, shr, max, min and res."""
        image = f"{self.in_channels}x{self.height}x{self.width}"
        padded = f"{self.in_channels}x{self.height + 2 * self.padding}x{self.width + 2 * self.padding}"
        out = f"{self.out_channels}x{self.rows}x{self.columns}"
        kernel = f"{self.out_channels}x{self.in_channels}x{self.kernel}x{self.kernel}"
        steps = [
            elementwise("shr", "acc", out, "arith.shrsi", "c_shift"),
            elementwise("max", "shr", out, "arith.maxsi", "c_zero"),
            elementwise("min", "max", out, "arith.minsi", "c_top"),
        ]
        return f"""
func.func @conv(%data: tensor<{image}xi8>, %kernel: tensor<{kernel}xi8>)
    -> tensor<{out}xi8> {{
  %zero = arith.constant 0 : i8
  %c_zero = arith.constant 0 : i32
  %c_shift = arith.constant {self.shift} : i32
  %c_top = arith.constant 127 : i32
  %data_buf = tensor.pad %data low[0, {self.padding}, {self.padding}] high[0, {self.padding}, {self.padding}] {{
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %zero : i8
  }} : tensor<{image}xi8> to tensor<{padded}xi8>
  %empty = tensor.empty() : tensor<{out}xi32>
  %init = linalg.fill ins(%c_zero : i32) outs(%empty : tensor<{out}xi32>) -> tensor<{out}xi32>
{self._sums(padded, kernel, out)}
{"".join(steps)}
  %empty8 = tensor.empty() : tensor<{out}xi8>
  %res = linalg.generic {{indexing_maps = [{identity(3)}, {identity(3)}],
      iterator_types = ["parallel", "parallel", "parallel"]}}
    ins(%min : tensor<{out}xi32>) outs(%empty8 : tensor<{out}xi8>) {{
  ^bb0(%v: i32, %o: i8):
    %t = arith.trunci %v : i32 to i8
    linalg.yield %t : i8
  }} -> tensor<{out}xi8>
  func.return %res : tensor<{out}xi8>
}}
"""

    def _sums(self, padded: str, kernel: str, out: str) -> str:
        """The products of padded data and kernel, added up from zero; all shapes as texts."""
        window = f"y * {self.stride} + dy, x * {self.stride} + dx"
        return f"""  %acc = linalg.generic {{indexing_maps = [
      affine_map<(o, y, x, c, dy, dx) -> (c, {window})>,
      affine_map<(o, y, x, c, dy, dx) -> (o, c, dy, dx)>,
      affine_map<(o, y, x, c, dy, dx) -> (o, y, x)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}}
    ins(%data_buf, %kernel : tensor<{padded}xi8>, tensor<{kernel}xi8>) outs(%init : tensor<{out}xi32>) {{
  ^bb0(%l: i8, %r: i8, %sum: i32):
    %l32 = arith.extsi %l : i8 to i32
    %r32 = arith.extsi %r : i8 to i32
    %p = arith.muli %l32, %r32 : i32
    %s = arith.addi %sum, %p : i32
    linalg.yield %s : i32
  }} -> tensor<{out}xi32>"""

    def blocked_schedule(self, rows: int, columns: int, threads: int = 1) -> str:
        """Tiles of rows x columns with guarded tails; `threads` virtual threads share the output channels."""
        fused = "".join(
            f'  %{name} = schedule.get_block "{name}"\n  schedule.compute_at %{name}, %x_outer\n'
            for name in ("min", "max", "shr", "acc")
        )
        return f"""
schedule.script @conv {{
  %res = schedule.get_block "res"
  %o, %y, %x = schedule.get_loops %res : !schedule.loop, !schedule.loop, !schedule.loop
  %thread, %o_inner = schedule.split %o nparts {threads}
  %y_outer, %y_inner = schedule.split %y factor {rows} tail "guard"
  %x_outer, %x_inner = schedule.split %x factor {columns} tail "guard"
  schedule.reorder %thread, %y_outer, %x_outer, %o_inner, %y_inner, %x_inner
{fused}
  %g0, %g1, %g2, %go, %gy, %gx, %gc, %gdy, %gdx = schedule.get_loops %acc : {", ".join(["!schedule.loop"] * 9)}
  schedule.reorder %gc, %go, %gy, %gx, %gdy, %gdx
  %wgt = schedule.cache_read %acc, 1, "vta.wgt"
  %pad = schedule.get_block "data_buf"
  schedule.compute_at %pad, %gc
  schedule.compute_at %wgt, %gc
  schedule.set_scope %acc, 0, "vta.acc" : !schedule.block
  schedule.bind %thread, "cthread"
}}
"""

    def split_schedule(self, block: str, factors: dict[int, int], tail: Tail) -> str:
        """Split loops of one block by position -> factor."""
        count = 6 if block == "acc" else 3
        loops = ", ".join(f"%l{i}" for i in range(count))
        kinds = ", ".join(["!schedule.loop"] * count)
        splits = "".join(
            f'  %o{i}, %i{i} = schedule.split %l{i} factor {factor} tail "{tail}"\n' for i, factor in factors.items()
        )
        return f"""
schedule.script @conv {{
  %block = schedule.get_block "{block}"
  {loops} = schedule.get_loops %block : {kinds}
{splits}}}
"""


def identity(rank: int) -> str:
    """An identity map as text."""
    dims = ", ".join(f"d{i}" for i in range(rank))
    return f"affine_map<({dims}) -> ({dims})>"


def elementwise(name: str, source: str, shape: str, op: str, constant: str) -> str:
    """An i32 op on every element and a constant, as a linalg op on a three-dimensional tensor."""
    return f"""
  %{name} = linalg.generic {{indexing_maps = [{identity(3)}, {identity(3)}],
      iterator_types = ["parallel", "parallel", "parallel"]}}
    ins(%{source} : tensor<{shape}xi32>) outs(%empty : tensor<{shape}xi32>) {{
  ^bb0(%v: i32, %o: i32):
    %t = {op} %v, %{constant} : i32
    linalg.yield %t : i32
  }} -> tensor<{shape}xi32>
"""


def elementwise_payload(element: str, body: str, extent: int = 4) -> str:
    """A payload that applies a body on %a and %b to two vectors, element by element."""
    kind = f"memref<{extent}x{element}>"
    return f"""
func.func @f(%x: {kind}, %y: {kind}, %out: {kind} {{schedule.result}}) {{
  schedule.for %iv = 0 to {extent} {{
    schedule.block "f" <spatial {extent}> = (d0) -> (d0)(%iv)
      reads %x<(d0) -> (d0)> : {kind}
      reads %y<(d0) -> (d0)> : {kind}
      writes %out<(d0) -> (d0)> : {kind} {{
    ^bb0(%a: {element}, %b: {element}):
{body}
    }}
  }}
  func.return
}}
"""


def stages(source: str) -> list[tuple[str, ModuleOp]]:
    """A verified copy of the module after each pass up to the payload's last, by pass name, and with
    its virtual threads injected."""
    module = parse(source)
    found = [("input", module.clone())]
    for phase in VTA_PIPELINE.phases:
        if phase.name not in PAYLOAD_PHASES:
            continue
        for step in phase.passes:
            step.apply(make_context(), module)
            module.verify()
            found.append((step.name, module.clone()))
    ScheduleInjectVirtualThreads().apply(make_context(), module)
    module.verify()
    return [*found, (ScheduleInjectVirtualThreads.name, module)]
