"""Which schedule a device function gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from layer_text import LayerText, kernel_count
from operand_programs import Pooling, Term, joined
from plain_programs import CLAMP, SMALL_BLOCK, PlainConv, elementwise, run_against_numpy, said

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import CompileError, NoDefaultScheduleError
from vtac.targets.vta.linking import streams
from vtac.targets.vta.passes import schedule_device_functions
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.proof import Finding
from vtac.targets.vta.schedules.lowering import Lowering
from vtac.tools.vtac import main


def refuse(*_: object) -> Lowering:
    raise AssertionError("the simple schedule was asked for")


@pytest.mark.parametrize(
    ("kernel", "stride", "pads"),
    [
        ((3, 3), 1, (1, 1, 1, 1)),
        ((1, 1), 2, (0, 0, 0, 0)),
        ((3, 1), 3, (2, 1, 0, 2)),
        ((1, 3), 2, (1, 1, 3, 0)),
        ((1, 2), 3, (3, 3, 3, 2)),
    ],
)
def test_convolutions_get_the_default(
    kernel: tuple[int, int], stride: int, pads: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a window of one element steps over padding, whose iterations are left out."""
    monkeypatch.setattr(schedule_device_functions, "simple_lowering", refuse)
    run_against_numpy(PlainConv(height=8, width=9, kernel=kernel, stride=stride, pads=pads).text())


def residual() -> str:
    """A convolution and an i8 operand, both shifted, in one sum."""
    layer = PlainConv(1, 20, 5, 4, 20, (1, 1))
    return joined([Term(shift=2), Term("channel", "i32")], layer.result, CLAMP, layer)


def half_to_even() -> str:
    """Integers scaled by a power of two in f32, rounded, and narrowed."""
    kind, real = "tensor<1x16x6x6xi8>", "tensor<1x16x6x6xf32>"
    lines = [
        "#id = affine_map<(n, c, h, w) -> (n, c, h, w)>",
        f"func.func @layer(%a: {kind}) -> {kind} {{",
        "  %scale = arith.constant 2.500000e-01 : f32",
    ]
    body = "\n    %r = arith.sitofp %x : i8 to f32\n    %y = arith.mulf %r, %scale : f32"
    lines += elementwise("real", ["%a"], kind, real, body)
    body = "\n    %r = math.roundeven %x : f32\n    %y = arith.fptosi %r : f32 to i8"
    lines += elementwise("out", ["%real"], real, kind, body)
    return "\n".join([*lines, f"  func.return %out : {kind}", "}", ""])


def by_channel(size: int) -> str:
    """A convolution by channel of stride 2, shifted and clamped."""
    data, kernel = "tensor<1x20x7x9xi8>", f"tensor<20x{size}x{size}xi8>"
    height, width = ((extent - size) // 2 + 1 for extent in (7, 9))
    wide, narrow = f"tensor<1x20x{height}x{width}xi32>", f"tensor<1x20x{height}x{width}xi8>"
    lines = [
        "#id = affine_map<(n, c, h, w) -> (n, c, h, w)>",
        f"func.func @layer(%a: {data}, %b: {kernel}) -> {narrow} {{",
        "  %zero = arith.constant 0 : i32",
        f"  %empty = tensor.empty() : {wide}",
        f"  %init = linalg.fill ins(%zero : i32) outs(%empty : {wide}) -> {wide}",
        "  %whole = linalg.depthwise_conv_2d_nchw_chw {dilations = dense<1> : tensor<2xi64>, "
        "strides = dense<2> : tensor<2xi64>}",
        f"    ins(%a, %b : {data}, {kernel}) outs(%init : {wide}) -> {wide}",
        *elementwise("narrow", ["%whole"], wide, narrow, CLAMP),
    ]
    return "\n".join([*lines, f"  func.return %narrow : {narrow}", "}", ""])


@pytest.mark.parametrize(
    "text",
    [
        PlainConv(tail=None, bias=True).text(),
        residual(),
        half_to_even(),
        Pooling(3, 2, 1, "max").text((1, 20, 9, 7)),
        Pooling(2, 2, 1, "sum").text((1, 20, 6, 4)),
        by_channel(3),
        by_channel(1),
    ],
    ids=["i32 result", "residual", "half to even", "max pooling", "sum pooling", "depthwise", "by channel"],
)
@pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])
def test_every_kind_of_layer_gets_the_default(
    text: str, config: VTAConfig | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule_device_functions, "simple_lowering", refuse)
    run_against_numpy(text, config)


def test_a_default_that_is_not_proven_safe_is_replaced_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("race", 3, 5, "INP", (0, 4), "a planted finding")

    planted = [[finding], [finding]]

    def findings(_: object, *, acc_8bit: bool) -> list[Finding]:
        return planted.pop() if planted else []

    monkeypatch.setattr(streams, "check", findings)
    program = run_against_numpy(PlainConv(pads=(1, 1, 1, 1)).text())
    assert said(program) == (
        "narrow: scheduled one tile after the other, as the default is not proven safe (race: a planted finding)",
    )


