// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-tiles-to-wgmma | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-tiles-to-wgmma,convert-tiles-to-wgmma | filecheck %s

// A product of a warpgroup: the sums of a warp are tiles in registers, each started for itself. a lies along k, b, whose
// rows are k, along n; both descriptors begin where the group's matrices do. Each lane stores its sums.

// CHECK-LABEL: func.func @group
// CHECK:         %fc = mma.tiles : !mma.tiles<8 x accumulator m16n8k16 f32>
// CHECK:         schedule.for %warp = 0 to 4 kind "threadIdx.y"
// CHECK:           schedule.for %tile = 0 to 8 kind "unrolled"
// CHECK:             mma.fill %fc[{{%.*}}], 0.000000e+00 : f32
// CHECK:           schedule.for %k = 0 to 4
// CHECK:             [[P1:%.*]] = affine.apply affine_map<(d0) -> ((d0 * 16))> (%k)
// CHECK:             [[P2:%.*]] = affine.apply affine_map<(d0) -> ((d0 * 1024))> (%k)
// CHECK:             [[A:%.*]] = wgmma.descriptor %a[[[P1]]] : {{.*}} -> !wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>
// CHECK-NEXT:        [[B:%.*]] = wgmma.descriptor %b[[[P2]]] : {{.*}} -> !wgmma.descriptor<f16 mn_major swizzle 128 leading 1024 stride 1024>
// CHECK-NEXT:        wgmma.mma_async %fc[{{%.*}}], [[A]], [[B]] n 64
// CHECK:             mma.extract %fc
// CHECK-NOT:     schedule.block
func.func @group(%c: memref<64x64xf32>) {
  %a = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<64x64xf16, "shared">
  %b = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<64x64xf16, "shared">
  %fc = memref.alloc() : memref<16x64xf32, "wmma.accumulator">
  schedule.for %warp = 0 to 4 kind "threadIdx.y" {
    schedule.for %i0 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
      schedule.for %j0 = 0 to 64 {
        schedule.block "start" <spatial 16, spatial 64> = (d0, d1) -> (d0, d1)(%i0, %j0)
          writes %fc<(d0, d1) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
          %z = arith.constant 0.0 : f32
          schedule.yield %z : f32
        }
      }
    }
    schedule.for %k = 0 to 4 {
        schedule.for %i3 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
        schedule.for %j3 = 0 to 64 {
          schedule.for %k3 = 0 to 16 {
            schedule.block "mul" <spatial 16, spatial 64, reduction 64, spatial 4> = (d0, d1, d2, d3, d4) -> (d0, d1, d2 * 16 + d3, d4)(%i3, %j3, %k, %k3, %warp)
              reads %a<(d0, d1, d2, d3) -> (d3 * 16 + d0, d2)> : memref<64x64xf16, "shared">
              reads %b<(d0, d1, d2, d3) -> (d2, d1)> : memref<64x64xf16, "shared">
              writes %fc<(d0, d1, d2, d3) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
            ^bb0(%p: f16, %q: f16, %s: f32):
              %wp = arith.extf %p : f16 to f32
              %wq = arith.extf %q : f16 to f32
              %m = arith.mulf %wp, %wq : f32
              %r = arith.addf %s, %m : f32
              schedule.yield %r : f32
            }
          }
        }
      }
    }
    schedule.for %t = 0 to 8 {
      schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
        schedule.for %j4 = 0 to 8 {
          schedule.block "store" <spatial 16, spatial 64, spatial 4> = (d0, d1, d2, d3) -> (d0, d1 * 8 + d2, d3)(%i4, %t, %j4, %warp)
            reads %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator">
            writes %c<(d0, d1, d2) -> (d2 * 16 + d0, d1)> : memref<64x64xf32> {
          ^bb0(%v4: f32):
            schedule.yield %v4 : f32
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @plain_rows(%c: memref<64x64xf32>) {
  %a = memref.alloc() : memref<64x64xf16, "shared">
  %b = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<64x64xf16, "shared">
  %fc = memref.alloc() : memref<16x64xf32, "wmma.accumulator">
  schedule.for %warp = 0 to 4 kind "threadIdx.y" {
    schedule.for %i0 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
      schedule.for %j0 = 0 to 64 {
        schedule.block "start" <spatial 16, spatial 64> = (d0, d1) -> (d0, d1)(%i0, %j0)
          writes %fc<(d0, d1) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
          %z = arith.constant 0.0 : f32
          schedule.yield %z : f32
        }
      }
    }
    schedule.for %k = 0 to 4 {
      // expected-error @+1 {{tensorize with wgmma: 'a' lies in plain rows: let their chunks change places with swizzle(block, 128, panels=True)}}
      schedule.for %i3 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
        schedule.for %j3 = 0 to 64 {
          schedule.for %k3 = 0 to 16 {
            schedule.block "mul" <spatial 16, spatial 64, reduction 64, spatial 4> = (d0, d1, d2, d3, d4) -> (d0, d1, d2 * 16 + d3, d4)(%i3, %j3, %k, %k3, %warp)
              reads %a<(d0, d1, d2, d3) -> (d3 * 16 + d0, d2)> : memref<64x64xf16, "shared">
              reads %b<(d0, d1, d2, d3) -> (d2, d1)> : memref<64x64xf16, "shared">
              writes %fc<(d0, d1, d2, d3) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
            ^bb0(%p: f16, %q: f16, %s: f32):
              %wp = arith.extf %p : f16 to f32
              %wq = arith.extf %q : f16 to f32
              %m = arith.mulf %wp, %wq : f32
              %r = arith.addf %s, %m : f32
              schedule.yield %r : f32
            }
          }
        }
      }
    }
    schedule.for %t = 0 to 8 {
      schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
        schedule.for %j4 = 0 to 8 {
          schedule.block "store" <spatial 16, spatial 64, spatial 4> = (d0, d1, d2, d3) -> (d0, d1 * 8 + d2, d3)(%i4, %t, %j4, %warp)
            reads %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator">
            writes %c<(d0, d1, d2) -> (d2 * 16 + d0, d1)> : memref<64x64xf32> {
          ^bb0(%v4: f32):
            schedule.yield %v4 : f32
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @wide_rows(%c: memref<64x64xf32>) {
  %a = memref.alloc() {mma.layout = #mma.layout<swizzle 64 pitch 128>} : memref<64x64xf16, "shared">
  %b = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<64x64xf16, "shared">
  %fc = memref.alloc() : memref<16x64xf32, "wmma.accumulator">
  schedule.for %warp = 0 to 4 kind "threadIdx.y" {
    schedule.for %i0 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
      schedule.for %j0 = 0 to 64 {
        schedule.block "start" <spatial 16, spatial 64> = (d0, d1) -> (d0, d1)(%i0, %j0)
          writes %fc<(d0, d1) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
          %z = arith.constant 0.0 : f32
          schedule.yield %z : f32
        }
      }
    }
    schedule.for %k = 0 to 4 {
      // expected-error @+1 {{tensorize with wgmma: rows of 'a' lie 128 bytes apart, and chunks change places within 64: rows of that many bytes are read, or panels of them}}
      schedule.for %i3 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
        schedule.for %j3 = 0 to 64 {
          schedule.for %k3 = 0 to 16 {
            schedule.block "mul" <spatial 16, spatial 64, reduction 64, spatial 4> = (d0, d1, d2, d3, d4) -> (d0, d1, d2 * 16 + d3, d4)(%i3, %j3, %k, %k3, %warp)
              reads %a<(d0, d1, d2, d3) -> (d3 * 16 + d0, d2)> : memref<64x64xf16, "shared">
              reads %b<(d0, d1, d2, d3) -> (d2, d1)> : memref<64x64xf16, "shared">
              writes %fc<(d0, d1, d2, d3) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
            ^bb0(%p: f16, %q: f16, %s: f32):
              %wp = arith.extf %p : f16 to f32
              %wq = arith.extf %q : f16 to f32
              %m = arith.mulf %wp, %wq : f32
              %r = arith.addf %s, %m : f32
              schedule.yield %r : f32
            }
          }
        }
      }
    }
    schedule.for %t = 0 to 8 {
      schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
        schedule.for %j4 = 0 to 8 {
          schedule.block "store" <spatial 16, spatial 64, spatial 4> = (d0, d1, d2, d3) -> (d0, d1 * 8 + d2, d3)(%i4, %t, %j4, %warp)
            reads %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator">
            writes %c<(d0, d1, d2) -> (d2 * 16 + d0, d1)> : memref<64x64xf32> {
          ^bb0(%v4: f32):
            schedule.yield %v4 : f32
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @warps_apart(%c: memref<64x64xf32>) {
  %a = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<64x64xf16, "shared">
  %b = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<64x64xf16, "shared">
  %fc = memref.alloc() : memref<16x64xf32, "wmma.accumulator">
  schedule.for %warp = 0 to 4 kind "threadIdx.y" {
    schedule.for %i0 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
      schedule.for %j0 = 0 to 64 {
        schedule.block "start" <spatial 16, spatial 64> = (d0, d1) -> (d0, d1)(%i0, %j0)
          writes %fc<(d0, d1) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
          %z = arith.constant 0.0 : f32
          schedule.yield %z : f32
        }
      }
    }
    schedule.for %k = 0 to 4 {
      // expected-error @+1 {{tensorize with wgmma: 'a' moves by 8 from one warp to the next; rows of A have to move by 16, and all else by 0}}
      schedule.for %i3 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
        schedule.for %j3 = 0 to 64 {
          schedule.for %k3 = 0 to 16 {
            schedule.block "mul" <spatial 16, spatial 64, reduction 64, spatial 4> = (d0, d1, d2, d3, d4) -> (d0, d1, d2 * 16 + d3, d4)(%i3, %j3, %k, %k3, %warp)
              reads %a<(d0, d1, d2, d3) -> (d3 * 8 + d0, d2)> : memref<64x64xf16, "shared">
              reads %b<(d0, d1, d2, d3) -> (d2, d1)> : memref<64x64xf16, "shared">
              writes %fc<(d0, d1, d2, d3) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
            ^bb0(%p: f16, %q: f16, %s: f32):
              %wp = arith.extf %p : f16 to f32
              %wq = arith.extf %q : f16 to f32
              %m = arith.mulf %wp, %wq : f32
              %r = arith.addf %s, %m : f32
              schedule.yield %r : f32
            }
          }
        }
      }
    }
    schedule.for %t = 0 to 8 {
      schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
        schedule.for %j4 = 0 to 8 {
          schedule.block "store" <spatial 16, spatial 64, spatial 4> = (d0, d1, d2, d3) -> (d0, d1 * 8 + d2, d3)(%i4, %t, %j4, %warp)
            reads %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator">
            writes %c<(d0, d1, d2) -> (d2 * 16 + d0, d1)> : memref<64x64xf32> {
          ^bb0(%v4: f32):
            schedule.yield %v4 : f32
          }
        }
      }
    }
  }
  func.return
}

// -----

func.func @no_warps(%c: memref<64x64xf32>) {
  %a = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<64x64xf16, "shared">
  %b = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<64x64xf16, "shared">
  %fc = memref.alloc() : memref<16x64xf32, "wmma.accumulator">
  schedule.for %warp = 0 to 4 {
    schedule.for %i0 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
      schedule.for %j0 = 0 to 64 {
        schedule.block "start" <spatial 16, spatial 64> = (d0, d1) -> (d0, d1)(%i0, %j0)
          writes %fc<(d0, d1) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
          %z = arith.constant 0.0 : f32
          schedule.yield %z : f32
        }
      }
    }
    schedule.for %k = 0 to 4 {
      // expected-error @+1 {{tensorize with wgmma: threadIdx.y has 1 iterations around it: four warps multiply together, so bind a loop of 4 times 16 rows to threadIdx.y}}
      schedule.for %i3 = 0 to 16 attributes {tensorize = "wgmma.m64n64k16"} {
        schedule.for %j3 = 0 to 64 {
          schedule.for %k3 = 0 to 16 {
            schedule.block "mul" <spatial 16, spatial 64, reduction 64, spatial 4> = (d0, d1, d2, d3, d4) -> (d0, d1, d2 * 16 + d3, d4)(%i3, %j3, %k, %k3, %warp)
              reads %a<(d0, d1, d2, d3) -> (d3 * 16 + d0, d2)> : memref<64x64xf16, "shared">
              reads %b<(d0, d1, d2, d3) -> (d2, d1)> : memref<64x64xf16, "shared">
              writes %fc<(d0, d1, d2, d3) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator"> {
            ^bb0(%p: f16, %q: f16, %s: f32):
              %wp = arith.extf %p : f16 to f32
              %wq = arith.extf %q : f16 to f32
              %m = arith.mulf %wp, %wq : f32
              %r = arith.addf %s, %m : f32
              schedule.yield %r : f32
            }
          }
        }
      }
    }
    schedule.for %t = 0 to 8 {
      schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
        schedule.for %j4 = 0 to 8 {
          schedule.block "store" <spatial 16, spatial 64, spatial 4> = (d0, d1, d2, d3) -> (d0, d1 * 8 + d2, d3)(%i4, %t, %j4, %warp)
            reads %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x64xf32, "wmma.accumulator">
            writes %c<(d0, d1, d2) -> (d2 * 16 + d0, d1)> : memref<64x64xf32> {
          ^bb0(%v4: f32):
            schedule.yield %v4 : f32
          }
        }
      }
    }
  }
  func.return
}
