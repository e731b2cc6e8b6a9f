// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-copies-to-boxes | filecheck %s

// convert-copies-to-boxes: what a tensorized loop copies, as boxes.

// A tile of a matrix; what lies below its last row is zero. Coordinates count from the innermost dimension.

// CHECK-LABEL: func.func @rows(%a: memref<100x256xf16>) {
// CHECK-NEXT:    schedule.for %row = 0 to 4 {
// CHECK-NEXT:      schedule.for %k = 0 to 4 {
// CHECK-NEXT:        %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "shared">
// CHECK-NEXT:        %0 = arith.constant 0 : index
// CHECK-NEXT:        %1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
// CHECK-NEXT:        %2 = affine.apply affine_map<(d0) -> ((d0 * 32))> (%row)
// CHECK-NEXT:        tma.copy %t[%0], %a[%1, %2] boxes <[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<100x256xf16>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @rows(%a: memref<100x256xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "shared">
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 4, spatial 4, spatial 32, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %k, %i, %j)
            reads %a<(d0, d1, d2, d3) -> (d0 * 32 + d2, d1 * 64 + d3), pad 0.0 : f16> : memref<100x256xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x64xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

// Four rows of pixels of an image, at a tap of a window: one loop runs along two dimensions, and the padding is what lies outside.

// CHECK-LABEL: func.func @pixels(%x: memref<2x8x8x32xf16>) {
// CHECK-NEXT:    schedule.for %row = 0 to 4 {
// CHECK-NEXT:      schedule.for %tap = 0 to 9 {
// CHECK-NEXT:        %t = memref.alloc() {mma.layout = #mma.layout<swizzle 64 pitch 64>} : memref<32x32xf16, "shared">
// CHECK-NEXT:        %0 = arith.constant 0 : index
// CHECK-NEXT:        %1 = arith.constant 0 : index
// CHECK-NEXT:        %2 = affine.apply affine_map<(d0) -> (((d0 mod 3) + -1))> (%tap)
// CHECK-NEXT:        %3 = affine.apply affine_map<(d0, d1) -> (((((d0 * 4) mod 8) + ((d1 * 32) floordiv 96)) + -1))> (%row, %tap)
// CHECK-NEXT:        %4 = affine.apply affine_map<(d0) -> (((d0 * 32) floordiv 64))> (%row)
// CHECK-NEXT:        tma.copy %t[%0], %x[%1, %2, %3, %4] boxes <[32, 8, 4, 1] of [32, 8, 8, 2] strides [64, 512, 4096] steps [1, 1, 1, 1] swizzle 64 fill zero> : memref<32x32xf16, "shared">, memref<2x8x8x32xf16>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @pixels(%x: memref<2x8x8x32xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %tap = 0 to 9 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 64 pitch 64>} : memref<32x32xf16, "shared">
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 32 {
          schedule.block "copy" <spatial 4, spatial 9, spatial 32, spatial 32> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %tap, %i, %j)
            reads %x<(d0, d1, d2, d3) -> ((d2 + d0 * 32) floordiv 64, ((d0 * 4 + d2 floordiv 8) mod 8) + (d3 + d1 * 32) floordiv 96 - 1, d2 mod 8 + d1 mod 3 - 1, d3), pad 0.0 : f16> : memref<2x8x8x32xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x32xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

// Pixels that are no whole rows of an image: a box of an im2col map. Its bounding box has the pixels of the result, its
// offsets say which tap is copied.

// CHECK-LABEL: func.func @im2col(%x: memref<2x7x7x32xf16>) {
// CHECK-NEXT:    schedule.for %row = 0 to 4 {
// CHECK-NEXT:      schedule.for %tap = 0 to 9 {
// CHECK-NEXT:        %t = memref.alloc() {mma.layout = #mma.layout<swizzle 64 pitch 64>} : memref<32x32xf16, "shared">
// CHECK-NEXT:        %0 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%tap)
// CHECK-NEXT:        %1 = affine.apply affine_map<(d0) -> (((d0 * 32) floordiv 96))> (%tap)
// CHECK-NEXT:        %2 = arith.constant 0 : index
// CHECK-NEXT:        %3 = arith.constant 0 : index
// CHECK-NEXT:        %4 = affine.apply affine_map<(d0) -> ((((d0 * 32) mod 7) + -1))> (%row)
// CHECK-NEXT:        %5 = affine.apply affine_map<(d0) -> (((((d0 * 32) floordiv 7) mod 7) + -1))> (%row)
// CHECK-NEXT:        %6 = affine.apply affine_map<(d0) -> (((d0 * 32) floordiv 49))> (%row)
// CHECK-NEXT:        tma.copy %t[%2], %x[%3, %4, %5, %6] offsets[%0, %1] boxes <[32, 32] of [32, 7, 7, 2] strides [64, 448, 3136] steps [1, 1, 1, 1] im2col [-1, -1] to [-1, -1] swizzle 64 fill zero> : memref<32x32xf16, "shared">, memref<2x7x7x32xf16>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @im2col(%x: memref<2x7x7x32xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %tap = 0 to 9 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 64 pitch 64>} : memref<32x32xf16, "shared">
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 32 {
          schedule.block "copy" <spatial 4, spatial 9, spatial 32, spatial 32> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %tap, %i, %j)
            reads %x<(d0, d1, d2, d3) -> ((d0 * 32 + d2) floordiv 49, (d0 * 32 + d2) floordiv 7 mod 7 + (d1 * 32 + d3) floordiv 96 - 1, (d0 * 32 + d2) mod 7 + d1 mod 3 - 1, d3), pad 0.0 : f16> : memref<2x7x7x32xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x32xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

