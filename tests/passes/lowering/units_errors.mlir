// RUN: vtac-opt %s --split-input-file --verify-diagnostics \
// RUN:   -p convert-dma-to-vta,convert-gemm-to-vta,convert-alu-to-vta,vta-group-stages

// What the passes to vta units decline.

func.func @wrong_scopes(%from: memref<4x1x16xi8, "vta.inp">, %to: memref<4x1x16xi8, "vta.inp">) {
  schedule.for %i = 0 to 4 attributes {dma_copy} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{dma_copy of block 'copy': it moves vta.inp to vta.inp; DMA copies global to a VTA memory, and truncates vta.acc to global}}
  schedule.block "copy" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8, "vta.inp">
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8, "vta.inp"> {
  ^bb0(%x: i8):
    schedule.yield %x : i8
  }
  }
  }
  func.return
}

// -----

func.func @computes(%from: memref<4x1x16xi8>, %to: memref<4x1x16xi8, "vta.inp">) {
  schedule.for %i = 0 to 4 attributes {dma_copy} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{dma_copy of block 'copy': it moves global to vta.inp; DMA copies global to a VTA memory}}
  schedule.block "copy" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8>
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8, "vta.inp"> {
  ^bb0(%x: i8):
    %y = arith.addi %x, %x : i8
    schedule.yield %y : i8
  }
  }
  }
  func.return
}

// -----

func.func @partial_tile(%from: memref<4x1x16xi8>, %to: memref<4x1x16xi8, "vta.inp">) {
  schedule.for %i = 0 to 4 attributes {dma_copy} {
  schedule.for %j = 0 to 8 {
  // expected-error @+1 {{dma_copy of block 'copy': expected loops over the 1 x 16 scalars of a tile of 'from' inside, found 8 of them; copy whole tiles, innermost, in the buffer's order}}
  schedule.block "copy" <spatial 4, spatial 8> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8>
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8, "vta.inp"> {
  ^bb0(%x: i8):
    schedule.yield %x : i8
  }
  }
  }
  func.return
}

// -----

func.func @no_tiles(%from: memref<4x16xi8>, %to: memref<4x1x16xi8, "vta.inp">) {
  schedule.for %i = 0 to 4 attributes {dma_copy} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{dma_copy of block 'copy': expected 'from' to end in a 1 x 16 tile, found shape 4x16; copy whole tiles}}
  schedule.block "copy" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, d1)> : memref<4x16xi8>
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8, "vta.inp"> {
  ^bb0(%x: i8):
    schedule.yield %x : i8
  }
  }
  }
  func.return
}

// -----

func.func @unaligned(%from: memref<5x1x16xi8>, %to: memref<4x1x16xi8, "vta.inp">) {
  schedule.for %i = 0 to 4 attributes {dma_copy} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{dma_copy of block 'copy': expected 'from' to be accessed in whole tiles of 16 scalars, found offset 8; copy whole tiles}}
  schedule.block "copy" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1 + 8)> : memref<5x1x16xi8>
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8, "vta.inp"> {
  ^bb0(%x: i8):
    schedule.yield %x : i8
  }
  }
  }
  func.return
}

// -----

func.func @pad_value(%from: memref<4x1x16xi8>, %to: memref<4x1x16xi8, "vta.inp">) {
  schedule.for %i = 0 to 4 attributes {dma_copy} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{dma_copy of block 'copy': pad value -128; the load unit pads with zeros only}}
  schedule.block "copy" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0 - 1, 0, d1), pad -128 : i8> : memref<4x1x16xi8>
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8, "vta.inp"> {
  ^bb0(%x: i8):
    schedule.yield %x : i8
  }
  }
  }
  func.return
}

// -----

func.func @same_tile_again(%from: memref<4x1x16xi8>, %to: memref<4x1x16xi8, "vta.inp">) {
  schedule.for %i = 0 to 4 attributes {dma_copy} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{dma_copy of block 'copy': loop 'i' copies the same tile 4 times; copy whole tiles}}
  schedule.block "copy" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8>
    writes %to<(d0, d1) -> (0, 0, d1)> : memref<4x1x16xi8, "vta.inp"> {
  ^bb0(%x: i8):
    schedule.yield %x : i8
  }
  }
  }
  func.return
}

// -----

func.func @divided(%from: memref<4x1x16xi8>, %to: memref<4x1x16xi8, "vta.inp">) {
  schedule.for %i = 0 to 4 attributes {dma_copy} {
  schedule.for %j = 0 to 16 {
  // expected-error @+1 {{dma_copy of block 'copy': expected affine indices, loop 'i' is divided: do not fuse loops that a copy runs over}}
  schedule.block "copy" <spatial 4, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
    reads %from<(d0, d1) -> (d0 floordiv 2, 0, d1)> : memref<4x1x16xi8>
    writes %to<(d0, d1) -> (d0, 0, d1)> : memref<4x1x16xi8, "vta.inp"> {
  ^bb0(%x: i8):
    schedule.yield %x : i8
  }
  }
  }
  func.return
}

// -----

func.func @several_statements(%from: memref<4x1x16xi8>, %to: memref<4x1x16xi8, "vta.inp">) {
  // expected-error @+1 {{dma_copy: loop 'i' holds several statements}}
  schedule.for %i = 0 to 4 attributes {dma_copy} {
    schedule.for %j = 0 to 16 {
    }
    schedule.for %k = 0 to 16 {
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

// -----

func.func @unmapped(%a: memref<4xi32>, %b: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{block 'host' is mapped to no unit of the VTA; give a loop of it to one with dma_copy, alu or tensorize}}
    schedule.block "host" <spatial 4> = (d0) -> (d0)(%i)
      reads %a<(d0) -> (d0)> : memref<4xi32>
      writes %b<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%x: i32):
      schedule.yield %x : i32
    }
  }
  func.return
}
