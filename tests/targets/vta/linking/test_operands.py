"""i8 operands of the ALU: loaded as inputs, added by GEMM with a diagonal weight tile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_text import LayerText, host_steps
from operand_programs import Pooling, Term, joined
from plain_programs import CLAMP, SMALL_BLOCK, PlainConv, elementwise, run_against_numpy, said
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing.declared import DEVICE
from vtac.targets.vta.passes.pack_for_vta import PackForVta
from vtac.text.context import make_context

IDENTITY = "#id = affine_map<(n, c, h, w) -> (n, c, h, w)>"

CONFIGS = pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])

shapes = st.tuples(st.integers(1, 5), st.integers(1, 40), st.integers(1, 5), st.integers(1, 5))
terms = st.builds(
    Term,
    st.sampled_from(["same", "same", "channel", "row", "image"]),
    st.sampled_from(["i8", "i8", "i8", "i32", "i16"]),
    st.integers(0, 8),
    st.sampled_from(["addi", "addi", "subi", "maxsi", "minsi"]),
)
windows = st.builds(Pooling, st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.sampled_from(["max", "sum"]))
configs = st.sampled_from([VTAConfig(), SMALL_BLOCK])


def _legal(term: Term) -> Term:
    """Only i8 can be subtracted, and only by a factor that a weight holds."""
    if term.joins == "subi" and (term.element != "i8" or term.shift > 7):
        return Term(term.dims, term.element, term.shift, "addi")
    return term


@settings(max_examples=10)
@given(shapes, st.lists(terms, min_size=1, max_size=4), st.booleans(), configs)
def test_joined_operands(result: tuple[int, int, int, int], others: list[Term], conv: bool, config: VTAConfig) -> None:
    batch, features, height, width = result
    layer = PlainConv(batch, 20, height, width, features, (1, 1)) if conv else None
    first = [] if conv else [Term(shift=3)]
    text = joined([*first, *(_legal(term) for term in others)], result, CLAMP, layer)
    run_against_numpy(text, config)


@settings(max_examples=10)
@given(shapes, windows, configs)
def test_pooled_operands(data: tuple[int, int, int, int], pooling: Pooling, config: VTAConfig) -> None:
    """Windows of any size and stride; one of a single element only moves data."""
    batch, channels, height, width = data
    reach = pooling.dilation * (pooling.size - 1)
    shape = (batch, channels, height + reach, width + reach)
    if pooling.size > 1:
        program = run_against_numpy(pooling.text(shape), config)
        assert program.choices == ()
        assert program.stats["acc_load_nbytes"] == 0


def only_device(text: str) -> str:
    """The one device function of a packed program."""
    (device,) = [op for op in _packed(text).ops if DEVICE.is_on(op)]
    return str(device)


def test_a_residual_accumulates_onto_the_convolution() -> None:
    """One GEMM with the identity, no ALU addition; the identity is a constant of the device function."""
    layer = PlainConv(1, 16, 5, 5, 16)
    text = joined([Term()], layer.result, CLAMP, layer)
    program = run_against_numpy(text)
    (device,) = program.devices.values()
    tiles, taps = 9, 9
    assert device.stats["gemm_counter"] == tiles * (taps + 1)
    assert device.stats["alu_counter"] == 3 * tiles
    assert device.stats["acc_load_nbytes"] == 0
    assert [buffer.role for buffer in device.buffers].count("constant") == 1
    assert "res_add" not in only_device(text)


def test_a_lone_operand_is_widened_by_gemm() -> None:
    """No ALU operation is needed in front of the store, as GEMM has written the tile."""
    device = only_device(joined([Term(shift=2)], (1, 16, 2, 2), "    %y = arith.trunci %x, : i32 to i8"))
    assert "%res_widen = linalg.generic" in device
    assert "res_shl" not in device


@pytest.mark.parametrize(("term", "diagonal"), [(Term(shift=6), 64), (Term(shift=7, joins="subi"), -128)])
def test_a_shift_is_the_number_on_the_diagonal(term: Term, diagonal: int) -> None:
    text = joined([Term("same", "i32"), term], (1, 16, 2, 2), CLAMP)
    weights = [op.value for op in _packed(text).walk() if isinstance(op, ConstantOp) and op.result.name_hint == "eye"]
    assert isinstance(weights[0], DenseIntOrFPElementsAttr)
    assert set(weights[0].get_values()) == {0, diagonal}
    run_against_numpy(text)


@CONFIGS
@pytest.mark.parametrize("factor", [3, -1, -128, 100])
def test_a_constant_factor_is_a_weight(factor: int, config: VTAConfig | None) -> None:
    body = f"""
    %w = arith.extsi %x : i8 to i32
    %f = arith.constant {factor} : i32
    %p = arith.muli %w, %f : i32
    %k = arith.constant 5 : i32
    %s = arith.shrsi %p, %k : i32
    %y = arith.trunci %s : i32 to i8"""
    kind = "tensor<2x20x3x3xi8>"
    lines = [IDENTITY, f"func.func @layer(%a: {kind}) -> {kind} {{", *elementwise("r", ["%a"], kind, kind, body)]
    program = run_against_numpy("\n".join([*lines, f"  func.return %r : {kind}", "}", ""]), config)
    assert program.choices == ()


def test_subtraction_of_a_clamped_operand() -> None:
    """-(max(x, 0) + y) is min(-x, 0) - y."""
    body = """
    %zero = arith.constant 0 : i8
    %m = arith.maxsi %x1, %zero : i8
    %y = arith.subi %x, %m : i8"""
    kind = "tensor<1x16x3x3xi8>"
    lines = [IDENTITY, f"func.func @layer(%a: {kind}, %b: {kind}) -> {kind} {{"]
    lines += elementwise("r", ["%a", "%b"], kind, kind, body)
    run_against_numpy("\n".join([*lines, f"  func.return %r : {kind}", "}", ""]))


def test_an_operand_of_16_bits_is_widened_by_the_host_which_is_said() -> None:
    text = joined([Term(), Term("same", "i16")], (1, 16, 3, 3), CLAMP)
    program = run_against_numpy(text)
    assert vtac.compile(text, host=False).choices == program.choices
    assert said(program) == ("host: operand 'a1' is i16, widened by the host (the VTA loads i8 and i32)",)


def test_an_i32_result_with_a_residual_goes_out_in_planes() -> None:
    layer = PlainConv(1, 16, 5, 5, 20, tail=None)
    text = joined([Term()], layer.result, "", layer, narrow=False)
    assert len(run_against_numpy(text).choices) == 1


def test_a_value_that_is_used_again_is_copied_before_more_is_added() -> None:
    """max(conv, conv + x): the sum must not overwrite the convolution."""
    layer = PlainConv(1, 16, 5, 5, 16)
    body = CLAMP.replace("%x,", "%most,")
    text = joined([Term()], layer.result, f"    %most = arith.maxsi %x0, %total : i32{body}", layer)
    run_against_numpy(text)


def _packed(text: str) -> ModuleOp:
    module = vtac.parse(text)
    PackForVta().apply(make_context(), module)
    return module


def test_a_computed_i8_value_is_stored_before_it_is_scaled_or_subtracted() -> None:
    """3 * clamp(a + b) and c - 2 * clamp(d): the clamped sums are device functions of their own."""
    net = LayerText((1, 20, 3, 3), (1, 20, 3, 3), (1, 20, 3, 3))
    first, second, third = net.inputs
    narrow = net.narrow(net.add(first, second), 1)
    body = """%w = arith.extsi %a0 : i8 to i32
    %v = arith.extsi %a1 : i8 to i32
    %three = arith.constant 3 : i32
    %one = arith.constant 1 : i32
    %p = arith.muli %w, %three : i32
    %d = arith.shli %w, %one : i32
    %q = arith.subi %v, %d : i32
    %y = arith.addi %p, %q : i32"""
    total = net.narrow(net.elementwise(body, [narrow, third], "i32"), 2)
    program = run_against_numpy(net.text(total))
    assert program.choices == ()
    assert set(host_steps(program)) == {"packing.pack", "func.call", "packing.unpack"}


@pytest.mark.parametrize("term", [Term("channel", "i32", 1), Term("channel", "i8", 8)], ids=["i32", "i8"])
@pytest.mark.parametrize("result", [(1, 1, 1, 1), (1, 20, 3, 3)])
def test_steps_on_a_vector_alone_run_on_the_device(term: Term, result: tuple[int, int, int, int]) -> None:
    """What is computed of numbers per channel before they are joined is repeated along rows and columns."""
    program = run_against_numpy(joined([Term(shift=3), term], result, CLAMP))
    assert program.choices == ()
