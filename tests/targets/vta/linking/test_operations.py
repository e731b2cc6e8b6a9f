"""What else a plain layer may be: products, poolings, residuals, other layouts and ranks, quantised floats."""

from __future__ import annotations

import pytest
from plain_programs import CLAMP, SMALL_BLOCK, elementwise, run_against_numpy, said

from vtac.dialects.hardware import VTAConfig
from vtac.workloads.linalg_text import affine_map, tensor

IDENTITY = f"#id = {affine_map('n, c, h, w', 'n, c, h, w')}"
WINDOW = "dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>"
CONFIGS = pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])


def named(op: str, inputs: str, result: str, arguments: str, *, start: int = 0, narrow: bool = True) -> str:
    """A function of one named op over a fill, with a clamping tail where its i32 result is to be i8."""
    element = result.rsplit("x", 1)[1][:-1]
    out = result.replace("i32", "i8") if narrow else result
    lines = [
        IDENTITY,
        f"func.func @layer({arguments}) -> {out} {{",
        f"  %start = arith.constant {start} : {element}",
        "  %zero = arith.constant 0 : i32",
        "  %window = tensor.empty() : tensor<2x2xi8>",
        f"  %empty = tensor.empty() : {result}",
        f"  %init = linalg.fill ins(%start : {element}) outs(%empty : {result}) -> {result}",
        f"  %whole = linalg.{op} ins({inputs}) outs(%init : {result}) -> {result}",
    ]
    if narrow:
        lines += elementwise("narrow", ["%whole"], result, out, CLAMP)
    return "\n".join([*lines, f"  func.return %{'narrow' if narrow else 'whole'} : {out}", "}", ""])


@CONFIGS
def test_depthwise_convolution(config: VTAConfig | None) -> None:
    text = named(
        f"depthwise_conv_2d_nchw_chw {{{WINDOW}}}",
        "%a, %b : tensor<2x20x9x8xi8>, tensor<20x3x3xi8>",
        "tensor<2x20x4x3xi32>",
        "%a: tensor<2x20x9x8xi8>, %b: tensor<20x3x3xi8>",
    )
    run_against_numpy(text, config)


@CONFIGS
def test_channels_last(config: VTAConfig | None) -> None:
    text = named(
        f"conv_2d_nhwc_fhwc_q {{{WINDOW}}}",
        "%a, %b, %zero, %zero : tensor<2x9x8x20xi8>, tensor<24x3x3x20xi8>, i32, i32",
        "tensor<2x4x3x24xi32>",
        "%a: tensor<2x9x8x20xi8>, %b: tensor<24x3x3x20xi8>",
    )
    run_against_numpy(text, config)


@CONFIGS
def test_max_pooling(config: VTAConfig | None) -> None:
    text = named(
        f"pooling_nchw_max {{{WINDOW}}}",
        "%a, %window : tensor<1x20x8x8xi8>, tensor<2x2xi8>",
        "tensor<1x20x4x4xi8>",
        "%a: tensor<1x20x8x8xi8>",
        start=-128,
        narrow=False,
    )
    run_against_numpy(text, config)


@CONFIGS
def test_sum_pooling_of_i8(config: VTAConfig | None) -> None:
    text = named(
        f"pooling_nchw_sum {{{WINDOW}}}",
        "%a, %window : tensor<1x20x8x8xi8>, tensor<2x2xi8>",
        "tensor<1x20x4x4xi32>",
        "%a: tensor<1x20x8x8xi8>",
    )
    run_against_numpy(text, config)


def test_sums_of_windows_as_i32() -> None:
    text = named(
        f"pooling_nchw_sum {{{WINDOW}}}",
        "%a, %window : tensor<1x20x8x8xi32>, tensor<2x2xi8>",
        "tensor<1x20x4x4xi32>",
        "%a: tensor<1x20x8x8xi32>",
        narrow=False,
    )
    program = run_against_numpy(text)
    assert program.stats["acc_load_nbytes"] == 4 * 2 * 8 * 8 * 16


