// RUN: vtac-opt %s -p convert-gemm-to-vta --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p convert-gemm-to-vta,convert-gemm-to-vta --split-input-file --verify-diagnostics | filecheck %s

// The serial loops around a tile run in hardware, outermost first; the init is a kernel that resets.

// CHECK-LABEL: func.func @product
// CHECK:           schedule.block "x_in"
// CHECK:         vta.gemm reset on(%own, {{.*}}) loops [<3, 1, 0, 0>]
// CHECK-NEXT:    vta.gemm on(%own, %xs, %ws : {{.*}}) loops [<3, 1, 0, 2>, <2, 0, 1, 1>] micro [] () -> (0, 0, 0)
// CHECK-NEXT:    schedule.for %{{.*}} = 0 to 3 attributes {dma_copy}
func.func @product(%x: memref<2x1x16xi8>, %w: memref<3x2x16x16xi8>, %y: memref<3x1x16xi8> {schedule.result}) {
  %xs = memref.alloc() : memref<2x1x16xi8, "vta.inp">
  %ws = memref.alloc() : memref<3x2x16x16xi8, "vta.wgt">
  %own = memref.alloc() : memref<3x1x16xi32, "vta.acc">
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %e = 0 to 16 {
      schedule.block "x_in" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%a, %e)
        reads %x<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi8>
        writes %xs<(d0, d1) -> (d0, 0, d1)> : memref<2x1x16xi8, "vta.inp"> {
      ^bb0(%v: i8):
        schedule.yield %v : i8
      }
    }
  }
  schedule.for %a = 0 to 3 attributes {dma_copy} {
    schedule.for %b = 0 to 2 {
      schedule.for %c = 0 to 16 {
        schedule.for %e = 0 to 16 {
          schedule.block "w_in" <spatial 3, spatial 2, spatial 16, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%a, %b, %c, %e)
            reads %w<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x2x16x16xi8>
            writes %ws<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x2x16x16xi8, "vta.wgt"> {
          ^bb0(%v: i8):
            schedule.yield %v : i8
          }
        }
      }
    }
  }
  schedule.for %rows = 0 to 3 {
    schedule.for %o = 0 to 16 attributes {tensorize = "vta.gemm"} {
      schedule.block "init" <spatial 3, spatial 16> = (d0, d1) -> (d0, d1)(%rows, %o)
        writes %own<(d0, d1) -> (d0, 0, d1)> : memref<3x1x16xi32, "vta.acc"> {
        %zero = arith.constant 0 : i32
        schedule.yield %zero : i32
      }
    }
  }
  schedule.for %rows = 0 to 3 {
    schedule.for %depth = 0 to 2 {
      schedule.for %o = 0 to 16 attributes {tensorize = "vta.gemm"} {
        schedule.for %k = 0 to 16 {
          schedule.block "gemm" <spatial 3, reduction 2, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%rows, %depth, %o, %k)
            reads %xs<(d0, d1, d2, d3) -> (d1, 0, d3)> : memref<2x1x16xi8, "vta.inp">
            reads %ws<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x2x16x16xi8, "vta.wgt">
            writes %own<(d0, d1, d2, d3) -> (d0, 0, d2)> : memref<3x1x16xi32, "vta.acc"> {
          ^bb0(%u: i8, %v: i8, %s: i32):
            %a = arith.extsi %u : i8 to i32
            %b = arith.extsi %v : i8 to i32
            %p = arith.muli %a, %b : i32
            %t = arith.addi %s, %p : i32
            schedule.yield %t : i32
          }
        }
      }
    }
  }
  schedule.for %a = 0 to 3 attributes {dma_copy} {
    schedule.for %e = 0 to 16 {
      schedule.block "out" <spatial 3, spatial 16> = (d0, d1) -> (d0, d1)(%a, %e)
        reads %own<(d0, d1) -> (d0, 0, d1)> : memref<3x1x16xi32, "vta.acc">
        writes %y<(d0, d1) -> (d0, 0, d1)> : memref<3x1x16xi8> {
      ^bb0(%v: i32):
        %t = arith.trunci %v : i32 to i8
        schedule.yield %t : i8
      }
    }
  }
  func.return
}

