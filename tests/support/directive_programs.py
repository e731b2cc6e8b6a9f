"""Small programs that directives find hard: halos, strides, padding, reductions, storage used twice."""

from __future__ import annotations

from collections.abc import Sequence

from storage_programs import CONCATENATED, REUSED_STORAGE, UPDATED, product

IDENTITIES = {rank: f"affine_map<({', '.join('ijkl'[:rank])}) -> ({', '.join('ijkl'[:rank])})>" for rank in range(1, 5)}


def chain(shape: Sequence[int], *names: str) -> str:
    """A function `f` that doubles an i32 tensor once per name, each stage a block of that name."""
    kind = f"tensor<{'x'.join(map(str, shape))}xi32>"
    maps = ", ".join([IDENTITIES[len(shape)]] * 2)
    loops = ", ".join(['"parallel"'] * len(shape))
    text = f"func.func @f(%x: {kind}) -> {kind} {{\n"
    for source, name in zip(("x", *names), names, strict=False):
        text += f"""  %{name}_empty = tensor.empty() : {kind}
  %{name} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{loops}]}}
      ins(%{source} : {kind}) outs(%{name}_empty : {kind}) {{
  ^bb0(%v: i32, %o: i32):
    %t = arith.addi %v, %v : i32
    linalg.yield %t : i32
  }} -> {kind}
"""
    return f"{text}  func.return %{names[-1]} : {kind}\n}}\n"


HALO = """
func.func @halo(%x: tensor<9x7xi32>) -> tensor<5x7xi32> {
  %c = arith.constant 3 : i32
  %e0 = tensor.empty() : tensor<9x7xi32>
  %a = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x : tensor<9x7xi32>) outs(%e0 : tensor<9x7xi32>) {
  ^bb0(%v: i32, %o: i32):
    %t = arith.muli %v, %c : i32
    linalg.yield %t : i32
  } -> tensor<9x7xi32>
  %e1 = tensor.empty() : tensor<7x7xi32>
  %b = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i + 2, j)>, affine_map<(i, j) -> (7 - i, j)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%a, %a : tensor<9x7xi32>, tensor<9x7xi32>) outs(%e1 : tensor<7x7xi32>) {
  ^bb0(%v: i32, %w: i32, %o: i32):
    %t = arith.subi %v, %w : i32
    linalg.yield %t : i32
  } -> tensor<7x7xi32>
  %e2 = tensor.empty() : tensor<5x7xi32>
  %d = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i + 1, j)>, affine_map<(i, j) -> (i + 2, 6 - j)>,
      affine_map<(i, j) -> (i + 3, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%b, %b, %a : tensor<7x7xi32>, tensor<7x7xi32>, tensor<9x7xi32>) outs(%e2 : tensor<5x7xi32>) {
  ^bb0(%v: i32, %w: i32, %u: i32, %o: i32):
    %t = arith.xori %v, %w : i32
    %s = arith.addi %t, %u : i32
    linalg.yield %s : i32
  } -> tensor<5x7xi32>
  func.return %d : tensor<5x7xi32>
}
"""
"""Stages that read their producer at shifted and mirrored rows; `a` has two consumers."""

POOL = """
func.func @pool(%x: tensor<2x6x7xi8>, %k: tensor<3x3xi8>) -> tensor<2x3x4xi8> {
  %low = arith.constant -128 : i8
  %one = arith.constant 1 : i8
  %e0 = tensor.empty() : tensor<2x6x7xi8>
  %a = linalg.generic {indexing_maps = [affine_map<(c, i, j) -> (c, i, j)>, affine_map<(c, i, j) -> (c, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<2x6x7xi8>) outs(%e0 : tensor<2x6x7xi8>) {
  ^bb0(%v: i8, %o: i8):
    %t = arith.addi %v, %one : i8
    linalg.yield %t : i8
  } -> tensor<2x6x7xi8>
  %p = tensor.pad %a low[0, 1, 1] high[0, 0, 1] {
  ^bb0(%p0: index, %p1: index, %p2: index):
    tensor.yield %low : i8
  } : tensor<2x6x7xi8> to tensor<2x7x9xi8>
  %e1 = tensor.empty() : tensor<2x3x4xi8>
  %f = linalg.fill ins(%low : i8) outs(%e1 : tensor<2x3x4xi8>) -> tensor<2x3x4xi8>
  %m = linalg.generic {indexing_maps = [affine_map<(c, i, j, u, v) -> (c, i * 2 + u, j * 2 + v)>,
      affine_map<(c, i, j, u, v) -> (u, v)>, affine_map<(c, i, j, u, v) -> (c, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%p, %k : tensor<2x7x9xi8>, tensor<3x3xi8>) outs(%f : tensor<2x3x4xi8>) {
  ^bb0(%v: i8, %w: i8, %acc: i8):
    %t = arith.maxsi %acc, %v : i8
    linalg.yield %t : i8
  } -> tensor<2x3x4xi8>
  %e2 = tensor.empty() : tensor<2x3x4xi8>
  %r = linalg.generic {indexing_maps = [affine_map<(c, i, j) -> (c, i, j)>, affine_map<(c, i, j) -> (c, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel"]} ins(%m : tensor<2x3x4xi8>) outs(%e2 : tensor<2x3x4xi8>) {
  ^bb0(%v: i8, %o: i8):
    %t = arith.addi %v, %one : i8
    linalg.yield %t : i8
  } -> tensor<2x3x4xi8>
  func.return %r : tensor<2x3x4xi8>
}
"""
"""Maximum pooling of stride 2 over a padded stage."""

