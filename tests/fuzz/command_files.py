"""The folder in which command lines run: programs, scripts, records, streams, archives, and what is none of these."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

import vtac
from fuzz.targets.cuda import matmul_text
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import disassemble

ADD = """func.func @add(%a: tensor<4x16xi32>, %b: tensor<4x16xi32>) -> tensor<4x16xi32> {
  %e = tensor.empty() : tensor<4x16xi32>
  %r = linalg.add ins(%a, %b : tensor<4x16xi32>, tensor<4x16xi32>) outs(%e : tensor<4x16xi32>) -> tensor<4x16xi32>
  func.return %r : tensor<4x16xi32>
}
"""
_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

INPUTS = (
    "add.mlir", "cuda.mlir", "tiled.mlir", "script.mlir", "broken.mlir", "empty", "latin1.mlir", "config.json",
    "other.json", "broken.json", "saved", "saved_cuda", "saved/insn.bin", "saved/program.json", "insn.bin", "dram.bin",
    "stream.s", "arrays.npz", "strange.npz", "random.bin", "folder", "dangling", "loop", "pipe", "none", "-", "",
    "näme with space.mlir", "folder/none/deeper", "n" * 300,
)  # fmt: skip
"""Files that are there, names of none, and names that cannot be."""

OUTPUTS = ("out", "out.json", "out.npz", "out.svg", "out.png", "folder", "folder/out", "none/out", "dangling", "loop",
           "saved", "add.mlir", "", "-", "n" * 300)  # fmt: skip
"""Where a command may be told to write; nothing outside the folder."""


@cache
def master() -> Path:
    """The folder as it is before a command, made once."""
    folder = Path(tempfile.mkdtemp(prefix="commands-"))
    program = vtac.compile(ADD)
    program.save(folder / "saved")
    vtac.compile(matmul_text(16, 16, 16), "cuda").save(folder / "saved_cuda")
    tiled, _, script = (_EXAMPLES / "vta_vadd.mlir").read_text().partition("schedule.script")
    device = program.stream
    texts = {
        "add.mlir": ADD,
        "näme with space.mlir": ADD,
        "cuda.mlir": matmul_text(16, 16, 16),
        "tiled.mlir": tiled,
        "script.mlir": f"schedule.script{script}",
        "broken.mlir": ADD.replace("outs(", "outs"),
        "empty": "",
        "config.json": json.dumps(VTAConfig().to_fields()),
        "other.json": json.dumps(VTAConfig(log_batch=2, log_block=5).to_fields()),
        "broken.json": '{"LOG_BLOCK": "four"',
        "stream.s": disassemble(device.instructions, device.config),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "latin1.mlir").write_bytes(b"// caf\xe9\n" + ADD.encode())
    (folder / "insn.bin").write_bytes(device.instructions)
    (folder / "dram.bin").write_bytes(bytes(1 << 16))
    (folder / "random.bin").write_bytes(np.random.default_rng(0).bytes(4096))
    ones = np.ones((4, 16), np.int32)
    np.savez(folder / "arrays.npz", a=ones, b=ones)
    np.savez(folder / "strange.npz", a=np.array("text"), c=ones[:3], d=ones.astype(complex))
    (folder / "folder").mkdir()
    return folder


def lay_out(folder: Path) -> None:
    """Put the files into a folder, links and a pipe too."""
    shutil.copytree(master(), folder, dirs_exist_ok=True)
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
