"""Names, arithmetic and statements of small kernels as CUDA text, and what has none."""

from __future__ import annotations

import pytest
from lowering import lower

import vtac
from vtac.errors import CompileError
from vtac.targets.cuda.building import to_program
from vtac.targets.cuda.emit.kernel import emit_cuda, launch_record
from vtac.text.source import parse
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_matmul import WmmaMatmul

KERNEL = """
func.func @k({arguments})
    attributes {{gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>}} {{
  %half = "gpu.thread_id"() <{{dimension = #gpu<dim x>}}> : () -> index
  {body}
  func.return
}}
"""


def body(text: str, arguments: str = "%x: memref<32xf32>, %y: memref<32xf32>") -> str:
    return emit_cuda(parse(KERNEL.format(arguments=arguments, body=text)))


def test_names_stay_clear_of_cpp_and_of_each_other() -> None:
    text = body(
        "%v = memref.load %float[%half] : memref<32xf32>\n  memref.store %v, %int[%half] : memref<32xf32>",
        "%float: memref<32xf32>, %int: memref<32xf32>",
    )
    assert "const float *__restrict__ float_," in text
    assert "float *__restrict__ int_)" in text
    assert "const int half_ = static_cast<int>(threadIdx.x);" in text
    assert "int_[half_] = v;" in text


@pytest.mark.parametrize(
    ("function", "argument", "kernel", "parameter"),
    [
        ("main", "y", "main_", "y"),
        ("memcpy", "uint2", "memcpy_", "uint2_"),
        ("float", "reinterpret_cast", "float_", "reinterpret_cast_"),
        ('"a b"', "max", "a_b", "max_"),
        ("product", "main", "product", "main"),
    ],
)
def test_names_of_kernels_and_parameters(function: str, argument: str, kernel: str, parameter: str) -> None:
    """What a launch record names is what the text declares; memrefs written in place keep being arguments."""
    text = KERNEL.format(
        arguments=f"%x: memref<32xf32>, %{argument}: memref<32xf32>",
        body=f"%v = memref.load %x[%half] : memref<32xf32>\n  memref.store %v, %{argument}[%half] : memref<32xf32>",
    )
    program = to_program(parse(text.replace("@k", f"@{function}")))
    assert program.launch.kernel == kernel
    assert [stated.name for stated in program.arguments] == ["x", parameter]
    assert program.in_place == (parameter,)
    assert f"\n{kernel}(\n" in program.text
    assert f"float *__restrict__ {parameter})" in program.text


def test_the_least_integer_is_an_int() -> None:
    text = body(
        """
  %c = arith.constant -2147483648 : i32
  %i = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %v = memref.load %x[%i] : memref<32xi32>
  %m = arith.maxsi %v, %c : i32
  memref.store %m, %y[%i] : memref<32xi32>
""",
        "%x: memref<32xi32>, %y: memref<32xi32>",
    )
    assert "max(v, (-2147483647 - 1))" in text


def test_arithmetic_and_its_parentheses() -> None:
    text = body(
        """%a = memref.load %x[%half] : memref<32xf32>
  %c = arith.constant 0.5 : f32
  %s = arith.addf %a, %c : f32
  %p = arith.mulf %s, %a : f32
  %d = arith.subf %a, %p : f32
  %e = arith.subf %d, %s : f32
  %m = arith.maximumf %e, %a : f32
  memref.store %m, %y[%half] : memref<32xf32>"""
    )
    expression = "a - (a + 0.5f) * a - (a + 0.5f)"
    assert f"const float e = {expression};" in text
    assert "y[half_] = e < a || a != a || (e == a && __float_as_int(e) < 0) ? a : e;" in text


def test_narrow_integers_wrap() -> None:
    text = body(
        """%a = memref.load %x[%half] : memref<32xi8>
  %s = arith.addi %a, %a : i8
  %w = arith.extsi %s : i8 to i32
  memref.store %w, %y[%half] : memref<32xi32>""",
        "%x: memref<32xi8>, %y: memref<32xi32>",
    )
    assert "y[half_] = static_cast<int>(static_cast<signed char>(a + a));" in text