ROW_SUMS = f"""
func.func @row_sums(%x: tensor<4x6xi32>, %w: tensor<5x6xi32>) -> tensor<4xi32> {{
  %zero = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<4x5xi32>
  %f0 = linalg.fill ins(%zero : i32) outs(%e0 : tensor<4x5xi32>) -> tensor<4x5xi32>
{product("product", "%x", "%w", "%f0", 6)}
  %seven = arith.constant 7 : i32
  %e1 = tensor.empty() : tensor<4xi32>
  %f1 = linalg.fill ins(%seven : i32) outs(%e1 : tensor<4xi32>) -> tensor<4xi32>
  %sums = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]}} ins(%product : tensor<4x5xi32>) outs(%f1 : tensor<4xi32>) {{
  ^bb0(%v: i32, %acc: i32):
    %s = arith.addi %acc, %v : i32
    linalg.yield %s : i32
  }} -> tensor<4xi32>
  func.return %sums : tensor<4xi32>
}}
"""
"""A reduction over the result of another."""

PREFIX = """
func.func @prefix(%six: memref<6xi32>, %t: memref<10xi32>, %out: memref<10xi32>, %sum: memref<1xi32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i + 3)>], iterator_types = ["parallel"]}
      ins(%six : memref<6xi32>) outs(%t : memref<10xi32>) {
  ^bb0(%v: i32, %o: i32):
    linalg.yield %v : i32
  }
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%t : memref<10xi32>) outs(%out : memref<10xi32>) {
  ^bb0(%v: i32, %o: i32):
    %a = arith.addi %v, %v : i32
    linalg.yield %a : i32
  }
  linalg.generic {indexing_maps = [affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i)>],
      iterator_types = ["parallel", "reduction"]} ins(%out : memref<10xi32>) outs(%sum : memref<1xi32>) {
  ^bb0(%v: i32, %acc: i32):
    %a = arith.addi %acc, %v : i32
    linalg.yield %a : i32
  }
  func.return
}
"""
"""A stage that updates the middle of an argument, and a sum on top of what an argument holds."""

GEMM = """
func.func @f(%x: memref<2x1x1x16xi8>, %w: memref<1x1x16x16xi8>, %y: memref<2x1x1x16xi8>) {
  %inp = memref.alloc() : memref<2x1x1x16xi8, "vta.inp">
  %wgt = memref.alloc() : memref<1x1x16x16xi8, "vta.wgt">
  %acc = memref.alloc() : memref<2x1x1x16xi32, "vta.acc">
  schedule.for %n = 0 to 2 {
    schedule.for %i = 0 to 1 {
      schedule.for %l = 0 to 16 {
        schedule.block "inp" <spatial 2, spatial 1, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%n, %i, %l)
          reads %x<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi8>
          writes %inp<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi8, "vta.inp"> {
        ^bb0(%v: i8):
          schedule.yield %v : i8
        }
      }
    }
  }
  schedule.for %n = 0 to 2 {
    schedule.for %i = 0 to 1 {
      schedule.for %o = 0 to 16 {
        schedule.for %k = 0 to 16 {
          schedule.block "acc" <spatial 2, spatial 1, spatial 16, reduction 16>
              = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%n, %i, %o, %k)
            reads %inp<(d0, d1, d2, d3) -> (d0, 0, d1, d3)> : memref<2x1x1x16xi8, "vta.inp">
            reads %wgt<(d0, d1, d2, d3) -> (0, 0, d2, d3)> : memref<1x1x16x16xi8, "vta.wgt">
            writes %acc<(d0, d1, d2, d3) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi32, "vta.acc">
            init 0 : i32 {
          ^bb0(%v: i8, %u: i8, %s: i32):
            %v32 = arith.extsi %v : i8 to i32
            %u32 = arith.extsi %u : i8 to i32
            %p = arith.muli %v32, %u32 : i32
            %t = arith.addi %s, %p : i32
            schedule.yield %t : i32
          }
        }
      }
    }
  }
  schedule.for %n = 0 to 2 {
    schedule.for %i = 0 to 1 {
      schedule.for %o = 0 to 16 {
        schedule.block "shr" <spatial 2, spatial 1, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%n, %i, %o)
          reads %acc<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi32, "vta.acc">
          writes %acc<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi32, "vta.acc"> {
        ^bb0(%v: i32):
          %c = arith.constant 4 : i32
          %t = arith.shrsi %v, %c : i32
          schedule.yield %t : i32
        }
      }
    }
  }
  schedule.for %n = 0 to 2 {
    schedule.for %i = 0 to 1 {
      schedule.for %o = 0 to 16 {
        schedule.block "y" <spatial 2, spatial 1, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%n, %i, %o)
          reads %acc<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi32, "vta.acc">
          writes %y<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi8> {
        ^bb0(%v: i32):
          %t = arith.trunci %v : i32 to i8
          schedule.yield %t : i8
        }
      }
    }
  }
  func.return
}
"""
"""A payload in the VTA's scopes: load, multiply and accumulate, shift, store."""

PROGRAMS: dict[str, str] = {
    "halo": HALO,
    "pool": POOL,
    "row_sums": ROW_SUMS,
    "updated": UPDATED,
    "reused": REUSED_STORAGE,
    "concatenated": CONCATENATED,
    "prefix": PREFIX,
}
