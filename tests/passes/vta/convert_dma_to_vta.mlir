// RUN: vtac-opt %s -p convert-dma-to-vta --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p convert-dma-to-vta,convert-dma-to-vta --split-input-file --verify-diagnostics | filecheck %s

// A load in rows that lie apart in DRAM is one 2D transfer; so is the store. What computes stays a loop.

// CHECK-LABEL: func.func @tile
// CHECK-NEXT:    %own = memref.alloc() : memref<2x3x1x16xi32, "vta.acc">
// CHECK-NEXT:    vta.load_2d acc %x, %own [dram = 5, x_size = 3, y_size = 2, x_stride = 4, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0]
// CHECK-NEXT:    schedule.for %c = 0 to 2 attributes {alu}
// CHECK:           schedule.block "more"
// CHECK:         vta.store_2d out %y, %own [sram = 0, dram = 0, x_size = 6, y_size = 1, x_stride = 6]
// CHECK-NEXT:    func.return
func.func @tile(%x: memref<3x4x1x16xi32>, %y: memref<2x3x1x16xi8> {schedule.result}) {
  %own = memref.alloc() : memref<2x3x1x16xi32, "vta.acc">
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %b = 0 to 3 {
      schedule.for %e = 0 to 16 {
        schedule.block "in" <spatial 2, spatial 3, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%a, %b, %e)
          reads %x<(d0, d1, d2) -> (d0 + 1, d1 + 1, 0, d2)> : memref<3x4x1x16xi32>
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
        schedule.block "more" <spatial 2, spatial 3, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%c, %d, %e)
          reads %own<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi32, "vta.acc">
          writes %own<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi32, "vta.acc"> {
        ^bb0(%v: i32):
          %one = arith.constant 1 : i32
          %w = arith.addi %v, %one : i32
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

// Dimensions that no transfer has are host loops; a tile that lies wholly in the padding comes from a zero row.

// A part of a buffer: rows of tiles that lie two apart are stored tile by tile, with its strides.

// CHECK-LABEL: func.func @part
// CHECK:         schedule.for %a = 0 to 2 {
// CHECK-NEXT:      [[SRAM:%.*]] = affine.apply
// CHECK-NEXT:      [[DRAM:%.*]] = affine.apply
// CHECK-NEXT:      vta.store_2d out %y, %own {{.*}}x_size = 1, y_size = 3, x_stride = 2]
func.func @part(%y: memref<2x3x1x16xi8, strided<[192, 32, 16, 1], offset: ?>> {schedule.result}) {
  %own = memref.alloc() : memref<2x3x1x16xi32, "vta.acc">
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %b = 0 to 3 {
      schedule.for %e = 0 to 16 {
        schedule.block "out" <spatial 2, spatial 3, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%a, %b, %e)
          reads %own<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi32, "vta.acc">
          writes %y<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<2x3x1x16xi8, strided<[192, 32, 16, 1], offset: ?>> {
        ^bb0(%v: i32):
          %t = arith.trunci %v : i32 to i8
          schedule.yield %t : i8
        }
      }
    }
  }
  func.return
}

// CHECK-LABEL: func.func @padded
// CHECK:         schedule.for %a = 0 to 2 {
// CHECK-NEXT:      schedule.for %c = 0 to 3 {
// CHECK:             scf.if
// CHECK:               vta.load_2d acc %x, %own [dram = %{{.*}}, x_size = 1, y_size = 3, x_stride = 2,
// CHECK:               vta.load_2d acc %{{.*}}, %own [dram = 0, x_size = 1, y_size = 3, x_stride = 0,
// CHECK:         vta.store_2d out %y, %own [sram = 0, dram = 0, x_size = 18, y_size = 1, x_stride = 18]
func.func @padded(%x: memref<2x3x2x1x16xi32>, %y: memref<2x3x3x1x16xi8> {schedule.result}) {
  %own = memref.alloc() : memref<2x3x3x1x16xi32, "vta.acc">
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %b = 0 to 3 {
      schedule.for %c = 0 to 3 {
        schedule.for %e = 0 to 16 {
          schedule.block "in" <spatial 2, spatial 3, spatial 3, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%a, %b, %c, %e)
            reads %x<(d0, d1, d2, d3) -> (d0, d1, d2 - 1, 0, d3), pad 0 : i32> : memref<2x3x2x1x16xi32>
            writes %own<(d0, d1, d2, d3) -> (d0, d2, d1, 0, d3)> : memref<2x3x3x1x16xi32, "vta.acc"> {
          ^bb0(%v: i32):
            schedule.yield %v : i32
          }
        }
      }
    }
  }
  schedule.for %a = 0 to 2 attributes {alu} {
    schedule.for %b = 0 to 3 {
      schedule.for %c = 0 to 3 {
        schedule.for %e = 0 to 16 {
          schedule.block "more" <spatial 2, spatial 3, spatial 3, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%a, %b, %c, %e)
            reads %own<(d0, d1, d2, d3) -> (d0, d1, d2, 0, d3)> : memref<2x3x3x1x16xi32, "vta.acc">
            writes %own<(d0, d1, d2, d3) -> (d0, d1, d2, 0, d3)> : memref<2x3x3x1x16xi32, "vta.acc"> {
          ^bb0(%v: i32):
            %one = arith.constant 1 : i32
            %w = arith.addi %v, %one : i32
            schedule.yield %w : i32
          }
        }
      }
    }
  }
  schedule.for %a = 0 to 2 attributes {dma_copy} {
    schedule.for %b = 0 to 3 {
      schedule.for %c = 0 to 3 {
        schedule.for %e = 0 to 16 {
          schedule.block "out" <spatial 2, spatial 3, spatial 3, spatial 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%a, %b, %c, %e)
            reads %own<(d0, d1, d2, d3) -> (d0, d1, d2, 0, d3)> : memref<2x3x3x1x16xi32, "vta.acc">
            writes %y<(d0, d1, d2, d3) -> (d0, d1, d2, 0, d3)> : memref<2x3x3x1x16xi8> {
          ^bb0(%v: i32):
            %t = arith.trunci %v : i32 to i8
            schedule.yield %t : i8
          }
        }
      }
    }
  }
  func.return
}

// -----

// Tiles beside the tensor are pads of the transfer.

// CHECK-LABEL: func.func @pads
// CHECK:         vta.load_2d inp %x, %own [dram = 0, x_size = 2, y_size = 2, x_stride = 2, x_pad_before = 1, y_pad_before = 0, x_pad_after = 1, y_pad_after = 1, sram = 0]
func.func @pads(%x: memref<2x2x1x16xi8>) {
  %own = memref.alloc() : memref<3x4x1x16xi8, "vta.inp">
  schedule.for %a = 0 to 3 attributes {dma_copy} {
    schedule.for %b = 0 to 4 {
      schedule.for %e = 0 to 16 {
        schedule.block "in" <spatial 3, spatial 4, spatial 16> = (d0, d1, d2) -> (d0, d1, d2)(%a, %b, %e)
          reads %x<(d0, d1, d2) -> (d0, d1 - 1, 0, d2), pad 0 : i8> : memref<2x2x1x16xi8>
          writes %own<(d0, d1, d2) -> (d0, d1, 0, d2)> : memref<3x4x1x16xi8, "vta.inp"> {
        ^bb0(%v: i8):
          schedule.yield %v : i8
        }
      }
    }
  }
  func.return
}

// -----

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