def test_conditions_need_few_parentheses() -> None:
    text = body(
        """%z = arith.constant 7 : index
  %i = affine.apply affine_map<(d0) -> (d0 floordiv 4 - d0 mod 3)> (%half)
  %p = arith.cmpi sge, %i, %z : index
  %q = arith.cmpi slt, %half, %z : index
  %r = arith.andi %p, %q : i1
  scf.if %r {
    %v = memref.load %x[%half] : memref<32xf32>
    memref.store %v, %y[%half] : memref<32xf32>
  }"""
    )
    assert "if (half_ / 4 - half_ % 3 >= 7 && half_ < 7) {" in text.replace("(half_ % 3)", "half_ % 3")


def test_map_runs_over_a_fragment() -> None:
    text = body(
        """%f = wmma.fragments : !wmma.fragment<2 x accumulator [16, 16, 16] f32>
  %one = arith.constant 1 : index
  wmma.map %f[%one] : !wmma.fragment<2 x accumulator [16, 16, 16] f32> {
  ^bb0(%e: f32):
    %d = arith.addf %e, %e : f32
    wmma.yield %d : f32
  }"""
    )
    assert "for (int element = 0; element < f[1].num_elements; ++element) {" in text
    assert "f[1].x[element] = f[1].x[element] + f[1].x[element];" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%s = memref.alloca() : memref<4xf32>", "'memref.alloca' has no CUDA text"),
        ("%s = arith.shrui %half, %half : index", "'arith.shrui' has no CUDA text"),
    ],
)
def test_what_has_no_text(text: str, message: str) -> None:
    with pytest.raises(CompileError) as caught:
        body(text)
    assert message in str(caught.value)


def test_a_module_without_a_kernel() -> None:
    layer = WmmaMatmul(32, 32, 32)
    module = lower(layer.text(), None, layer.schedule(), "blocked")
    with pytest.raises(CompileError, match="CUDA text is made from one kernel; the module has 0: run lower-to-wmma"):
        emit_cuda(module)


def test_more_elements_than_an_int_counts() -> None:
    layer = WmmaConv2D(batch=256, height=224, width=224, in_channels=256, out_channels=128, kernel=1, padding=0)
    with pytest.raises(CompileError) as caught:
        vtac.compile(layer.text(), "cuda", schedule=layer.seed_schedule())
    assert (
        "'data' of shape 16x224x224x16x16x16 has 3,288,334,336 elements; a kernel counts elements in integers of 32 "
        "bits: at most 2,147,483,647"
    ) in str(caught.value)


def test_an_argument_that_is_read_and_written() -> None:
    text = KERNEL.format(
        arguments="%x: memref<32xf32>",
        body="%v = memref.load %x[%half] : memref<32xf32>\n  memref.store %v, %x[%half] : memref<32xf32>",
    )
    assert launch_record(parse(text)).parameters[0].role == "output"
    from vtac.targets.cuda.building import to_program

    with pytest.raises(CompileError, match="'x' is read and written by kernel 'k'"):
        to_program(parse(text))


WIDE = """
func.func @wide(%x: tensor<64xf32>) -> tensor<64xf32> {
  %e = tensor.empty() : tensor<64xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %s: f32):
    %t = arith.fptosi %a : f32 to i64
    %u = arith.sitofp %t : i64 to f32
    linalg.yield %u : f32
  } -> tensor<64xf32>
  func.return %z : tensor<64xf32>
}
"""


def test_a_type_without_a_name_in_cuda_is_refused_where_it_stands() -> None:
    with pytest.raises(CompileError, match=r":4:8: element type i64 has no CUDA name here"):
        vtac.compile(WIDE, "cuda")
