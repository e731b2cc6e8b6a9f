"""The head of a kernel's text: version, schedule, architecture, arrays, launch, shared memory."""

from __future__ import annotations

from importlib.metadata import version

import vtac
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.workloads.wmma_matmul import MatmulTiling, WmmaMatmul

ADDED = """
func.func @added(%x: tensor<64xf32>) -> tensor<64xf32> {
  %e = tensor.empty() : tensor<64xf32>
  %z = linalg.add ins(%x, %x : tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<64xf32>) -> tensor<64xf32>
  func.return %z : tensor<64xf32>
}
"""


def head(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("//")]


def test_a_pipelined_product() -> None:
    layer = WmmaMatmul(128, 128, 256)
    schedule = layer.schedule(MatmulTiling(2, 2, 2, 2, 2, 3))
    assert head(vtac.compile(layer.text(), "cuda", "sm_80", schedule=schedule).text) == [
        f"// matmul, written by vtac {version('vtac')}",
        "//   schedule      fast, 64 x 64 in steps of 32, 3 stages",
        "//   architecture  sm_80",
        "//   arrays        a 128x256 f16, b 256x128 f16, c 128x128 f32; each starts at a multiple of 32 bytes",
        "//   launch        2 x 2 x 1 blocks of 32 x 2 x 2 threads",
        "//   shared memory 29,184 bytes",
    ]


def test_a_kernel_without_a_name_for_its_schedule_and_without_shared_memory() -> None:
    script = str(vtac.compile(ADDED, "cuda").text)
    assert "//   schedule      default, without tensor cores\n" in script
    assert "//   shared memory none\n" in script
    schedule = vtac.Schedule(ADDED)
    (loop,) = schedule.get_loops(schedule.get_block("z"))
    block, thread = schedule.split(loop, factor=32)
    schedule.bind(block, "blockIdx.x")
    schedule.bind(thread, "threadIdx.x")
    lines = head(vtac.compile(ADDED, "cuda", schedule=schedule).text)
    assert lines[1] == "//   architecture  any"
    assert not any("schedule" in line for line in lines)


def test_tilings_in_words() -> None:
    assert str(ProductTiling((16, 16, 16), 4, 2, 2, 4, 2)) == "128 x 128 in steps of 32"
    assert str(ProductTiling((16, 16, 16), 1, 1, 1, 2, 4, 3)) == "16 x 32 in steps of 64, 3 stages"
