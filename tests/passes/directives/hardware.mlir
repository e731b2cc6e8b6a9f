// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// dma_copy, tensorize and alu: the loop, with all it holds, belongs to a unit.

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
          schedule.block "acc" <spatial 2, spatial 1, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%n, %i, %o, %k)
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
schedule.script @f {
  %inp = schedule.get_block "inp"
  %ni = schedule.get_loop %inp "n"
  schedule.dma_copy %ni
  %acc = schedule.get_block "acc"
  %i = schedule.get_loop %acc "i"
  schedule.tensorize %i, "vta.gemm"
  %shr = schedule.get_block "shr"
  %ns = schedule.get_loop %shr "n"
  schedule.alu %ns
  %y = schedule.get_block "y"
  %ny = schedule.get_loop %y "n"
  schedule.dma_copy %ny
}

// CHECK-LABEL:  func.func @f(%x: memref<2x1x1x16xi8>, %w: memref<1x1x16x16xi8>, %y: memref<2x1x1x16xi8>)
// CHECK-NEXT:   %inp = memref.alloc() : memref<2x1x1x16xi8, "vta.inp">
// CHECK-NEXT:   %wgt = memref.alloc() : memref<1x1x16x16xi8, "vta.wgt">
// CHECK-NEXT:   %acc = memref.alloc() : memref<2x1x1x16xi32, "vta.acc">
// CHECK-NEXT:   schedule.for %n = 0 to 2 attributes {dma_copy}
// CHECK-NEXT:     schedule.for %i = 0 to 1
// CHECK-NEXT:       schedule.for %l = 0 to 16
// CHECK-NEXT:         schedule.block "inp" <spatial 2, spatial 1, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%n, %i, %l)
// CHECK-NEXT:           reads %x<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi8>
// CHECK-NEXT:           writes %inp<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi8, "vta.inp">
// CHECK:        schedule.for %n_1 = 0 to 2
// CHECK-NEXT:     schedule.for %i_1 = 0 to 1 attributes {tensorize = "vta.gemm"}
// CHECK-NEXT:       schedule.for %o = 0 to 16
// CHECK-NEXT:         schedule.for %k = 0 to 16
// CHECK-NEXT:           schedule.block "acc" <spatial 2, spatial 1, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%n_1, %i_1, %o, %k)
// CHECK-NEXT:             reads %inp<(d0, d1, d2, d3) -> (d0, 0, d1, d3)> : memref<2x1x1x16xi8, "vta.inp">
// CHECK-NEXT:             reads %wgt<(d0, d1, d2, d3) -> (0, 0, d2, d3)> : memref<1x1x16x16xi8, "vta.wgt">
// CHECK-NEXT:             writes %acc<(d0, d1, d2, d3) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi32, "vta.acc">
// CHECK-NEXT:             init 0 : i32
// CHECK:        schedule.for %n_2 = 0 to 2 attributes {alu}
// CHECK-NEXT:     schedule.for %i_2 = 0 to 1
// CHECK-NEXT:       schedule.for %o_1 = 0 to 16
// CHECK-NEXT:         schedule.block "shr" <spatial 2, spatial 1, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%n_2, %i_2, %o_1)
// CHECK-NEXT:           reads %acc<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi32, "vta.acc">
// CHECK-NEXT:           writes %acc<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi32, "vta.acc">
// CHECK:        schedule.for %n_3 = 0 to 2 attributes {dma_copy}
// CHECK-NEXT:     schedule.for %i_3 = 0 to 1
// CHECK-NEXT:       schedule.for %o_2 = 0 to 16
// CHECK-NEXT:         schedule.block "y" <spatial 2, spatial 1, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%n_3, %i_3, %o_2)
// CHECK-NEXT:           reads %acc<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi32, "vta.acc">
// CHECK-NEXT:           writes %y<(d0, d1, d2) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi8>
