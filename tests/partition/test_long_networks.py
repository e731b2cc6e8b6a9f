"""Networks of many layers are compiled without recursion through all of them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from layer_text import LayerText

import vtac
from vtac.evaluate import evaluate

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