// -----

func.func @output_scope(%inp: memref<2x1x16xi8, "vta.inp">, %wgt: memref<3x2x16x16xi8, "vta.wgt">, %acc: memref<3x1x16xi32>) {
  schedule.for %rows = 0 to 3 {
  schedule.for %depth = 0 to 2 {
  // expected-error @+1 {{tensorize of loop 'o': it is not vta.gemm: expected 'acc' in scope vta.acc, found global}}
  schedule.for %o = 0 to 16 attributes {tensorize = "vta.gemm"} {
  schedule.for %k = 0 to 16 {
  schedule.block "gemm" <spatial 3, reduction 2, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%rows, %depth, %o, %k)
    reads %inp<(d0, d1, d2, d3) -> (d1, 0, d3)> : memref<2x1x16xi8, "vta.inp">
    reads %wgt<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x2x16x16xi8, "vta.wgt">
    writes %acc<(d0, d1, d2, d3) -> (d0, 0, d2)> : memref<3x1x16xi32> {
  ^bb0(%x: i8, %w: i8, %s: i32):
    %a = arith.extsi %x : i8 to i32
    %b = arith.extsi %w : i8 to i32
    %p = arith.muli %a, %b : i32
    %y = arith.addi %s, %p : i32
    schedule.yield %y : i32
  }
  }
  }
  }
  }
  func.return
}

// -----

func.func @weight_scope(%inp: memref<2x1x16xi8, "vta.inp">, %wgt: memref<3x2x16x16xi8, "vta.inp">, %acc: memref<3x1x16xi32, "vta.acc">) {
  schedule.for %rows = 0 to 3 {
  schedule.for %depth = 0 to 2 {
  // expected-error @+1 {{tensorize of loop 'o': it is not vta.gemm: expected 'wgt' in scope vta.wgt, found vta.inp}}
  schedule.for %o = 0 to 16 attributes {tensorize = "vta.gemm"} {
  schedule.for %k = 0 to 16 {
  schedule.block "gemm" <spatial 3, reduction 2, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%rows, %depth, %o, %k)
    reads %inp<(d0, d1, d2, d3) -> (d1, 0, d3)> : memref<2x1x16xi8, "vta.inp">
    reads %wgt<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x2x16x16xi8, "vta.inp">
    writes %acc<(d0, d1, d2, d3) -> (d0, 0, d2)> : memref<3x1x16xi32, "vta.acc"> {
  ^bb0(%x: i8, %w: i8, %s: i32):
    %a = arith.extsi %x : i8 to i32
    %b = arith.extsi %w : i8 to i32
    %p = arith.muli %a, %b : i32
    %y = arith.addi %s, %p : i32
    schedule.yield %y : i32
  }
  }
  }
  }
  }
  func.return
}

// -----

func.func @tile_shape(%inp: memref<2x1x32xi8, "vta.inp">, %wgt: memref<3x2x16x16xi8, "vta.wgt">, %acc: memref<3x1x16xi32, "vta.acc">) {
  schedule.for %rows = 0 to 3 {
  schedule.for %depth = 0 to 2 {
  // expected-error @+1 {{tensorize of loop 'o': it is not vta.gemm: expected 'inp' to end in a 1 x 16 tile, found shape 2x1x32}}
  schedule.for %o = 0 to 16 attributes {tensorize = "vta.gemm"} {
  schedule.for %k = 0 to 16 {
  schedule.block "gemm" <spatial 3, reduction 2, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%rows, %depth, %o, %k)
    reads %inp<(d0, d1, d2, d3) -> (d1, 0, d3)> : memref<2x1x32xi8, "vta.inp">
    reads %wgt<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x2x16x16xi8, "vta.wgt">
    writes %acc<(d0, d1, d2, d3) -> (d0, 0, d2)> : memref<3x1x16xi32, "vta.acc"> {
  ^bb0(%x: i8, %w: i8, %s: i32):
    %a = arith.extsi %x : i8 to i32
    %b = arith.extsi %w : i8 to i32
    %p = arith.muli %a, %b : i32
    %y = arith.addi %s, %p : i32
    schedule.yield %y : i32
  }
  }
  }
  }
  }
  func.return
}

