// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// tensorize: a loop that matches an intrinsic bears its name.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%inp: memref<2x1x1x16xi8, "vta.inp">, %wgt: memref<1x1x16x16xi8, "vta.wgt">, %acc: memref<2x1x1x16xi32, "vta.acc"> {schedule.result}) {
// CHECK-NEXT:   schedule.for %n = 0 to 2 {
// CHECK-NEXT:     schedule.for %i = 0 to 1 attributes {tensorize = "vta.gemm"} {
// CHECK-NEXT:       schedule.for %o = 0 to 16 {
// CHECK-NEXT:         schedule.for %k = 0 to 16 {
// CHECK-NEXT:           schedule.block "acc" <spatial 2, spatial 1, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%n, %i, %o, %k)
// CHECK-NEXT:             reads %inp<(d0, d1, d2, d3) -> (d0, 0, d1, d3)> : memref<2x1x1x16xi8, "vta.inp">
// CHECK-NEXT:             reads %wgt<(d0, d1, d2, d3) -> (0, 0, d2, d3)> : memref<1x1x16x16xi8, "vta.wgt">
// CHECK-NEXT:             writes %acc<(d0, d1, d2, d3) -> (d0, 0, d1, d2)> : memref<2x1x1x16xi32, "vta.acc">
// CHECK-NEXT:             init 0 : i32 {
// CHECK-NEXT:           ^bb0(%v: i8, %u: i8, %s: i32):
// CHECK-NEXT:             %v32 = arith.extsi %v : i8 to i32
// CHECK-NEXT:             %u32 = arith.extsi %u : i8 to i32
// CHECK-NEXT:             %p = arith.muli %v32, %u32 : i32
// CHECK-NEXT:             %t = arith.addi %s, %p : i32
// CHECK-NEXT:             schedule.yield %t : i32
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @f(%inp: memref<2x1x1x16xi8, "vta.inp">, %wgt: memref<1x1x16x16xi8, "vta.wgt">, %acc: memref<2x1x1x16xi32, "vta.acc"> {schedule.result}) {
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
  func.return
}
schedule.script @f {
  %acc = schedule.get_block "acc"
  %i = schedule.get_loop %acc "i"
  schedule.tensorize %i, "vta.gemm"
}

// -----

func.func @f(%inp: memref<2x1x1x16xi8, "vta.inp">, %wgt: memref<1x1x16x16xi8, "vta.wgt">, %acc: memref<2x1x1x16xi32, "vta.acc"> {schedule.result}) {
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
  func.return
}
schedule.script @f {
  %acc = schedule.get_block "acc"
  %i = schedule.get_loop %acc "i"
  // expected-error @+1 {{tensorize: no intrinsic 'vta.gem'; the intrinsics are}}
  schedule.tensorize %i, "vta.gem"
}

// -----

// The error names the first difference.

func.func @f(%inp: memref<2x1x1x16xi8, "vta.inp">, %wgt: memref<1x1x16x16xi8, "vta.wgt">, %acc: memref<2x1x1x16xi32, "vta.acc"> {schedule.result}) {
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
  func.return
}
schedule.script @f {
  %acc = schedule.get_block "acc"
  %k = schedule.get_loop %acc "k"
  // expected-error @+1 {{tensorize: loop 'k' (extent 16) is not vta.gemm: }}
  schedule.tensorize %k, "vta.gemm"
}
