"""Layers as the host executes them: near what they are in numpy, whatever their kind."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.models.layer import Array, Layer
from vtac.models.layers import activations as act
from vtac.models.layers.convolutions import Convolution, TransposedConvolution
from vtac.models.layers.elementwise import Add, Affine, Multiply
from vtac.models.layers.normalisation import BatchNorm, LayerNorm, Softmax
from vtac.models.layers.pooling import AveragePool, GlobalAveragePool, MaxPool, Upsample
from vtac.models.layers.products import Linear, MatMul
from vtac.models.layers.views import Concat, Flatten, Reshape, Slice, Transpose
from vtac.models.quantiser.float_layers import float_layer
from vtac.models.quantiser.float_text import FloatText
from vtac.models.quantiser.host_step import HostStep
from vtac.models.windows import Window
from vtac.workloads.tensor_text import Tensor


def numbers(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)


ONE, TWO = ("a",), ("a", "b")
IMAGE = (2, 4, 6, 5)
UNEVEN = Window((3, 2), (2, 1), (1, 0, 1, 1), ceil=True)
CASES: list[tuple[Layer, tuple[tuple[int, ...], ...]]] = [
    *(
        (kind("f", ONE), (IMAGE,))
        for kind in (
            act.Relu,
            act.Relu6,
            act.LeakyRelu,
            act.HardSigmoid,
            act.HardSwish,
            act.Sigmoid,
            act.Tanh,
            act.Gelu,
        )
    ),
    (act.Gelu("f", ONE, approximate=True), (IMAGE,)),
    (act.Clamp("f", ONE, -0.5, 0.25), (IMAGE,)),
    (act.ParametricRelu("f", ONE, numbers(4)), (IMAGE,)),
    (act.ParametricRelu("f", ONE, numbers(4)), ((3, 4),)),
    (Add("f", TWO), (IMAGE, (4, 1, 5))),
    (Multiply("f", TWO), (IMAGE, (2, 4, 1, 1))),
    (Affine("f", ONE, numbers(4, 1, 1), np.float32(2) * np.ones((), np.float32)), (IMAGE,)),
    (BatchNorm("f", ONE, numbers(4), numbers(4), numbers(4), np.abs(numbers(4))), (IMAGE,)),
    (LayerNorm("f", ONE, numbers(6, 5), numbers(6, 5)), (IMAGE,)),
    (LayerNorm("f", ONE, numbers(5)), ((2, 3, 5),)),
    (Softmax("f", ONE), ((2, 3, 5),)),
    (Softmax("f", ONE, 1), (IMAGE,)),
    (MatMul("f", TWO), ((2, 3, 4, 5), (3, 5, 2))),
    (Linear("f", ONE, numbers(3, 5), numbers(3)), ((2, 4, 5),)),
    (Convolution("f", ONE, numbers(6, 2, 3, 2), numbers(6), (2, 1), (1, 0, 1, 1), (1, 2), 2), (IMAGE,)),
    (
        TransposedConvolution("f", ONE, numbers(4, 3, 3, 2), numbers(6), (2, 3), (1, 0, 2, 0), (1, 2), 2, (1, 0)),
        (IMAGE,),
    ),
    (TransposedConvolution("f", ONE, numbers(4, 3, 1, 2), None, (1, 1), (1, 0, 0, 1)), (IMAGE,)),
    (MaxPool("f", ONE, UNEVEN), (IMAGE,)),
    (AveragePool("f", ONE, UNEVEN), (IMAGE,)),
    (AveragePool("f", ONE, UNEVEN, counts_padding=True), (IMAGE,)),
    (GlobalAveragePool("f", ONE), (IMAGE,)),
    (Upsample("f", ONE, (2, 3)), (IMAGE,)),
    (Reshape("f", ONE, (2, 3, -1)), (IMAGE,)),
    (Reshape("f", ONE, (2, 4, 1, 30, 1)), (IMAGE,)),
    (Flatten("f", ONE, 2), (IMAGE,)),
    (Transpose("f", ONE, (0, 3, 1, 2)), (IMAGE,)),
    (Slice("f", ONE, 2, 1, 6, 2), (IMAGE,)),
    (Concat("f", TWO, -1), (IMAGE, (2, 4, 6, 2))),
]


@pytest.mark.parametrize(("layer", "shapes"), CASES, ids=lambda case: getattr(case, "kind", ""))
def test_the_host_computes_what_the_layer_does(layer: Layer, shapes: tuple[tuple[int, ...], ...]) -> None:
    arrays = [numbers(*shape) for shape in shapes]
    operands = [Tensor(name, shape, "f32") for name, shape in zip("ab", shapes, strict=False)]
    text = FloatText("f")
    result = float_layer(text, layer, operands, layer.output_shape(*shapes))
    step = HostStep(text.lines, operands, text.parameters, result)
    found = step.compute({operand.name: array for operand, array in zip(operands, arrays, strict=True)})
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, layer.compute(*arrays), rtol=2e-5, atol=2e-5)
