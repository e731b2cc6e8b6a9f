"""Named operations of linalg mean what MLIR says: the `linalg.generic` that it makes of each computes the same."""

from __future__ import annotations

import re

import numpy as np
import pytest
from mlir_opt import mlir_opt, needs_mlir_opt

import vtac
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.evaluate.numbers import Array

_INDICES = ", ".join(f"affine_map<(m, n, k) -> {one}>" for one in ("(k, m)", "(n, k)", "(m, n)"))
_MAPS = f"indexing_maps = [{_INDICES}]"
_STRIDES = "{strides = dense<2> : vector<2xi64>}"
_TWO = "{dilations = dense<[1, 2]> : tensor<2xi64>, strides = dense<[2, 1]> : tensor<2xi64>}"
_THREE = "{dilations = dense<[1, 2, 1]> : tensor<3xi64>, strides = dense<[2, 1, 2]> : tensor<3xi64>}"
OPERATIONS = {
    "plain convolution": ("conv_2d_nchw_fchw", "1x2x8x8xi8 3x2x2x2xi8 1x3x7x7xi32"),
    "convolution with strides alone": (f"conv_2d_nchw_fchw {_STRIDES}", "1x2x8x8xi8 3x2x2x2xi8 1x3x4x4xi32"),
    "convolution that fills less": ("conv_2d_nhwc_hwcf", "1x8x8x2xi8 2x2x2x3xi8 1x5x6x3xi32"),
    "dilated convolution": (
        "conv_2d_nhwc_fhwc {dilations = dense<[2, 1]> : tensor<2xi64>}",
        "1x8x8x2xf32 3x2x2x2xf32 1x6x7x3xf32",
    ),
    "groups, features first": ("conv_2d_ngchw_fgchw", "1x3x2x6x6xi8 4x3x2x2x2xi8 1x3x4x5x5xi32"),
    "groups, channels last": ("conv_2d_nhwgc_gfhwc", "1x6x6x3x2xi8 3x4x2x2x2xi8 1x5x5x3x4xi32"),
    "groups with zero points": ("conv_2d_nhwgc_gfhwc_q", "1x6x6x3x2xi8 3x4x2x2x2xi8 i32 i32 1x5x5x3x4xi32"),
    "several kernels per channel": ("depthwise_conv_2d_nhwc_hwcm", "1x6x6x3xi8 2x2x3x4xi8 1x5x5x3x4xi32"),
    "largest": ("pooling_nchw_max", "1x3x6x6xi8 2x2xi8 1x3x5x5xi8"),
    "smallest": (f"pooling_nhwc_min {_STRIDES}", "1x6x6x3xi8 2x2xi8 1x3x3x3xi8"),
    "sum of single bits": ("pooling_nhwc_sum", "1x4x4x3xi1 2x2xi1 1x3x3x3xi1"),
    "transposed factors": (f"matmul {_MAPS}", "8x4xi8 3x8xi8 4x3xi32"),
    "factors without signs": ("matmul {cast = #linalg.type_fn<cast_unsigned>}", "4x8xi8 8x3xi8 4x3xi32"),
    "narrow accumulator": ("matmul", "4x8xi32 8x3xi32 4x3xi8"),
    "integers by floats": ("matmul", "4x8xi8 8x3xf32 4x3xf32"),
    "single bits": ("matmul", "4x8xi1 8x3xi1 4x3xi1"),
    "matrices and vectors": ("batch_matvec", "3x4x5xi8 3x5xi8 3x4xi32"),
    "vectors and matrices": ("batch_vecmat", "3x5xi8 3x5x2xi8 3x2xi32"),
    "sum of products": ("batch_reduce_matmul", "3x4x5xi8 3x5x2xi8 4x2xi32"),
    "sequences, channels first": (
        "conv_1d_ncw_fcw {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>}",
        "2x3x8xi8 4x3x3xi8 2x4x3xi32",
    ),
    "sequences, channels last": (
        "conv_1d_nwc_wcf {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>}",
        "2x8x3xi8 3x3x4xi8 2x3x4xi32",
    ),
    "volumes, channels first": (
        f"conv_3d_ncdhw_fcdhw {_THREE}",
        "2x3x6x7x8xi8 4x3x2x2x3xi8 2x4x3x5x3xi32",
    ),
    "volumes with zero points": (
        f"conv_3d_ndhwc_dhwcf_q {_THREE}",
        "2x6x7x8x3xi8 2x2x3x3x4xi8 i32 i32 2x3x5x3x4xi32",
    ),
    "several kernels per channel of sequences": (
        "depthwise_conv_1d_nwc_wcm {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>}",
        "2x8x3xi8 3x3x2xi8 2x3x3x2xi32",
    ),
    "several kernels per channel with zero points": (
        f"depthwise_conv_2d_nhwc_hwcm_q {_TWO}",
        "2x7x8x3xi8 2x3x3x2xi8 i32 i32 2x3x4x3x2xi32",
    ),
    "volumes, by channel": (
        f"depthwise_conv_3d_ncdhw_cdhw {_THREE}",
        "2x3x6x7x8xi8 3x2x2x3xi8 2x3x3x5x3xi32",
    ),
    "sums of sequences": (
        "pooling_ncw_sum {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>}",
        "2x3x8xi8 3xi8 2x3x3xi32",
    ),
    "smallest of volumes": (
        f"pooling_ndhwc_min {_THREE}",
        "2x6x7x8x3xi8 2x2x3xi8 2x3x5x3x3xi32",
    ),
    "largest without signs": (
        f"pooling_nhwc_max_unsigned {_TWO}",
        "2x7x8x3xi8 2x3xi8 2x3x4x3xi32",
    ),
    "smallest of sequences without signs": (
        "pooling_nwc_min_unsigned {dilations = dense<[1]> : tensor<1xi64>, strides = dense<[2]> : tensor<1xi64>}",
        "2x8x3xi8 3xi8 2x3x3xi32",
    ),
}


