// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-copies-to-stores | filecheck %s

// convert-copies-to-stores: what a warp has written to shared memory goes to its array as boxes.

// Each of two warps writes 16 rows and stores them; rows of 128 columns are two panels. What lies below the array's last
// row is not stored.

// CHECK-LABEL: func.func @rows(%c: memref<100x256xf16>)
// CHECK:         %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 256 panels 32>, tma.by_warps} : memref<32x128xf16, "shared">
// CHECK:         tma.publish
// CHECK-NEXT:    tma.store %t[
// CHECK-SAME:      boxes <[64, 16] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x128xf16, "shared">, memref<100x256xf16>
// CHECK-NEXT:    tma.store %t[
// CHECK-NEXT:    tma.commit_stores
// CHECK-NEXT:    tma.wait_stores 0 read
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @rows(%c: memref<100x256xf16>) {
    schedule.for %row = 0 to 4 kind "blockIdx.x" {
      schedule.for %column = 0 to 2 kind "blockIdx.y" {
        %t = memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 256 panels 32>} : memref<32x128xf16, "shared">
        schedule.for %w = 0 to 2 kind "threadIdx.y" {
          schedule.for %i = 0 to 16 {
            schedule.for %j = 0 to 128 {
              schedule.block "result" <spatial 2, spatial 16, spatial 128> = (d0, d1, d2) -> (d0, d1, d2)(%w, %i, %j)
                writes %t<(d0, d1, d2) -> (d0 * 16 + d1, d2)> : memref<32x128xf16, "shared"> {
                %0 = arith.constant 1.0 : f16
                schedule.yield %0 : f16
              }
            }
          }
        }
        schedule.for %w2 = 0 to 2 kind "threadIdx.y" {
          schedule.for %i = 0 to 16 attributes {tensorize = "tma.store"} {
            schedule.for %j = 0 to 128 {
              schedule.block "copy" <spatial 4, spatial 2, spatial 2, spatial 16, spatial 128> = (d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)(%row, %column, %w2, %i, %j)
                reads %t<(d0, d1, d2, d3, d4) -> (d2 * 16 + d3, d4)> : memref<32x128xf16, "shared">
                writes %c<(d0, d1, d2, d3, d4) -> (d0 * 32 + d2 * 16 + d3, d1 * 128 + d4)> : memref<100x256xf16> {
              ^bb0(%v: f16):
                schedule.yield %v : f16
              }
            }
          }
        }
      }
    }
    func.return
  }
}

// -----

// Nobody waits for what other warps have written.

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @others(%c: memref<32x64xf16>) {
    %t = memref.alloc() : memref<32x64xf16, "shared">
    schedule.for %w = 0 to 2 kind "threadIdx.y" {
      schedule.for %i = 0 to 16 {
        schedule.for %j = 0 to 64 {
          schedule.block "result" <spatial 2, spatial 16, spatial 64> = (d0, d1, d2) -> (d0, d1, d2)(%w, %i, %j)
            writes %t<(d0, d1, d2) -> (d1 * 2 + d0, d2)> : memref<32x64xf16, "shared"> {
            %0 = arith.constant 1.0 : f16
            schedule.yield %0 : f16
          }
        }
      }
    }
    schedule.for %w2 = 0 to 2 kind "threadIdx.y" {
      // expected-error @+1 {{tma.store: warps store rows and columns of 't' that block 'result' has other warps write}}
      schedule.for %i = 0 to 16 attributes {tensorize = "tma.store"} {
        schedule.for %j = 0 to 64 {
          schedule.block "copy" <spatial 2, spatial 16, spatial 64> = (d0, d1, d2) -> (d0, d1, d2)(%w2, %i, %j)
            reads %t<(d0, d1, d2) -> (d0 * 16 + d1, d2)> : memref<32x64xf16, "shared">
            writes %c<(d0, d1, d2) -> (d0 * 16 + d1, d2)> : memref<32x64xf16> {
          ^bb0(%v: f16):
            schedule.yield %v : f16
          }
        }
      }
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_80"} {
  func.func @older(%c: memref<16x64xf16>) {
    %t = memref.alloc() : memref<16x64xf16, "shared">
    // expected-error @+1 {{tma.store: sm_80 has none; sm_90 and later copy boxes in bulk}}
    schedule.for %i = 0 to 16 attributes {tensorize = "tma.store"} {
      schedule.for %j = 0 to 64 {
        schedule.block "copy" <spatial 16, spatial 64> = (d0, d1) -> (d0, d1)(%i, %j)
          reads %t<(d0, d1) -> (d0, d1)> : memref<16x64xf16, "shared">
          writes %c<(d0, d1) -> (d0, d1)> : memref<16x64xf16> {
        ^bb0(%v: f16):
          schedule.yield %v : f16
        }
      }
    }
    func.return
  }
}

// -----

// Half of the buffer's columns are no box: what lies between its rows would be stored, too.

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @part(%c: memref<16x64xf16>) {
    %t = memref.alloc() : memref<16x64xf16, "shared">
    // expected-error @+1 {{tma.store: boxes have whole rows of 't', 64 elements; the copy has 32: cut it into panels}}
    schedule.for %i = 0 to 16 attributes {tensorize = "tma.store"} {
      schedule.for %j = 0 to 32 {
        schedule.block "copy" <spatial 16, spatial 32> = (d0, d1) -> (d0, d1)(%i, %j)
          reads %t<(d0, d1) -> (d0, d1)> : memref<16x64xf16, "shared">
          writes %c<(d0, d1) -> (d0, d1)> : memref<16x64xf16> {
        ^bb0(%v: f16):
          schedule.yield %v : f16
        }
      }
    }
    func.return
  }
}
