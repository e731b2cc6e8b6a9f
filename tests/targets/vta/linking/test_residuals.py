"""Two convolutions that meet in a sum, as in a block with a shortcut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_text import LayerText, host_steps, kernel_count
from plain_programs import CLAMP, SMALL_BLOCK, elementwise, run_against_numpy, said, unforced_choices

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.evaluate import evaluate
from vtac.workloads.tensor_text import Tensor

DATA, PADDED = "tensor<1x16x8x8xi8>", "tensor<1x16x10x10xi8>"
LARGE, POINT = "tensor<32x16x3x3xi8>", "tensor<32x16x1x1xi8>"
WIDE, NARROW = "tensor<1x32x4x4xi32>", "tensor<1x32x4x4xi8>"


def block(*sum_of: str) -> str:
    """A 3x3 and a 1x1 convolution of stride 2, then `sum_of` the two, clamped."""
    lines = [
        "#id = affine_map<(n, c, h, w) -> (n, c, h, w)>",
        f"func.func @block(%a: {DATA}, %w1: {LARGE}, %w2: {POINT}) -> {NARROW} {{",
        "  %zero = arith.constant 0 : i32",
        "  %nothing = arith.constant 0 : i8",
        "  %p = tensor.pad %a low[0, 0, 1, 1] high[0, 0, 1, 1] {",
        "  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index):",
        "    tensor.yield %nothing : i8",
        f"  }} : {DATA} to {PADDED}",
        f"  %empty = tensor.empty() : {WIDE}",
        f"  %init = linalg.fill ins(%zero : i32) outs(%empty : {WIDE}) -> {WIDE}",
    ]
    for name, data, kernel, kinds in (("main", "%p", "%w1", (PADDED, LARGE)), ("short", "%a", "%w2", (DATA, POINT))):
        lines += [
            f"  %{name} = linalg.conv_2d_nchw_fchw {{dilations = dense<1> : tensor<2xi64>, "
            "strides = dense<2> : tensor<2xi64>}",
            f"    ins({data}, {kernel} : {kinds[0]}, {kinds[1]}) outs(%init : {WIDE}) -> {WIDE}",
        ]
    lines += [*sum_of, *elementwise("out", ["%total"], WIDE, NARROW, CLAMP)]
    return "\n".join([*lines, f"  func.return %out : {NARROW}", "}", ""])


@pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])
def test_the_sum_of_two_narrowed_convolutions(config: VTAConfig | None) -> None:
    widened = """
    %l = arith.extsi %x : i8 to i32
    %r = arith.extsi %x1 : i8 to i32
    %y = arith.addi %l, %r : i32"""
    text = block(
        *elementwise("n1", ["%main"], WIDE, NARROW, CLAMP),
        *elementwise("n2", ["%short"], WIDE, NARROW, CLAMP),
        *elementwise("total", ["%n1", "%n2"], NARROW, WIDE, widened),
    )
    program = run_against_numpy(text, config)
    assert len(program.devices) == 1
    assert [kernel.name for kernel in program.stream.kernels] == ["n1", "out"]
    assert program.choices == ()


def test_the_sum_of_two_accumulators_takes_one_through_memory_in_planes() -> None:
    """The planes are added up by GEMM and shifts: the host does nothing in between."""
    text = block(*elementwise("total", ["%main", "%short"], WIDE, WIDE, "\n    %y = arith.addi %x, %x1 : i32"))
    program = run_against_numpy(text)
    assert kernel_count(program) == 2
    assert said(program) == ("main: an i32 intermediate in 3 planes of bytes (the store unit writes 8 bits)",)
    assert set(host_steps(program)) == {"packing.pack", "func.call", "packing.unpack"}


@pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])
@pytest.mark.parametrize(("channels", "shift", "planes"), [(1, 8, 1), (1, 0, 2), (20, 0, 3), (520, 0, 3), (520, 9, 2)])
def test_an_intermediate_takes_as_many_planes_as_it_needs(
    channels: int, shift: int, planes: int, config: VTAConfig | None
) -> None:
    """The part that holds one convolution goes through memory, by the bounds that its weights, up to 20, give it."""
    net = LayerText((1, channels, 3, 4), (1, 3, 3, 4))
    first, second = (net.convolution(value, 10, 1) for value in net.inputs)
    body = f"""%c = arith.constant {shift} : i32
    %s = arith.shrsi %a0, %c : i32
    %d = arith.addi %s, %a1 : i32
    %y = arith.maxsi %d, %a1 : i32"""
    total = net.narrow(net.elementwise(body, [first, second], "i32"), 6)
    program = run_against_numpy(net.text(total), config)
    assert f"in {planes} plane{'s' * (planes > 1)} of bytes" in program.choices[0]


def test_planes_hold_numbers_next_to_the_limits() -> None:
    kind, wide, narrow = "tensor<1x16x2x2xi8>", "tensor<1x16x2x2xi32>", "tensor<1x16x2x2xi8>"
    weight = "tensor<16x16x1x1xi8>"
    window = "{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}"
    lines = [
        "#id = affine_map<(n, c, h, w) -> (n, c, h, w)>",
        f"func.func @f(%a: {kind}, %w: {weight}, %b: {wide}) -> {narrow} {{",
        "  %zero = arith.constant 0 : i32",
        f"  %e = tensor.empty() : {wide}",
        f"  %i = linalg.fill ins(%zero : i32) outs(%e : {wide}) -> {wide}",
        f"  %p = linalg.conv_2d_nchw_fchw {window} ins(%a, %w : {kind}, {weight}) outs(%i : {wide}) -> {wide}",
        *elementwise("m", ["%p", "%b"], wide, wide, "\n    %y = arith.addi %x, %x1 : i32"),
        f"  %q = linalg.conv_2d_nchw_fchw {window} ins(%a, %w : {kind}, {weight}) outs(%i : {wide}) -> {wide}",
        *elementwise("t", ["%m", "%q"], wide, wide, "\n    %y = arith.maxsi %x, %x1 : i32"),
        *elementwise("out", ["%t"], wide, narrow, CLAMP.replace("6 : i32", "24 : i32")),
        f"  func.return %out : {narrow}\n}}\n",
    ]
    module = vtac.parse("\n".join(lines))
    program = vtac.compile(module)
    random = np.random.default_rng(0)
    a, w = (random.integers(-128, 128, shape, np.int8) for shape in ((1, 16, 2, 2), (16, 16, 1, 1)))
    edges = np.array([2**31 - 1, 2**31 - 128, -(2**31), -(2**31) + 127, 0, -1, 2**23, -(2**15)], np.int32)
    b = random.choice(edges, (1, 16, 2, 2))
    np.testing.assert_array_equal(program(a, w, b), evaluate(module, a, w, b))
    np.testing.assert_array_equal(program(0 * a, w, b), evaluate(module, 0 * a, w, b))
    assert vtac.check(program) == []


def test_a_shared_input_is_packed_once() -> None:
    text = block(*elementwise("total", ["%main", "%short"], WIDE, WIDE, "\n    %y = arith.addi %x, %x1 : i32"))
    packs = [op for op in run_against_numpy(text).host.walk() if op.name == "packing.pack"]
    assert len(packs) == 3


def _block(net: LayerText, x: Tensor, features: int, stride: int, shift: int, data: st.DataObject) -> Tensor:
    """Two convolutions; what they are added to is the input, or a convolution of it where shapes differ."""
    size = data.draw(st.sampled_from([1, 3]))
    inner = net.narrow(net.convolution(x, features, size, stride, (size // 2,) * 4), 7, low=0)
    total = net.convolution(inner, features, 3, 1, (1, 1, 1, 1))
    shortcut = x
    if x.shape != total.shape:
        shortcut = net.narrow(net.convolution(x, features, 1, stride), 6)
    sign = data.draw(st.sampled_from(["addi", "subi"]))
    if data.draw(st.booleans()):
        body = f"""%w = arith.extsi %a1 : i8 to i32
    %c = arith.constant {shift} : i32
    %s = arith.shli %w, %c : i32
    %y = arith.{sign} %a0, %s : i32"""
        return net.narrow(net.elementwise(body, [total, shortcut], "i32"), 7, low=0)
    narrow = net.narrow(total, 7)
    body = f"""%l = arith.extsi %a0 : i8 to i32
    %r = arith.extsi %a1 : i8 to i32
    %y = arith.{sign} %l, %r : i32"""
    return net.narrow(net.elementwise(body, [narrow, shortcut], "i32"), 1, low=-100)


@settings(max_examples=3)
@given(st.data())
def test_blocks_of_any_shape_stay_on_the_device(data: st.DataObject) -> None:
    """Shortcuts are added before or after the narrowing, shifted, also with other strides and channels."""
    config = data.draw(st.sampled_from([VTAConfig(), SMALL_BLOCK]))
    batch, channels, size = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 40), st.integers(3, 7)))
    net = LayerText((batch, channels, size, size), seed=data.draw(st.integers(0, 99)))
    x = net.inputs[0]
    for _ in range(data.draw(st.integers(1, 2))):
        same = data.draw(st.booleans())
        features = x.shape[1] if same else data.draw(st.integers(1, 40))
        x = _block(net, x, features, 1 if same else data.draw(st.integers(1, 2)), data.draw(st.integers(0, 8)), data)
    program = run_against_numpy(net.text(x), config)
    assert unforced_choices(program) == ()
    assert set(host_steps(program)) <= {"packing.pack", "func.call", "packing.unpack"}