def program(operation: str, kinds: str) -> str:
    """A function of one operation: its inputs, of which scalars are constants, the last one where it begins."""
    types = [f"tensor<{kind}>" if "x" in kind else kind for kind in kinds.split()]
    values = [(f"%a{number}", kind) for number, kind in enumerate(types)]
    arguments = ", ".join(f"{name}: {kind}" for name, kind in values if "<" in kind)
    constants = "".join(f"  {name} = arith.constant -3 : {kind}\n" for name, kind in values if "<" not in kind)
    ins = f"{', '.join(name for name, _ in values[:-1])} : {', '.join(types[:-1])}"
    return (
        f"func.func @main({arguments}) -> {types[-1]} {{\n{constants}"
        f"  %r = linalg.{operation} ins({ins}) outs({values[-1][0]} : {types[-1]}) -> {types[-1]}\n"
        f"  func.return %r : {types[-1]}\n}}\n"
    )


def data(kinds: str) -> list[Array]:
    """Numbers for its tensors, negative ones too."""
    random = np.random.default_rng(7)
    dtypes = {"i1": np.bool_, "i8": np.int8, "i32": np.int32, "f32": np.float32}
    arrays: list[Array] = []
    for kind in kinds.split():
        *extents, element = kind.split("x")
        low, high = (0, 2) if element == "i1" else (-128, 128)
        if extents:
            arrays.append(random.integers(low, high, [int(extent) for extent in extents]).astype(dtypes[element]))
    return arrays


@needs_mlir_opt
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_named_operation_computes_what_mlir_makes_of_it(name: str) -> None:
    text = program(*OPERATIONS[name])
    arrays = data(OPERATIONS[name][1])
    named = evaluate(vtac.parse(text), *arrays)
    for arguments in ((), ("--linalg-generalize-named-ops",)):
        theirs = evaluate(vtac.parse(mlir_opt(*arguments, text=text)), *arrays)
        np.testing.assert_array_equal(named, theirs)


@pytest.mark.parametrize("name", ["transposed factors", "plain convolution"])
def test_a_program_for_vta_computes_the_same(name: str) -> None:
    text, arrays = program(*OPERATIONS[name]), data(OPERATIONS[name][1])
    module = vtac.parse(text)
    found = vtac.compile(module)(*[array.astype(array.dtype.name) for array in arrays])
    np.testing.assert_array_equal(found, evaluate(module, *arrays))


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ("(n, k)", "the indexing map (d0, d1, d2) -> (d1, d2) is no permutation of (d0, d1, d2) -> (d0, d2)"),
        ("(m)", "the indexing map (d0, d1, d2) -> (d0) is no permutation of (d0, d1, d2) -> (d0, d2), nor of a part"),
    ],
)
def test_a_product_whose_maps_are_none_is_refused(maps: str, message: str) -> None:
    operation = f"matmul {_MAPS.replace('(k, m)', maps)}"
    shape = "3x8" if "k" in maps else "4"
    with pytest.raises(CompileError, match=re.escape(message)):
        vtac.parse(program(operation, f"{shape}xi8 3x8xi8 4x3xi32"))


@pytest.mark.parametrize(
    ("operation", "kinds", "message"),
    [
        (
            "pooling_nhwc_max_unsigned",
            "1x6x6x3xf32 2x2xf32 1x5x5x3xf32",
            "elements of type f32: integers are required, which have no sign here",
        ),
        (
            "conv_1d_ncw_fcw {strides = dense<2> : tensor<2xi64>}",
            "1x2x8xi8 3x2x2xi8 1x3x4xi32",
            "its strides are dense<2> : tensor<2xi64>: one i64 for its axis is required",
        ),
        (
            "pooling_ndhwc_sum {dilations = dense<-1> : tensor<3xi64>}",
            "1x6x6x6x3xi8 2x2x2xi8 1x5x5x5x3xi8",
            "its dilations are dense<-1> : tensor<3xi64>: windows move forward, by 1 or more",
        ),
    ],
)
def test_a_window_that_is_none_is_refused(operation: str, kinds: str, message: str) -> None:
    with pytest.raises(CompileError, match=re.escape(message)):
        vtac.parse(program(operation, kinds))