// Rows of 256 bytes in panels of 128: a box for each.

// CHECK-LABEL: func.func @panels(%b: memref<256x512xf16>) {
// CHECK-NEXT:    schedule.for %k = 0 to 8 {
// CHECK-NEXT:      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 256 panels 32>} : memref<32x128xf16, "shared">
// CHECK-NEXT:      %0 = arith.constant 0 : index
// CHECK-NEXT:      %1 = arith.constant 0 : index
// CHECK-NEXT:      %2 = affine.apply affine_map<(d0) -> ((d0 * 32))> (%k)
// CHECK-NEXT:      %3 = arith.constant 2048 : index
// CHECK-NEXT:      %4 = arith.constant 64 : index
// CHECK-NEXT:      tma.copy %t[%0], %b[%1, %2] boxes <[64, 32] of [512, 256] strides [1024] steps [1, 1] swizzle 128 fill zero> : memref<32x128xf16, "shared">, memref<256x512xf16>
// CHECK-NEXT:      tma.copy %t[%3], %b[%4, %2] boxes <[64, 32] of [512, 256] strides [1024] steps [1, 1] swizzle 128 fill zero> : memref<32x128xf16, "shared">, memref<256x512xf16>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @panels(%b: memref<256x512xf16>) {
  schedule.for %k = 0 to 8 {
    %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 256 panels 32>} : memref<32x128xf16, "shared">
    schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
      schedule.for %j = 0 to 128 {
        schedule.block "copy" <spatial 8, spatial 32, spatial 128> = (d0, d1, d2) -> (d0, d1, d2)(%k, %i, %j)
          reads %b<(d0, d1, d2) -> (d0 * 32 + d1, d2)> : memref<256x512xf16>
          writes %t<(d0, d1, d2) -> (d1, d2)> : memref<32x128xf16, "shared"> {
        ^bb0(%v: f16):
          schedule.yield %v : f16
        }
      }
    }
  }
  func.return
}

// -----

