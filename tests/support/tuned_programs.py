"""Small programs to tune, and executors that lose their workers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import cast

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.tuning.trials import Job
from vtac.workers.errors import WorkerDied
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.matmul import Matmul
from vtac.workloads.vadd import VectorAdd

CONV = Conv2D(1, 6, 6, 32, 32).text()
LAYERS = {
    "convolution": CONV,
    "steps": Conv2D(1, 10, 10, 32, 32, 1, 0, 2).text(),
    "stride": Conv2D(1, 9, 9, 16, 48, 3, 1, 2).text(),
    "padding": Conv2D(1, 1, 2, 32, 48).text(),
    "product": Matmul().text(),
    "sum": VectorAdd().text(),
}
SMALL = VTAConfig(log_inp_buff_size=12, log_wgt_buff_size=14, log_acc_buff_size=13, log_uop_buff_size=12)
"""Memories that make a search work for its tilings."""


def _product(name: str, rows: int, depth: int, columns: int) -> str:
    """`%name`, a product of `%name_x` and `%name_w` of which the low bytes are kept."""
    left, right = f"tensor<{rows}x{depth}xi8>", f"tensor<{depth}x{columns}xi8>"
    sums, result = (f"tensor<{rows}x{columns}x{kind}>" for kind in ("i32", "i8"))
    maps = ", ".join(["affine_map<(m, n) -> (m, n)>"] * 2)
    return f"""
  %{name}_empty = tensor.empty() : {sums}
  %{name}_start = linalg.fill ins(%zero : i32) outs(%{name}_empty : {sums}) -> {sums}
  %{name}_sum = linalg.matmul ins(%{name}_x, %{name}_w : {left}, {right}) outs(%{name}_start : {sums}) -> {sums}
  %{name}_narrow = tensor.empty() : {result}
  %{name} = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "parallel"]}}
      ins(%{name}_sum : {sums}) outs(%{name}_narrow : {result}) {{
  ^bb0(%sum: i32, %old: i8):
    %byte = arith.trunci %sum : i32 to i8
    linalg.yield %byte : i8
  }} -> {result}"""


TWO_LAYERS = f"""
func.func @f(%a_x: tensor<1x16xi8>, %a_w: tensor<16x16xi8>, %b_x: tensor<8x64xi8>, %b_w: tensor<64x64xi8>)
    -> (tensor<1x16xi8>, tensor<8x64xi8>) {{
  %zero = arith.constant 0 : i32{_product("a", 1, 16, 16)}{_product("b", 8, 64, 64)}
  func.return %a, %b : tensor<1x16xi8>, tensor<8x64xi8>
}}"""
"""Two products of very different sizes."""


_BY_COLUMN = "affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>"
SHIFTED = f"""
func.func @f(%x: tensor<4x16xi8>, %w: tensor<16x16xi8>) -> tensor<4x16xi8> {{
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4x16xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<4x16xi32>) -> tensor<4x16xi32>
  %sum = linalg.matmul ins(%x, %w : tensor<4x16xi8>, tensor<16x16xi8>) outs(%start : tensor<4x16xi32>)
      -> tensor<4x16xi32>
  %amounts = arith.constant dense<{[3 + lane % 4 for lane in range(16)]}> : tensor<16xi32>
  %narrow = tensor.empty() : tensor<4x16xi8>
  %y = linalg.generic {{indexing_maps = [{_BY_COLUMN}], iterator_types = ["parallel", "parallel"]}}
      ins(%sum, %amounts : tensor<4x16xi32>, tensor<16xi32>) outs(%narrow : tensor<4x16xi8>) {{
  ^bb0(%a: i32, %s: i32, %o: i8):
    %shifted = arith.shrsi %a, %s : i32
    %byte = arith.trunci %shifted : i32 to i8
    linalg.yield %byte : i8
  }} -> tensor<4x16xi8>
  %next = linalg.matmul ins(%y, %w : tensor<4x16xi8>, tensor<16x16xi8>) outs(%start : tensor<4x16xi32>)
      -> tensor<4x16xi32>
  %low = tensor.empty() : tensor<4x16xi8>
  %z = linalg.generic {{indexing_maps = [{_BY_COLUMN}], iterator_types = ["parallel", "parallel"]}}
      ins(%next, %amounts : tensor<4x16xi32>, tensor<16xi32>) outs(%low : tensor<4x16xi8>) {{
  ^bb0(%a: i32, %s: i32, %o: i8):
    %shifted = arith.shrsi %a, %s : i32
    %byte = arith.trunci %shifted : i32 to i8
    linalg.yield %byte : i8
  }} -> tensor<4x16xi8>
  func.return %z : tensor<4x16xi8>
}}"""
"""Two products that are shifted by amounts in memory."""


class Here(Executor):
    """Calls at once; what has the victim ends its worker, as if it had one."""

    count = 1

    def __init__(self, victim: Tiling | None = None) -> None:
        self.victim, self.calls = victim, 0

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:  # pyright: ignore[reportIncompatibleMethodOverride]
        future: Future[object] = Future()
        jobs = cast("tuple[Job, ...]", args[0])
        if self.victim is not None and any(job.tiling == self.victim for job in jobs):
            future.set_exception(WorkerDied("was killed by SIGKILL"))
            return future
        self.calls += len(jobs)
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class Interrupted(Here):
    """An interrupt comes after so many tilings."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self.calls >= self.after:
            raise KeyboardInterrupt
        return super().submit(fn, *args, **kwargs)
