"""Networks of many layers are compiled without recursion through all of them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from layer_text import LayerText

import vtac
from vtac.analysis.ir.device_functions import device_functions, host_functions
from vtac.evaluate import evaluate
from vtac.evaluate.linalg import evaluate_linalg
from vtac.targets.vta.linking.plain import split_plain

AROUND = (1, 1, 1, 1)


@pytest.mark.parametrize("widths", [(16,), (16, 32)], ids=["equal", "different"])
def test_sixty_convolutions_in_a_row(widths: tuple[int, ...]) -> None:
    net = LayerText((1, 16, 4, 4))
    value = net.inputs[0]
    for number in range(60):
        value = net.narrow(net.convolution(value, widths[number % len(widths)], 3, 1, AROUND), 7)
    text = net.text(value)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(900)
    try:
        program = vtac.compile(text)
    finally:
        sys.setrecursionlimit(limit)
    rng = np.random.default_rng(0)
    arrays = [rng.integers(-128, 128, buffer.shape).astype(buffer.dtype) for buffer in program.arguments]
    np.testing.assert_array_equal(np.asarray(program(*arrays)), np.asarray(evaluate(vtac.parse(text), *arrays)))
    assert len(program.devices) == 1


@pytest.mark.parametrize("length", [46, 47, 48, 49, 60, 97])
def test_rows_of_words_are_cut_once(length: int) -> None:
    """What cuts a word into bytes, and adds it up again, never makes a device function too long."""
    module = vtac.parse(row_of_words(length))
    split_plain(module, phase="outlined")
    kinds = [kind for device in device_functions(module) for kind in device.function_type.outputs]
    assert kinds and all(str(kind).endswith("xi8>") for kind in kinds)
    x = np.random.default_rng(length).integers(-(1 << 31), 1 << 31, (2, 16)).astype(np.int32)
    (host,) = host_functions(module)
    (found,) = evaluate_linalg(host, (x,))
    np.testing.assert_array_equal(found, np.asarray(evaluate(vtac.parse(row_of_words(length)), x)))


def row_of_words(length: int) -> str:
    """Maxima and sums in turn, of constants."""
    kind, identity = "tensor<2x16xi32>", "affine_map<(d0, d1) -> (d0, d1)>"
    lines = [f"func.func @row(%v0: {kind}) -> {kind} {{", f"  %e = tensor.empty() : {kind}"]
    for number in range(length):
        name = "addi" if number % 2 else "maxsi"
        lines += [
            f"  %v{number + 1} = linalg.generic {{indexing_maps = [{identity}, {identity}],",
            f'    iterator_types = ["parallel", "parallel"]}} ins(%v{number} : {kind}) outs(%e : {kind}) {{',
            f"  ^bb0(%a: i32, %o: i32):\n    %c = arith.constant {number + 3} : i32",
            f"    %y = arith.{name} %a, %c : i32\n    linalg.yield %y : i32\n  }} -> {kind}",
        ]
    return "\n".join([*lines, f"  func.return %v{length} : {kind}", "}", ""])