// -----

func.func @loop_extent(%inp: memref<2x1x16xi8, "vta.inp">, %wgt: memref<3x2x16x16xi8, "vta.wgt">, %acc: memref<3x1x16xi32, "vta.acc">) {
  schedule.for %rows = 0 to 3 {
  schedule.for %depth = 0 to 2 {
  // expected-error @+1 {{tensorize of loop 'o': it is not vta.gemm: expected loop of extent 16 and stride 1 over dimension o of 'acc', found 'o' of extent 8 and stride 1}}
  schedule.for %o = 0 to 8 attributes {tensorize = "vta.gemm"} {
  schedule.for %k = 0 to 16 {
  schedule.block "gemm" <spatial 3, reduction 2, spatial 8, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%rows, %depth, %o, %k)
    reads %inp<(d0, d1, d2, d3) -> (d1, 0, d3)> : memref<2x1x16xi8, "vta.inp">
    reads %wgt<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x2x16x16xi8, "vta.wgt">
    writes %acc<(d0, d1, d2, d3) -> (d0, 0, d2)> : memref<3x1x16xi32, "vta.acc"> {
  ^bb0(%x: i8, %w: i8, %s: i32):
    %a = arith.extsi %x : i8 to i32
    %b = arith.extsi %w : i8 to i32
    %p = arith.muli %a, %b : i32
    %y = arith.addi %s, %p : i32
    schedule.yield %y : i32
  }
  }
  }
  }
  }
  func.return
}

// -----

func.func @weight_transposed(%inp: memref<2x1x16xi8, "vta.inp">, %wgt: memref<3x2x16x16xi8, "vta.wgt">, %acc: memref<3x1x16xi32, "vta.acc">) {
  schedule.for %rows = 0 to 3 {
  schedule.for %depth = 0 to 2 {
  // expected-error @+1 {{tensorize of loop 'o': it is not vta.gemm: expected the same loop over dimension}}
  schedule.for %o = 0 to 16 attributes {tensorize = "vta.gemm"} {
  schedule.for %k = 0 to 16 {
  schedule.block "gemm" <spatial 3, reduction 2, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%rows, %depth, %o, %k)
    reads %inp<(d0, d1, d2, d3) -> (d1, 0, d3)> : memref<2x1x16xi8, "vta.inp">
    reads %wgt<(d0, d1, d2, d3) -> (d0, d1, d3, d2)> : memref<3x2x16x16xi8, "vta.wgt">
    writes %acc<(d0, d1, d2, d3) -> (d0, 0, d2)> : memref<3x1x16xi32, "vta.acc"> {
  ^bb0(%x: i8, %w: i8, %s: i32):
    %a = arith.extsi %x : i8 to i32
    %b = arith.extsi %w : i8 to i32
    %p = arith.muli %a, %b : i32
    %y = arith.addi %s, %p : i32
    schedule.yield %y : i32
  }
  }
  }
  }
  }
  func.return
}

// -----

