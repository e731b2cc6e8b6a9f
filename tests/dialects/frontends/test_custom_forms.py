"""Operations of MLIR whose custom form xDSL lacks: mlir-opt reads what we print, and finds the program in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlir_opt import mlir_opt, needs_mlir_opt

from vtac.errors import CompileError
from vtac.text.printing import op_text
from vtac.text.source import parse

HERE = Path(__file__).parent
FILES = sorted(path.stem for path in HERE.glob("*.mlir"))


@needs_mlir_opt
@pytest.mark.parametrize("name", FILES)
def test_mlir_reads_what_is_printed(name: str) -> None:
    text = (HERE / f"{name}.mlir").read_text(encoding="utf-8")
    module, wanted = parse(text), mlir_opt(text=text)
    for generic in (False, True):
        assert mlir_opt(text=op_text(module, generic=generic)) == wanted


@needs_mlir_opt
@pytest.mark.parametrize("name", FILES)
def test_what_mlir_prints_is_read(name: str) -> None:
    text = (HERE / f"{name}.mlir").read_text(encoding="utf-8")
    module = parse(text)
    custom = mlir_opt("--mlir-print-op-generic=false", text=text)
    for printed in (mlir_opt(text=text), custom):
        assert parse(printed).is_structurally_equivalent(module)


HEAD = "@f(%m: memref<4xi32>, %n: memref<5xi32>, %f: memref<4xf32>, %t: tensor<4xi32>, %n0: index)"
REFUSED = {
    "copy of other elements": (
        '"memref.copy"(%m, %f) : (memref<4xi32>, memref<4xf32>) -> ()',
        "it copies memref<4xi32> to memref<4xf32>: one element type is required",
    ),
    "copy of other extents": (
        "memref.copy %m, %n : memref<4xi32> to memref<5xi32>",
        "it copies memref<4xi32> to memref<5xi32>: equal shapes are required",
    ),
    "cast to other extents": (
        "%c = memref.cast %m : memref<4xi32> to memref<5xi32>",
        "it casts memref<4xi32> to memref<5xi32>: one element type, scope and rank are required",
    ),
    "cast to other strides": (
        "%c = memref.cast %m : memref<4xi32> to memref<4xi32, strided<[2]>>",
        "it casts memref<4xi32> to memref<4xi32, strided<[2]>>: one element type",
    ),
    "access of too few dimensions": (
        "%x = affine.load %m[0, 1] : memref<4xi32>",
        "gives 2 indices into memref<4xi32>: one per dimension",
    ),
    "condition that is no set": (
        "affine.if affine_map<() -> (1)>() {\n  }",
        "affine_map<() -> (1)> is no condition: affine_set<..> is required",
    ),
    "condition of too few values": (
        "affine.if affine_set<(d0) : (d0 >= 0)>() {\n  }",
        "(0)[0] values are given to the set (d0) : (d0 >= 0)",
    ),
    "choice without an else": (
        '%x = "affine.if"() <{condition = affine_set<() : (1 >= 0)>}> ({\n  %c = arith.constant 1 : i32\n'
        "  affine.yield %c : i32\n  }, {\n  }) : () -> i32",
        "it has results: an else that yields them is required",
    ),
    "choice of another type": (
        "%x = affine.if affine_set<() : (1 >= 0)>() -> i32 {\n  %c = arith.constant 1 : i32\n"
        "  affine.yield %c : i32\n  } else {\n  affine.yield\n  }",
        "it yields (), its results are (i32): equal types are required",
    ),
    "reduction of no kind": (
        '%x = affine.parallel (%i) = (0) to (4) reduce ("sum") -> i32 {\n  }',
        "'sum' is no kind of reduction: one of addf, addi",
    ),
    "steps that go nowhere": (
        "affine.parallel (%i) = (0) to (4) step (0) {\n  }",
        "its steps are [0]: a positive one for each of its 1 loops is required",
    ),
    "bounds of too few loops": (
        "affine.parallel (%i, %j) = (0, 0) to (4) {\n  }",
        "its 2 loops have bounds in groups of [1] of 1",
    ),
    "loops of too few steps": (
        "scf.forall (%i, %j) = (0, 0) to (4, 4) step (1) {\n  }",
        "its 2 loops step at [1], with 0 values: one for each",
    ),
    "shared tensor of another type": (
        '"scf.forall"(%t) <{operandSegmentSizes = array<i32: 0, 0, 0, 1>, staticLowerBound = array<i64: 0>, '
        "staticStep = array<i64: 1>, staticUpperBound = array<i64: 4>}> ({\n  ^bb0(%i: index, %o: tensor<4xi32>):\n"
        '  "scf.forall.in_parallel"() ({\n  ^bb1:\n  }) : () -> ()\n  }) : (tensor<4xi32>) -> tensor<5xi32>',
        "its results have other types than its shared tensors",
    ),
    "loops of too few arguments": (
        "scf.forall (%i) in (4, 4) {\n  }",
        "its block takes index, index: an index a loop, and shared tensors",
    ),
    "reduction without a start": (
        "scf.parallel (%i) = (%n0) to (%n0) step (%n0) {\n    %c = arith.constant 1 : i32\n"
        "    scf.reduce(%c : i32) {\n    ^bb0(%a: i32, %b: i32):\n      scf.reduce.return %a : i32\n    }\n  }",
        "Expected 0 reductions but 1 provided",
    ),
    "extents that are not given": (
        "%g = tensor.generate {\n  ^bb0(%i: index):\n    tensor.yield %i : index\n  } : tensor<?xindex>",
        "tensor<?xindex> leaves 1 extents open, 0 are given",
    ),
    "elements by too few indices": (
        "%g = tensor.generate {\n  ^bb0(%i: index):\n    tensor.yield %i : index\n  } : tensor<2x2xindex>",
        "its block takes an index for each of the 2 dimensions",
    ),
    "elements of another type": (
        "%g = tensor.generate {\n  ^bb0(%i: index):\n    tensor.yield %i : index\n  } : tensor<4xi32>",
        "its block yields an element, i32",
    ),
    "padding of an open result": (
        "%p = tensor.pad %t low[1] high[1] {\n  ^bb0(%i: index):\n    %c = arith.constant 1 : i32\n"
        "    tensor.yield %c : i32\n  } : tensor<4xi32> to tensor<?xi32>",
        "dimension 0 of its result is open: it is 6",
    ),
    "padding of another rank": (
        "%p = tensor.pad %t low[1, 1] high[1] {\n  ^bb0(%i: index):\n    %c = arith.constant 1 : i32\n"
        "    tensor.yield %c : i32\n  } : tensor<4xi32> to tensor<6xi32>",
        "one rank is required",
    ),
    "tensor as a buffer of another shape": (
        "%b = bufferization.to_buffer %t : tensor<4xi32> to memref<5xi32>",
        "memref<5xi32> holds no tensor<4xi32>: equal shapes and element types are required",
    ),
    "buffer as a tensor of any rank": (
        "%b = bufferization.to_tensor %m : memref<4xi32> to tensor<*xi32>",
        "memref<4xi32> holds no tensor<*xi32>: equal shapes and element types are required",
    ),
    "slice outside of an iteration": (
        "tensor.parallel_insert_slice %t into %t[0] [4] [1] : tensor<4xi32> into tensor<4xi32>",
        "expects parent op 'scf.forall.in_parallel'",
    ),
    "maximum of no map": ("%x = affine.max 4 (%m)", "has no largest result: affine_map<..> is required"),
}


@pytest.mark.parametrize(("statement", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_operation_is_refused(statement: str, message: str) -> None:
    text = f"func.func {HEAD} {{\n  {statement}\n  return\n}}\n"
    with pytest.raises(CompileError) as error:
        parse(text)
    assert message in str(error.value)


GLOBALS = {
    "no contents": ("memref<4xi32> = 5", "dense<..>, dense_resource<..> or 'uninitialized' is required behind '='"),
    "no fixed shape": ("memref<?xi32> = dense<1>", "memref<?xi32> cannot hold a constant: a memref of static shape"),
    "too large": ("memref<99999x99999xi32> = dense<1>", "reading a constant of type tensor<99999x99999xi32> takes"),
    "other shape": ("memref<4xi32> = dense<[1, 2]>", "Expected [4] shape from the type, but got [2] shape"),
    "alignment": ("memref<4xi32> = dense<1> {alignment = 3 : i64}", "its alignment is 3: a power of 2 is required"),
}


@pytest.mark.parametrize(("rest", "message"), GLOBALS.values(), ids=GLOBALS)
def test_a_wrong_global_is_refused(rest: str, message: str) -> None:
    with pytest.raises(CompileError) as error:
        parse(f"memref.global @g : {rest}\n")
    assert message in str(error.value)