func.func @rows(%a: memref<100x256xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "shared">
      // expected-error @+1 {{tma.load: it is padded with 1.0; what lies outside of an array becomes zero}}
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 4, spatial 4, spatial 32, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %k, %i, %j)
            reads %a<(d0, d1, d2, d3) -> (d0 * 32 + d2, d1 * 64 + d3), pad 1.0 : f16> : memref<100x256xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x64xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @rows(%a: memref<100x256xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "shared">
      // expected-error @+1 {{tma.load: block 'copy' computes; a plain copy is required}}
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 4, spatial 4, spatial 32, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %k, %i, %j)
            reads %a<(d0, d1, d2, d3) -> (d0 * 32 + d2, d1 * 64 + d3), pad 0.0 : f16> : memref<100x256xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x64xf16, "shared"> {
          ^bb0(%v: f16):
            %w = arith.addf %v, %v : f16
            schedule.yield %w : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @rows(%a: memref<100x256xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "shared">
      // expected-error @+1 {{tma.load: tensor map of 'a': steps of 2 elements along the innermost dimension; its elements lie side by side}}
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 4, spatial 4, spatial 32, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %k, %i, %j)
            reads %a<(d0, d1, d2, d3) -> (d0 * 32 + d2, d1 * 64 + d3 * 2), pad 0.0 : f16> : memref<100x256xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x64xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @rows(%a: memref<100x256xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "shared">
      // expected-error @+1 {{tma.load: 't' is not filled row by row, in the order of the array's dimensions, rows side by side}}
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 4, spatial 4, spatial 32, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %k, %i, %j)
            reads %a<(d0, d1, d2, d3) -> (d1 * 64 + d3, d0 * 32 + d2), pad 0.0 : f16> : memref<100x256xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x64xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @rows(%a: memref<100x256xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "shared">
      // expected-error @+1 {{tma.load: loop 'i' does not run along a dimension of 'a'}}
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 4, spatial 4, spatial 32, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %k, %i, %j)
            reads %a<(d0, d1, d2, d3) -> (d0 * 32, d1 * 64 + d3), pad 0.0 : f16> : memref<100x256xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x64xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @rows(%a: memref<100x256xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "shared">
      // expected-error @+1 {{tma.load: 'a' is not addressed by one part of a loop along each dimension}}
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 4, spatial 4, spatial 32, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %k, %i, %j)
            reads %a<(d0, d1, d2, d3) -> (d0 * 32 + d2 + d3, d1 * 64 + d3), pad 0.0 : f16> : memref<100x256xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x64xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @rows(%a: memref<100x250xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "shared">
      // expected-error @+1 {{tma.load: tensor map of 'a': a stride of 500 bytes; a multiple of 16 below 2**40 is required}}
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 4, spatial 4, spatial 32, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %k, %i, %j)
            reads %a<(d0, d1, d2, d3) -> (d0 * 32 + d2, d1 * 64 + d3), pad 0.0 : f16> : memref<100x250xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x64xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @rows(%a: memref<100x256xf16>) {
  schedule.for %row = 0 to 4 {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<32x64xf16, "local">
      // expected-error @+1 {{tma.load: it copies from global to local memory; from global to shared is required}}
      schedule.for %i = 0 to 32 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 4, spatial 4, spatial 32, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %k, %i, %j)
            reads %a<(d0, d1, d2, d3) -> (d0 * 32 + d2, d1 * 64 + d3), pad 0.0 : f16> : memref<100x256xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<32x64xf16, "local"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

// 64 images of a pixel, packed in tiles of 16 x 16: a box for each tile of channels. Six dimensions are one too many: tiles of
// channels and the images in them, 64 rows of 16 channels, are one.

// CHECK-LABEL: func.func @packed(%x: memref<4x5x4x4x16x16xf16>) {
// CHECK:         %3 = affine.apply affine_map<(d0, d1) -> ((((d0 mod 4) + (d1 mod 3)) + -1))> (%row, %tap)
// CHECK-NEXT:    %4 = affine.apply affine_map<(d0, d1) -> ((((d0 floordiv 4) + (d1 floordiv 3)) + -1))> (%row, %tap)
// CHECK:         %6 = arith.constant 1024 : index
// CHECK:         %8 = arith.constant 16 : index
// CHECK:         tma.copy %t[%0], %x[%1, %2, %3, %4, %5] boxes <[16, 16, 1, 1, 4] of [16, 64, 4, 5, 4] strides [32, 2048, 8192, 40960] steps [1, 1, 1, 1, 1] swizzle 32 fill zero>
// CHECK-NEXT:    tma.copy %t[%6], %x[%7, %8, %3, %4, %9] boxes <[16, 16, 1, 1, 4] of [16, 64, 4, 5, 4] strides [32, 2048, 8192, 40960] steps [1, 1, 1, 1, 1] swizzle 32 fill zero>
// CHECK-NEXT:    tma.copy %t[%10], %x[%11, %12, %3, %4, %13] boxes <[16, 16, 1, 1, 4] of [16, 64, 4, 5, 4] strides [32, 2048, 8192, 40960] steps [1, 1, 1, 1, 1] swizzle 32 fill zero>
// CHECK-NEXT:    tma.copy %t[%14], %x[%15, %16, %3, %4, %17] boxes <[16, 16, 1, 1, 4] of [16, 64, 4, 5, 4] strides [32, 2048, 8192, 40960] steps [1, 1, 1, 1, 1] swizzle 32 fill zero>
// CHECK-NEXT:    }
func.func @packed(%x: memref<4x5x4x4x16x16xf16>) {
  schedule.for %row = 0 to 20 {
    schedule.for %tap = 0 to 9 {
      %t = memref.alloc() {mma.layout = #mma.layout<swizzle 32 pitch 128 panels 64>} : memref<64x64xf16, "shared">
      schedule.for %i = 0 to 64 attributes {tensorize = "tma.load"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 20, spatial 9, spatial 64, spatial 64> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%row, %tap, %i, %j)
            reads %x<(d0, d1, d2, d3) -> (d2 floordiv 16, d0 floordiv 4 + d1 floordiv 3 - 1, d0 mod 4 + d1 mod 3 - 1, d3 floordiv 16, d2 mod 16, d3 mod 16), pad 0.0 : f16> : memref<4x5x4x4x16x16xf16>
            writes %t<(d0, d1, d2, d3) -> (d2, d3)> : memref<64x64xf16, "shared"> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
  }
  func.return
}

// -----

// Tiles of 8 channels: panels of one chunk, which maps do not swizzle.

// CHECK-LABEL: func.func @narrow(%x: memref<4x5x4x4x16x8xf16>) {
// CHECK:         %6 = arith.constant 512 : index
// CHECK:         %10 = arith.constant 1024 : index
// CHECK:         %14 = arith.constant 1536 : index
// CHECK:         tma.copy %t[%0], %x[%1, %2, %3, %4, %5] boxes <[8, 16, 1, 1, 4] of [8, 64, 4, 5, 4] strides [16, 1024, 4096, 20480] steps [1, 1, 1, 1, 1] swizzle 0 fill zero>
// CHECK-NEXT:    tma.copy %t[%6], %x
// CHECK-NEXT:    tma.copy %t[%10], %x
// CHECK-NEXT:    tma.copy %t[%14], %x
func.func @narrow(%x: memref<4x5x4x4x16x8xf16>) {
  schedule.for %row = 0 to 20 {
    %t = memref.alloc() {mma.layout = #mma.layout<swizzle 16 pitch 64 panels 64>} : memref<64x32xf16, "shared">
    schedule.for %i = 0 to 64 attributes {tensorize = "tma.load"} {
      schedule.for %j = 0 to 32 {
        schedule.block "copy" <spatial 20, spatial 64, spatial 32> = (d0, d1, d2) -> (d0, d1, d2)(%row, %i, %j)
          reads %x<(d0, d1, d2) -> (d1 floordiv 16, d0 floordiv 4, d0 mod 4, d2 floordiv 8, d1 mod 16, d2 mod 8)> : memref<4x5x4x4x16x8xf16>
          writes %t<(d0, d1, d2) -> (d1, d2)> : memref<64x32xf16, "shared"> {
        ^bb0(%v: f16):
          schedule.yield %v : f16
        }
      }
    }
  }
  func.return
}

// -----

func.func @half_a_chunk(%x: memref<4x5x4x8x16x4xf16>) {
  schedule.for %row = 0 to 20 {
    %t = memref.alloc() {mma.layout = #mma.layout<swizzle 16 pitch 64 panels 64>} : memref<64x32xf16, "shared">
    // expected-error @+1 {{tma.load: rows of 4 elements are no panels of 8}}
    schedule.for %i = 0 to 64 attributes {tensorize = "tma.load"} {
      schedule.for %j = 0 to 32 {
        schedule.block "copy" <spatial 20, spatial 64, spatial 32> = (d0, d1, d2) -> (d0, d1, d2)(%row, %i, %j)
          reads %x<(d0, d1, d2) -> (d1 floordiv 16, d0 floordiv 4, d0 mod 4, d2 floordiv 4, d1 mod 16, d2 mod 4)> : memref<4x5x4x8x16x4xf16>
          writes %t<(d0, d1, d2) -> (d1, d2)> : memref<64x32xf16, "shared"> {
        ^bb0(%v: f16):
          schedule.yield %v : f16
        }
      }
    }
  }
  func.return
}

// -----

func.func @around(%x: memref<4x5x4x4x16x16xf16>) {
  schedule.for %row = 0 to 20 {
    %t = memref.alloc() {mma.layout = #mma.layout<swizzle 32 pitch 128 panels 64>} : memref<64x64xf16, "shared">
    // expected-error @+1 {{tma.load: tensor map of 'x': 6 dimensions; 1 to 5 are possible, and no two neighbours are one, as boxes leave the inner of them}}
    schedule.for %i = 0 to 64 attributes {tensorize = "tma.load"} {
      schedule.for %j = 0 to 64 {
        schedule.block "copy" <spatial 20, spatial 64, spatial 64> = (d0, d1, d2) -> (d0, d1, d2)(%row, %i, %j)
          reads %x<(d0, d1, d2) -> (d1 floordiv 16, d0 floordiv 4 - 1, d0 mod 4 - 1, d2 floordiv 16 + 1, d1 mod 16 - 1, d2 mod 16), pad 0.0 : f16> : memref<4x5x4x4x16x16xf16>
          writes %t<(d0, d1, d2) -> (d1, d2)> : memref<64x64xf16, "shared"> {
        ^bb0(%v: f16):
          schedule.yield %v : f16
        }
      }
    }
  }
  func.return
}
