"""Networks of many layers are compiled without recursion through all of them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from layer_text import LayerText
from xdsl.dialects.builtin import i8

import vtac
from vtac.evaluate import evaluate
from vtac.partition.expressions import Literal
from vtac.partition.stages import STAGE, Layer, ends_of_stages

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


def test_stages_end_at_equal_distances() -> None:
    names = [f"layer{number}" for number in range(3 * STAGE)]

    def reads(layer: Layer) -> list[Layer]:
        place = names.index(layer[2])
        return [(layer[0], (), names[place - 1])] if place else []

    found = ends_of_stages((Literal(0, i8), (), names[-1]), reads)
    assert [layer[2] for layer in found] == [names[STAGE - 1], names[2 * STAGE - 1], names[3 * STAGE - 1]]