def test_what_is_not_proven_safe_under_the_simple_schedule_either_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("race", 3, 5, "INP", (0, 4), "a planted finding")

    def findings(_: object, *, acc_8bit: bool) -> list[Finding]:
        return [finding]

    monkeypatch.setattr(streams, "check", findings)
    with pytest.raises(CompileError, match="program 'layer_0' is not proven safe: race: a planted finding"):
        vtac.compile(PlainConv(pads=(1, 1, 1, 1)).text())


def test_rows_of_zeros_are_constants_of_a_linked_program() -> None:
    """A window that may lie wholly in the padding is filled from a row of zeros in DRAM."""
    net = LayerText((2, 18, 4, 5))
    narrow = net.narrow(net.convolution(net.inputs[0], 18, 1), 6, 0)
    program = run_against_numpy(net.text(net.narrow(net.pool(narrow, "sum", (2, 1), 3, (2, 2, 0, 0), 0), 2)))
    assert kernel_count(program) == 2


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Two convolutions, the first with a pooling of its sums."""
    net = LayerText((1, 20, 8, 7))
    narrow = net.narrow(net.convolution(net.inputs[0], 18, 3), 6, 0)
    narrow = net.narrow(net.convolution(net.pool(narrow, "max", (2, 2), 2), 24, 1), 5)
    path = tmp_path / "net.mlir"
    path.write_text(net.text(narrow))
    return path


def printed_scripts(network: Path) -> Path:
    scripts = network.parent / "scripts.mlir"
    assert main(["schedule", str(network), "-o", str(scripts)]) == 0
    return scripts


def test_printed_scripts_are_taken_back(network: Path) -> None:
    scripts = printed_scripts(network)
    assert scripts.read_text().count("schedule.script @") == 2
    given, default = vtac.compile(network, schedule=scripts), vtac.compile(network)
    assert isinstance(given, HostProgram)
    assert isinstance(default, HostProgram)
    assert [one.instructions for one in given.devices.values()] == [
        one.instructions for one in default.devices.values()
    ]


def test_a_script_for_one_device_function_counts(network: Path) -> None:
    whole = printed_scripts(network).read_text()
    first = whole[: whole.index("schedule.script @", 1)]
    edited = first.replace("schedule.double_buffer", "// schedule.double_buffer")
    given, default = vtac.compile(network, schedule=f"{edited}\n"), vtac.compile(network)
    assert isinstance(given, HostProgram)
    assert isinstance(default, HostProgram)
    (mine,), (theirs,) = given.devices.values(), default.devices.values()
    assert mine.instructions != theirs.instructions
    assert vtac.check(mine) == []


def test_a_script_for_no_device_function_is_refused(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scripts = printed_scripts(network)
    scripts.write_text(scripts.read_text().replace("_0 {", "_9 {", 1))
    assert main(["run", str(network), "--schedule", str(scripts)]) == 1
    assert "_9' to schedule; this program has " in capsys.readouterr().err


def test_a_given_script_that_is_not_proven_safe_is_refused(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("race", 3, 5, "INP", (0, 4), "a planted finding")

    def findings(*_: object, **__: object) -> list[Finding]:
        return [finding]

    monkeypatch.setattr(streams, "check", findings)
    with pytest.raises(CompileError, match="under the schedule given for it is not proven safe"):
        vtac.compile(network, schedule=printed_scripts(network))


def test_a_default_that_is_refused_is_replaced_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_default(*_: object) -> Lowering:
        raise NoDefaultScheduleError("a planted refusal")

    monkeypatch.setattr(schedule_device_functions, "lowering_of", refuse_default)
    program = run_against_numpy(PlainConv(pads=(1, 1, 1, 1)).text())
    assert said(program) == (
        "narrow: scheduled one tile after the other, as the default schedule is refused (a planted refusal)",
    )


def test_any_other_refusal_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the default schedule never becomes a slower schedule."""

    def fail(*_: object) -> Lowering:
        raise CompileError("a planted defect")

    monkeypatch.setattr(schedule_device_functions, "lowering_of", fail)
    with pytest.raises(CompileError, match="a planted defect"):
        vtac.compile(PlainConv(pads=(1, 1, 1, 1)).text())


def test_where_no_schedule_fits_both_say_why() -> None:
    fields = {**VTAConfig().to_fields(), "LOG_UOP_BUFF_SIZE": 3, "LOG_INP_BUFF_SIZE": 4, "LOG_WGT_BUFF_SIZE": 8}
    config = VTAConfig.from_fields({**fields, "LOG_ACC_BUFF_SIZE": 6}, "tiny")
    with pytest.raises(CompileError) as refusal:
        vtac.compile(PlainConv(bias=True).text(), config=config)
    message = str(refusal.value)
    assert "device function 'layer_0' cannot be scheduled: the default schedule is refused (" in message
    assert "not even single tiles do: use a configuration with larger buffers" in message
    assert "and so is one tile after the other (" in message
    assert " overflows " in message
