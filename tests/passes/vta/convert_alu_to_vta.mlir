// RUN: vtac-opt %s -p convert-alu-to-vta --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p convert-alu-to-vta,convert-alu-to-vta --split-input-file --verify-diagnostics | filecheck %s

// One kernel per operation of the body, in place on the output; contiguous loops are one. Copies stay loops.

// CHECK-LABEL: func.func @chain
// CHECK:           schedule.block "in"
// CHECK:         vta.alu shr imm 2 on(%own, %own : {{.*}}) loops [<6, 1, 1, 0>] micro [] () -> (0, 0)
// CHECK-NEXT:    vta.alu max imm 0 on(%own, %own : {{.*}}) loops [<6, 1, 1, 0>] micro [] () -> (0, 0)
// CHECK-NEXT:    schedule.for %{{.*}} = 0 to 2 attributes {dma_copy}
// CHECK:           schedule.block "out"
func.func @chain(%x: memref<2x3x1x16xi32>, %y: memref<2x3x1x16xi8> {schedule.result}) {
  %own = memref.alloc() : memref<2x3x1x16xi32, "vta.acc">
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %b = 0 to 3 {
      schedule.for %e = 0 to 16 {
        schedule.block "in" <spatial 2, spatial 3, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%a, %b, %e)
          reads %x<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi32>
          writes %own<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi32, "vta.acc"> {
        ^bb0(%v: i32):
          schedule.yield %v : i32
        }
      }
    }
  }
  schedule.for %c = 0 to 2 attributes {alu} {
    schedule.for %d = 0 to 3 {
      schedule.for %e = 0 to 16 {
        schedule.block "point" <spatial 2, spatial 3, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%c, %d, %e)
          reads %own<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi32, "vta.acc">
          writes %own<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi32, "vta.acc"> {
        ^bb0(%v: i32):
          %two = arith.constant 2 : i32
          %zero = arith.constant 0 : i32
          %s = arith.shrsi %v, %two : i32
          %w = arith.maxsi %s, %zero : i32
          schedule.yield %w : i32
        }
      }
    }
  }
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %b = 0 to 3 {
      schedule.for %e = 0 to 16 {
        schedule.block "out" <spatial 2, spatial 3, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%a, %b, %e)
          reads %own<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi32, "vta.acc">
          writes %y<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi8> {
        ^bb0(%v: i32):
          %t = arith.trunci %v : i32 to i8
          schedule.yield %t : i8
        }
      }
    }
  }
  func.return
}

// -----

// A value that something reads afterwards is copied first: the output is reset, then the value added.

// CHECK-LABEL: func.func @survives
// CHECK:         vta.alu add imm 1 on(%own, %own :
// CHECK-NEXT:    vta.gemm reset on(%sum,
// CHECK-NEXT:    vta.alu add on(%sum, %own : {{.*}}) loops [<2, 1, 1, 0>]
// CHECK-NEXT:    vta.alu add imm 3 on(%sum, %sum :
func.func @survives(%x: memref<2x1x16xi32>, %y: memref<2x1x16xi8> {schedule.result}, %z: memref<2x1x16xi8> {schedule.result}) {
  %own = memref.alloc() : memref<2x1x16xi32, "vta.acc">
  %sum = memref.alloc() : memref<2x1x16xi32, "vta.acc">
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %e = 0 to 16 {
      schedule.block "in" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%a, %e)
        reads %x<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi32>
        writes %own<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi32, "vta.acc"> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  schedule.for %a = 0 to 2 attributes {alu} {
    schedule.for %e = 0 to 16 {
      schedule.block "more" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%a, %e)
        reads %own<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi32, "vta.acc">
        writes %own<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi32, "vta.acc"> {
      ^bb0(%v: i32):
        %c = arith.constant 1 : i32
        %w = arith.addi %v, %c : i32
        schedule.yield %w : i32
      }
    }
  }
  schedule.for %a = 0 to 2 attributes {alu} {
    schedule.for %e = 0 to 16 {
      schedule.block "point" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%a, %e)
        reads %own<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi32, "vta.acc">
        writes %sum<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi32, "vta.acc"> {
      ^bb0(%v: i32):
        %three = arith.constant 3 : i32
        %w = arith.addi %v, %three : i32
        schedule.yield %w : i32
      }
    }
  }
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %e = 0 to 16 {
      schedule.block "first" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%a, %e)
        reads %sum<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi32, "vta.acc">
        writes %y<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi8> {
      ^bb0(%v: i32):
        %t = arith.trunci %v : i32 to i8
        schedule.yield %t : i8
      }
    }
  }
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %e = 0 to 16 {
      schedule.block "second" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%a, %e)
        reads %own<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi32, "vta.acc">
        writes %z<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi8> {
      ^bb0(%v: i32):
        %t = arith.trunci %v : i32 to i8
        schedule.yield %t : i8
      }
    }
  }
  func.return
}

