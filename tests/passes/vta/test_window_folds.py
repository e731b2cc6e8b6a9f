"""Folded windows: the same numbers on every shape, and the layer that the choice has reckoned with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from folded_convolutions import FoldedConv
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_programs import SMALL_BLOCK, PlainConv, run_against_numpy
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from vtac.analysis.ir.device_functions import device_functions
from vtac.analysis.ir.target import config_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing.declared import FOLD
from vtac.evaluate import evaluate
from vtac.partition.anchors import match_anchor
from vtac.partition.convolutions import Convolution
from vtac.partition.window_folds import WindowFold, folds_of
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.schedule import Schedule
from vtac.targets.vta.schedules.folds import folded_layer
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.search import layers_of
from vtac.text.context import make_context
from vtac.text.source import parse
from vtac.tools.registry import pass_factories

BLOCK_32 = VTAConfig.from_fields({**VTAConfig().to_fields(), "LOG_BLOCK": 5}, "tests")
TO_TILES = ("fold-windows", "outline-device-functions", "split-device-operations", "pack-device-functions")


@st.composite
def convolutions(draw: st.DrawFn) -> FoldedConv:
    small = st.integers(1, 3)
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    dilations, strides = draw(st.tuples(small, small)), draw(st.tuples(small, small))
    pads = draw(st.tuples(*[st.integers(0, 3)] * 4))
    least = [
        max(1, dilation * (taps - 1) + 1 - before - after)
        for dilation, taps, before, after in zip(dilations, kernel, pads[:2], pads[2:], strict=True)
    ]
    height, width = (draw(st.integers(low, low + 6)) for low in least)
    fold = (draw(st.integers(1, kernel[0])), draw(st.integers(1, kernel[1])))
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 4)), height, width)
    return FoldedConv(shape, draw(small), kernel, strides, dilations, pads, fold, draw(st.booleans()))


def lowered(module: ModuleOp, passes: Sequence[str]) -> ModuleOp:
    for name in passes:
        pass_factories()[name]()().apply(make_context(), module)
        module.verify()
    return module


@settings(max_examples=60)
@given(convolutions())
def test_a_fold_keeps_the_numbers(layer: FoldedConv) -> None:
    module = parse(layer.text())
    generator = np.random.default_rng(0)
    arrays = [generator.integers(-128, 128, shape).astype(np.int8) for shape in layer.arguments]
    wanted = evaluate(module, *arrays)
    np.testing.assert_array_equal(evaluate(lowered(module, ["fold-windows"]), *arrays), wanted)


def convolution_in(module: ModuleOp) -> tuple[Operation, Convolution]:
    return next((op, found) for op in module.walk() if isinstance(found := match_anchor(op), Convolution))


def layer_in(module: ModuleOp) -> Layer:
    lowered(module, TO_TILES)
    (layer,) = layers_of(Schedule(isolated(device_functions(module)[0], module)))
    return layer


@pytest.mark.parametrize(
    "conv",
    [
        PlainConv(channels=3, height=11, width=10, kernel=(3, 3), stride=2, pads=(1, 0, 1, 2)),
        PlainConv(channels=5, height=12, width=12, kernel=(4, 3), dilation=2, features=20, bias=True),
    ],
)
def test_the_choice_reckons_with_the_layer_that_comes_out(conv: PlainConv) -> None:
    plain = parse(conv.text())
    folds = list(folds_of(convolution_in(plain)[1]))
    before = layer_in(plain)
    assert len(folds) > 3
    for fold in folds:
        module = parse(conv.text())
        op, found = convolution_in(module)
        FOLD.set(op, fold.places)
        expected = folded_layer(before, WindowFold.of(found, fold.places), config_of(module))
        assert layer_in(module) == expected


@pytest.mark.parametrize("config", [VTAConfig(), SMALL_BLOCK, BLOCK_32], ids=["16", "4x8", "32"])
@pytest.mark.parametrize(
    "conv",
    [
        PlainConv(channels=3, height=20, width=18, kernel=(7, 7), stride=2, pads=(3, 3, 3, 3), features=16),
        PlainConv(batch=3, channels=2, height=12, width=11, kernel=(3, 4), dilation=2, pads=(0, 1, 2, 0), bias=True),
    ],
)
def test_folded_programs_are_exact(conv: PlainConv, config: VTAConfig) -> None:
    """Weights are arguments here, so that the host folds them too."""
    program = run_against_numpy(conv.text(), config)
    assert any("folded into channels by the host" in choice for choice in program.choices)


def test_full_blocks_stay() -> None:
    program = run_against_numpy(PlainConv(channels=16, height=12, width=12).text())
    assert program.choices == ()