def test_products_of_every_orientation() -> None:
    for data, weight in (("m, k", "n, k"), ("k, m", "k, n"), ("m, k", "k, n"), ("k, m", "n, k")):
        sizes = {"m": 5, "n": 10, "k": 33}
        kinds = [tensor([sizes[d] for d in dims.split(", ")], "i8") for dims in (data, weight)]
        maps = ", ".join(affine_map("m, n, k", dims) for dims in (data, weight, "m, n"))
        text = f"""
func.func @product(%a: {kinds[0]}, %b: {kinds[1]}) -> tensor<5x10xi8> {{
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<5x10xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<5x10xi32>) -> tensor<5x10xi32>
  %p = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel", "parallel", "reduction"]}}
    ins(%a, %b : {kinds[0]}, {kinds[1]}) outs(%init : tensor<5x10xi32>) {{
  ^bb0(%x: i8, %y: i8, %acc: i32):
    %x32 = arith.extsi %x : i8 to i32
    %y32 = arith.extsi %y : i8 to i32
    %t = arith.muli %x32, %y32 : i32
    %s = arith.addi %t, %acc : i32
    linalg.yield %s : i32
  }} -> tensor<5x10xi32>
  %e8 = tensor.empty() : tensor<5x10xi8>
  %r = linalg.generic {{indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]}} ins(%p : tensor<5x10xi32>) outs(%e8 : tensor<5x10xi8>) {{
  ^bb0(%x: i32, %o: i8):{CLAMP}
    linalg.yield %y : i8
  }} -> tensor<5x10xi8>
  func.return %r : tensor<5x10xi8>
}}
"""
        run_against_numpy(text)


@CONFIGS
def test_a_residual_of_i8_wraps_as_written(config: VTAConfig | None) -> None:
    kind = "tensor<1x20x5x5xi8>"
    body = "\n    %y = arith.addi %x, %x1 : i8"
    lines = [IDENTITY, f"func.func @layer(%a: {kind}, %b: {kind}) -> {kind} {{"]
    lines += elementwise("sum", ["%a", "%b"], kind, kind, body)
    run_against_numpy("\n".join([*lines, f"  func.return %sum : {kind}", "}", ""]), config)


@pytest.mark.parametrize("shape", [(1024,), (100,), (3, 4, 20), (2, 3, 2, 2, 8)])
def test_elementwise_of_any_rank(shape: tuple[int, ...]) -> None:
    dims = ", ".join(f"d{d}" for d in range(len(shape)))
    kind, out = tensor(shape, "i32"), tensor(shape, "i8")
    lines = [f"#id = {affine_map(dims, dims)}", f"func.func @layer(%a: {kind}, %b: {kind}) -> {out} {{"]
    body = "\n    %s = arith.addi %x, %x1 : i32\n    %y = arith.trunci %s : i32 to i8"
    lines += elementwise("sum", ["%a", "%b"], kind, out, body, len(shape))
    run_against_numpy("\n".join([*lines, f"  func.return %sum : {out}", "}", ""]))


def test_quantised_floats_become_shifts() -> None:
    """Dequantise, add, relu, quantise with powers of two, as a QDQ graph has them: half to even."""
    kind, real = "tensor<1x16x6x6xi8>", "tensor<1x16x6x6xf32>"
    lines = [
        IDENTITY,
        f"func.func @layer(%a: {kind}, %b: {kind}) -> {kind} {{",
        "  %fine = arith.constant 3.125000e-02 : f32",
        "  %coarse = arith.constant 6.250000e-02 : f32",
        "  %none = arith.constant 0.0 : f32",
        "  %least = arith.constant -1.280000e+02 : f32",
        "  %most = arith.constant 1.270000e+02 : f32",
    ]
    for name, scale in (("a", "fine"), ("b", "coarse")):
        body = f"\n    %r = arith.sitofp %x : i8 to f32\n    %y = arith.mulf %r, %{scale} : f32"
        lines += elementwise(f"{name}f", [f"%{name}"], kind, real, body)
    lines += elementwise("sum", ["%af", "%bf"], real, real, "\n    %y = arith.addf %x, %x1 : f32")
    relu = "\n    %p = arith.cmpf ugt, %x, %none : f32\n    %y = arith.select %p, %x, %none : f32"
    lines += elementwise("relu", ["%sum"], real, real, relu)
    quantise = """
    %q = arith.divf %x, %coarse : f32
    %r = math.roundeven %q : f32
    %l = arith.maximumf %r, %least : f32
    %m = arith.minimumf %l, %most : f32
    %y = arith.fptosi %m : f32 to i8"""
    lines += elementwise("out", ["%relu"], real, kind, quantise)
    program = run_against_numpy("\n".join([*lines, f"  func.return %out : {kind}", "}", ""]))
    assert program.choices == ()