// -----

func.func @multiplication(%from: memref<4x1x16xi32, "vta.acc">, %to: memref<4x1x16xi32, "vta.acc">) {
  schedule.for %i = 0 to 4 attributes {alu} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{alu of block 'point': arith.muli; the VTA's hardware has no elementwise multiplication}}
  schedule.block "point" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc">
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc"> {
  ^bb0(%x: i32):
    %c = arith.constant 3 : i32
    %y = arith.muli %x, %c : i32
    schedule.yield %y : i32
  }
  }
  }
  func.return
}

// -----

func.func @immediate(%from: memref<4x1x16xi32, "vta.acc">, %to: memref<4x1x16xi32, "vta.acc">) {
  schedule.for %i = 0 to 4 attributes {alu} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{alu of block 'point': the immediate 40000; the field holds -32768 to 32767}}
  schedule.block "point" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc">
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc"> {
  ^bb0(%x: i32):
    %c = arith.constant 40000 : i32
    %y = arith.addi %x, %c : i32
    schedule.yield %y : i32
  }
  }
  }
  func.return
}

// -----

func.func @shift(%from: memref<4x1x16xi32, "vta.acc">, %to: memref<4x1x16xi32, "vta.acc">) {
  schedule.for %i = 0 to 4 attributes {alu} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{alu of block 'point': a shift by 32; the hardware shifts by 0 to 31}}
  schedule.block "point" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc">
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc"> {
  ^bb0(%x: i32):
    %c = arith.constant 32 : i32
    %y = arith.shrsi %x, %c : i32
    schedule.yield %y : i32
  }
  }
  }
  func.return
}

// -----

func.func @other_operation(%from: memref<4x1x16xi32, "vta.acc">, %to: memref<4x1x16xi32, "vta.acc">) {
  schedule.for %i = 0 to 4 attributes {alu} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{alu of block 'point': expected one of}}
  schedule.block "point" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc">
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc"> {
  ^bb0(%x: i32):
    %y = arith.xori %x, %x : i32
    schedule.yield %y : i32
  }
  }
  }
  func.return
}

// -----

func.func @other_scope(%from: memref<4x1x16xi32>, %to: memref<4x1x16xi32, "vta.acc">) {
  schedule.for %i = 0 to 4 attributes {alu} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{alu of block 'point': 'from' lives in global; the ALU works on vta.acc}}
  schedule.block "point" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32>
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc"> {
  ^bb0(%x: i32):
    %c = arith.constant 1 : i32
    %y = arith.addi %x, %c : i32
    schedule.yield %y : i32
  }
  }
  }
  func.return
}

// -----

func.func @half_tile(%from: memref<4x1x16xi32, "vta.acc">, %to: memref<4x1x16xi32, "vta.acc">) {
  schedule.for %i = 0 to 4 attributes {alu} {
  schedule.for %j = 0 to 8 {
  // expected-error @+1 {{alu of block 'point': expected loops over the 1 x 16 scalars of a tile of 'from' inside, found 8 of them; the ALU works on whole tiles: keep the tile's loops innermost}}
  schedule.block "point" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc">
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi32, "vta.acc"> {
  ^bb0(%x: i32):
    %c = arith.constant 1 : i32
    %y = arith.addi %x, %c : i32
    schedule.yield %y : i32
  }
  }
  }
  func.return
}

// -----

func.func @several_statements(%own: memref<4x1x16xi32, "vta.acc">) {
  // expected-error @+1 {{alu: loop 'i' holds several statements}}
  schedule.for %i = 0 to 4 attributes {alu} {
    schedule.for %j = 0 to 16 {
    }
    schedule.for %k = 0 to 16 {
    }
  }
  func.return
}
