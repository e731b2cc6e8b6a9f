"""Networks: layer after layer without the host between them, and random chains of layers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from layer_text import LayerText, host_steps, kernel_count
from plain_programs import SMALL_BLOCK, run_against_numpy, unforced_choices

from vtac.workloads.tensor_text import Tensor

AROUND = (1, 1, 1, 1)


def residual_block(net: LayerText, x: Tensor, features: int, stride: int) -> Tensor:
    """Two 3 x 3 convolutions, and the input, by a 1 x 1 convolution where the shape changes; relu."""
    first = net.narrow(net.convolution(x, features, 3, stride, AROUND), 8, 0)
    second = net.narrow(net.convolution(first, features, 3, 1, AROUND), 8)
    short = x
    if stride > 1 or x.shape[1] != features:
        short = net.narrow(net.convolution(x, features, 1, stride), 7)
    return net.narrow(net.add(second, short), 0, 0)


def test_a_residual_network_is_one_program() -> None:
    """Stem, padded max pooling, two blocks, global sum, flattened, classified: the host packs and unpacks.

    The pooling takes the sums of the stem, around which the host repeats the image's edges.
    """
    net = LayerText((1, 3, 16, 16))
    stem = net.narrow(net.convolution(net.inputs[0], 16, 3, 2, AROUND), 7, 0)
    x = net.pool(stem, "max", (3, 3), 2, AROUND, -128)
    x = residual_block(net, x, 16, 1)
    x = residual_block(net, x, 32, 2)
    sums = net.narrow(net.pool(x, "sum", x.shape[2:], 1), 2)
    logits = net.narrow(net.product(net.flatten(sums), 10), 6)
    program = run_against_numpy(net.text(logits))
    steps = host_steps(program)
    assert [step for step in steps if step.startswith(("packing", "func"))] == [
        "packing.fold",
        "packing.pack",
        "func.call",
        "packing.unpack",
    ]
    assert {step for step in steps if not step.startswith(("packing", "func"))} == {
        "tensor.extract_slice",
        "tensor.concat",
    }
    assert kernel_count(program) == 8
    assert unforced_choices(program) == ()


def step(data: st.DataObject, net: LayerText, values: list[Tensor]) -> Tensor:
    """One more layer on the last value, or on an earlier one that fits."""
    x = values[-1]
    shift, low = data.draw(st.integers(6, 9)), data.draw(st.sampled_from([-128, -9, 0]))
    half_up = data.draw(st.booleans())
    if len(x.shape) == 2:
        return net.narrow(net.product(x, data.draw(st.integers(3, 20))), shift, low, half_up=half_up)
    same = [value for value in values[:-1] if value.shape == x.shape]
    kinds = ["convolution", "max", "sum", "flatten", *(["add"] * 2 if same else [])]
    kind = data.draw(st.sampled_from(kinds))
    if kind == "add":
        return net.narrow(net.add(x, data.draw(st.sampled_from(same))), 1, low, half_up=half_up)
    if kind == "flatten":
        return net.narrow(net.product(net.flatten(x), data.draw(st.integers(3, 20))), shift, low, half_up=half_up)
    pads = tuple(data.draw(st.integers(0, 1)) for _ in range(4))
    room = min(extent + before + after for extent, before, after in zip(x.shape[2:], pads[:2], pads[2:], strict=True))
    size = data.draw(st.integers(1, min(3, room)))
    stride = data.draw(st.integers(1, 2))
    if kind == "convolution":
        total = net.convolution(x, data.draw(st.sampled_from([x.shape[1], 8, 20])), size, stride, pads)
        return net.narrow(total, shift, low, half_up=half_up)
    if kind == "max":
        return net.pool(x, "max", (size, size), stride, pads, data.draw(st.sampled_from([-128, 0])))
    return net.narrow(net.pool(x, "sum", (size, size), stride, pads), data.draw(st.integers(0, 3)), low)


@settings(max_examples=6)
@given(st.data())
def test_random_chains(data: st.DataObject) -> None:
    batch = data.draw(st.integers(1, 2))
    net = LayerText(
        (batch, data.draw(st.sampled_from([3, 18])), data.draw(st.integers(3, 6)), data.draw(st.integers(3, 6)))
    )
    values = [net.inputs[0]]
    for _ in range(data.draw(st.integers(2, 5))):
        values.append(step(data, net, values))
    run_against_numpy(net.text(values[-1]), data.draw(st.sampled_from([None, SMALL_BLOCK])))