func.func @no_product(%inp: memref<2x1x16xi8, "vta.inp">, %wgt: memref<3x2x16x16xi8, "vta.wgt">, %acc: memref<3x1x16xi32, "vta.acc">) {
  schedule.for %rows = 0 to 3 {
  schedule.for %depth = 0 to 2 {
  // expected-error @+1 {{tensorize of loop 'o': it is not vta.gemm: expected the product of both inputs added to the accumulator, found the sum of one input}}
  schedule.for %o = 0 to 16 attributes {tensorize = "vta.gemm"} {
  schedule.for %k = 0 to 16 {
  schedule.block "gemm" <spatial 3, reduction 2, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%rows, %depth, %o, %k)
    reads %inp<(d0, d1, d2, d3) -> (d1, 0, d3)> : memref<2x1x16xi8, "vta.inp">
    reads %wgt<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x2x16x16xi8, "vta.wgt">
    writes %acc<(d0, d1, d2, d3) -> (d0, 0, d2)> : memref<3x1x16xi32, "vta.acc"> {
  ^bb0(%x: i8, %w: i8, %s: i32):
    %p = arith.extsi %x : i8 to i32
    %y = arith.addi %s, %p : i32
    schedule.yield %y : i32
  }
  }
  }
  }
  }
  func.return
}

// -----

func.func @no_extension(%inp: memref<2x1x16xi8, "vta.inp">, %wgt: memref<3x2x16x16xi8, "vta.wgt">, %acc: memref<3x1x16xi32, "vta.acc">) {
  schedule.for %rows = 0 to 3 {
  schedule.for %depth = 0 to 2 {
  // expected-error @+1 {{tensorize of loop 'o': it is not vta.gemm: expected both inputs sign-extended by arith.extsi, found arith.extui}}
  schedule.for %o = 0 to 16 attributes {tensorize = "vta.gemm"} {
  schedule.for %k = 0 to 16 {
  schedule.block "gemm" <spatial 3, reduction 2, spatial 16, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%rows, %depth, %o, %k)
    reads %inp<(d0, d1, d2, d3) -> (d1, 0, d3)> : memref<2x1x16xi8, "vta.inp">
    reads %wgt<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x2x16x16xi8, "vta.wgt">
    writes %acc<(d0, d1, d2, d3) -> (d0, 0, d2)> : memref<3x1x16xi32, "vta.acc"> {
  ^bb0(%x: i8, %w: i8, %s: i32):
    %a = arith.extsi %x : i8 to i32
    %b = arith.extui %w : i8 to i32
    %p = arith.muli %a, %b : i32
    %y = arith.addi %s, %p : i32
    schedule.yield %y : i32
  }
  }
  }
  }
  }
  func.return
}

// -----

// Four loops outside a tile: the hardware runs two, and the other two only ever write two tiles.
func.func @repeated_destination(%inp: memref<3x3x1x16xi8, "vta.inp">, %wgt: memref<16x16xi8, "vta.wgt">,
                                %acc: memref<3x3x2x1x16xi32, "vta.acc">) {
  schedule.for %a = 0 to 3 {
  schedule.for %b = 0 to 3 {
  schedule.for %taps = 0 to 3 {
  schedule.for %x = 0 to 2 {
  schedule.for %o = 0 to 16 attributes {tensorize = "vta.gemm"} {
  schedule.for %k = 0 to 16 {
  // expected-error @+1 {{tensorize of block 'gemm': micro-op loops 'taps' (extent 3), 'x' (extent 2) write a tile again within two micro-ops in every order; the runtime requires three different dst in a row: put a loop of extent 3 or more over an output dimension inside the two outermost loops}}
  schedule.block "gemm" <spatial 3, spatial 3, reduction 3, spatial 2, spatial 16, reduction 16> = (d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4, d5)(%a, %b, %taps, %x, %o, %k)
    reads %inp<(d0, d1, d2, d3, d4, d5) -> (d2, d1, 0, d5)> : memref<3x3x1x16xi8, "vta.inp">
    reads %wgt<(d0, d1, d2, d3, d4, d5) -> (d4, d5)> : memref<16x16xi8, "vta.wgt">
    writes %acc<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d3, 0, d4)> : memref<3x3x2x1x16xi32, "vta.acc"> {
  ^bb0(%v: i8, %w: i8, %s: i32):
    %p = arith.extsi %v : i8 to i32
    %q = arith.extsi %w : i8 to i32
    %r = arith.muli %p, %q : i32
    %y = arith.addi %s, %r : i32
    schedule.yield %y : i32
  }
  }
  }
  }
  }
  }
  }
  func.return
}
