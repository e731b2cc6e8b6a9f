"""Values that loops carry: the text's variables take all their next values at once, as the loop does."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.evaluate import evaluate
from vtac.targets.cuda.building import to_program
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.text.source import parse

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))

KERNEL = """
func.func @k(%x: memref<32xf32>, %y: memref<32xf32>)
    attributes {{gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>}} {{
  %t = "gpu.thread_id"() <{{dimension = #gpu<dim x>}}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %first = memref.load %x[%t] : memref<32xf32>
  %second = arith.negf %first : f32
  %r, %s, %n = scf.for %i = %c0 to %c5 step %c1
      iter_args(%a = %first, %b = %second, %count = %c0) -> (f32, f32, index) {{
    {body}
  }}
  %at = affine.apply affine_map<(t, n) -> ((t + n) mod 32)> (%t, %n)
  %sum = arith.subf %r, %s : f32
  memref.store %sum, %y[%at] : memref<32xf32>
  func.return
}}
"""
SWAPPED = "scf.yield %b, %a, %i : f32, f32, index"
SUMS = """%next = arith.addf %a, %b : f32
    %up = affine.apply affine_map<(c) -> (c + 3)> (%count)
    scf.yield %b, %next, %up : f32, f32, index"""
KEPT = "scf.yield %a, %a, %count : f32, f32, index"


@needs_compiler
@pytest.mark.parametrize("body", [SWAPPED, SUMS, KEPT], ids=["swapped", "sums", "kept"])
def test_text_and_level_carry_alike(body: str) -> None:
    text = KERNEL.format(body=body)
    arrays = [np.arange(32, dtype=np.float32), np.zeros(32, np.float32)]
    assert np.array_equal(to_program(parse(text))(*arrays), evaluate(parse(text), *arrays))


def test_what_a_later_value_needs_is_set_aside() -> None:
    text = to_program(parse(KERNEL.format(body=SUMS))).text
    for line in ("float a = first;", "float b = -first;", "const float next_b = a + b;", "a = b;", "b = next_b;"):
        assert f"  {line}\n" in text
    assert text.index("const float next_b = a + b;") < text.index("  a = b;")
    assert "count = count + 3;" in text


def test_what_stays_is_not_assigned() -> None:
    text = to_program(parse(KERNEL.format(body=KEPT))).text
    assert "  b = a;\n" in text
    assert "  a = a;" not in text