def test_a_host_segment_between_device_functions() -> None:
    """A product of two tensors runs on the host, by name and reason; the sum around it does not."""
    kind, wide = "tensor<1x16x6x6xi8>", "tensor<1x16x6x6xi32>"
    lines = [IDENTITY, f"func.func @layer(%a: {wide}, %b: {wide}) -> {kind} {{"]
    lines += elementwise(
        "sum", ["%a", "%b"], wide, kind, "\n    %s = arith.addi %x, %x1 : i32\n    %y = arith.trunci %s : i32 to i8"
    )
    lines += elementwise("squared", ["%sum"], kind, kind, "\n    %y = arith.muli %x, %x : i8")
    lines += elementwise(
        "last", ["%squared"], kind, kind, "\n    %one = arith.constant 1 : i8\n    %y = arith.addi %x, %one : i8"
    )
    program = run_against_numpy("\n".join([*lines, f"  func.return %last : {kind}", "}", ""]))
    assert len(program.devices) == 2
    assert said(program) == (
        "host: 'linalg.generic' cannot run on the VTA: it multiplies two tensors element by element; "
        "the VTA's hardware has no multiplication",
    )


def test_two_layers_do_not_repack() -> None:
    """The first product's result goes to the second as it is; constants are packed at compile time."""
    text = """
func.func @mlp(%data: tensor<4x20xi8>) -> tensor<4x10xi8> {
  %w1 = arith.constant dense<3> : tensor<20x24xi8>
  %w2 = arith.constant dense<-2> : tensor<24x10xi8>
  %zero = arith.constant 0 : i32
  %e1 = tensor.empty() : tensor<4x24xi32>
  %i1 = linalg.fill ins(%zero : i32) outs(%e1 : tensor<4x24xi32>) -> tensor<4x24xi32>
  %p1 = linalg.matmul ins(%data, %w1 : tensor<4x20xi8>, tensor<20x24xi8>)
    outs(%i1 : tensor<4x24xi32>) -> tensor<4x24xi32>
""" + "\n".join(
        [
            *_narrow("n1", "%p1", "4x24"),
            "  %e2 = tensor.empty() : tensor<4x10xi32>",
            "  %i2 = linalg.fill ins(%zero : i32) outs(%e2 : tensor<4x10xi32>) -> tensor<4x10xi32>",
            "  %p2 = linalg.matmul ins(%n1, %w2 : tensor<4x24xi8>, tensor<24x10xi8>) outs(%i2 : tensor<4x10xi32>) "
            "-> tensor<4x10xi32>",
            *_narrow("n2", "%p2", "4x10"),
            "  func.return %n2 : tensor<4x10xi8>\n}\n",
        ]
    )
    program = run_against_numpy("#id = affine_map<(m, n) -> (m, n)>" + text)
    names = [op.name for op in program.host.walk()]
    assert names.count("packing.pack") == 1
    assert names.count("packing.unpack") == 1
    assert [buffer.role for buffer in program.stream.buffers] == [
        "input",
        "output",
        "constant",
        "constant",
        "scratch",
        "uop",
    ]


def _narrow(name: str, source: str, shape: str) -> list[str]:
    return elementwise(name, [source], f"tensor<{shape}xi32>", f"tensor<{shape}xi8>", CLAMP, 2)
