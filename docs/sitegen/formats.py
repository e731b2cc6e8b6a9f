"""The reference of files: a saved program and a launch record, from programs that are compiled when it is built."""

from __future__ import annotations

import json
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import cast

import vtac
from sitegen.text import code, fence, page, prose, section, shortened, table
from vtac.targets.cuda.launch import ELEMENT_BYTES, LaunchRecord
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.vta.programs.saving import FORMAT
from vtac.workloads.vadd import VectorAdd

_PRODUCT = """
func.func @product(%a: tensor<16x16xf16>, %b: tensor<16x16xf16>) -> tensor<16x16xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<16x16xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<16x16xf32>) -> tensor<16x16xf32>
  %c = linalg.matmul ins(%a, %b : tensor<16x16xf16>, tensor<16x16xf16>)
      outs(%start : tensor<16x16xf32>) -> tensor<16x16xf32>
  func.return %c : tensor<16x16xf32>
}
"""


def formats_page() -> str:
    """What the files of programs hold."""
    return page(
        "Files",
        section(2, "A saved program", _saved()),
        section(2, "A launch record", _launch()),
    )


def _saved() -> str:
    layer = VectorAdd(64)
    program = vtac.compile(layer.text(), schedule=layer.schedule())
    with tempfile.TemporaryDirectory() as folder:
        program.save(folder)
        sizes = [(code(file.name), f"{file.stat().st_size:,}") for file in sorted(Path(folder).iterdir())]
        record = (Path(folder) / "program.json").read_text()
    shown = json.dumps(_abridged(cast(object, json.loads(record))), indent=2)
    return (
        "`program.save(folder)` and `vtac compile FILE -o folder` write it, all files or none; "
        "{py:func}`vtac.load_program` and `vtac run folder` read it back, without compiler or source. "
        "`insn.bin` holds the instructions, 16 bytes each, `uop.bin` the micro-ops, 4 bytes each, and `dram.bin` the "
        "memory before a run: the index of a byte is its physical address, constants and micro-ops are placed, and "
        "the inputs too where `inputs_placed` says so. `buffers` are in the order of DRAM: arguments from 0x1000 on, "
        "each on pages of its own, then results, and micro-ops last.\n\n"
        f"A vector addition of 64 numbers saves\n\n{table(('file', 'bytes'), sizes)}\n"
        f"and `program.json` holds (texts and lists cut short)\n\n{fence(shortened(shown, 90), 'json')}\n"
        f"**Versions.** `format` is {FORMAT} and counts up whenever an older reader would misread a file. A reader "
        "refuses a number it does not know, with both numbers in the message; fields that it does not know it passes "
        "over, and fields that an older program lacks have defaults. The digests say whether the files are those that "
        "were saved together."
    )


def _abridged(value: object) -> object:
    """A value of JSON with long texts and lists cut short."""
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        return {key: _abridged(one) for key, one in entries.items()}
    if isinstance(value, list):
        items = cast("list[object]", value)
        kept = [_abridged(one) for one in items[:2]]
        return [*kept, f"{len(items) - 2} more"] if len(items) > 2 else kept
    return f"{value[:60]}..." if isinstance(value, str) and len(value) > 64 else value


def _launch() -> str:
    program = vtac.compile(_PRODUCT, target="cuda")
    if not isinstance(program, CudaProgram):
        raise TypeError("the product of two tiles is one kernel")
    rows = [(code(one.name), code(str(one.type))) for one in fields(LaunchRecord)]
    types = ", ".join(f"{code(name)} ({nbytes})" for name, nbytes in ELEMENT_BYTES.items())
    return (
        f"{prose(LaunchRecord.__doc__ or '')}\n{table(('field', 'type'), rows)}\n"
        "`vtac.cuda` programs have it as `program.launch`; examples write it with `--launch FILE`. A product of two "
        f"tiles has\n\n{fence(program.launch.to_json(), 'json')}\n"
        f"Parameters stand in the kernel's order, arrays dense and row-major. The dtypes are (bytes): {types}."
    )
