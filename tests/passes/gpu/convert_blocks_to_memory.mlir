// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-blocks-to-memory | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-blocks-to-memory,convert-blocks-to-memory | filecheck %s

// Blocks become loads, arithmetic and stores at flat offsets.

// CHECK-LABEL: func.func @sum
// CHECK:         %y_1 = memref.reinterpret_cast %y {{.*}} memref<2x4xf32> to memref<8xf32>
// CHECK-NEXT:    %x_1 = memref.reinterpret_cast %x {{.*}} memref<2x4xf32> to memref<8xf32>
// CHECK:         schedule.for %k = 0 to 1 {
// CHECK-NEXT:      [[READ:%.*]] = affine.apply affine_map<(d0, d1) -> (((d0 * 4) + d1))> (%i, %j)
// CHECK-NEXT:      [[X:%.*]] = memref.load %x_1{{\[}}[[READ]]]
// CHECK-NEXT:      [[OLD:%.*]] = memref.load %y_1{{\[}}[[READ]]]
// CHECK-NEXT:      [[NEW:%.*]] = arith.addf [[OLD]], [[X]] : f32
// CHECK-NEXT:      memref.store [[NEW]], %y_1{{\[}}[[READ]]]
func.func @sum(%x: memref<2x4xf32>, %y: memref<2x4xf32>) {
  schedule.for %i = 0 to 2 {
    schedule.for %j = 0 to 4 {
      schedule.for %k = 0 to 1 {
        schedule.block "sum" <spatial 2, spatial 4, reduction 1> = (d0, d1, d2) -> (d0, d1, d2)(%i, %j, %k)
          reads %x<(d0, d1, d2) -> (d0, d1)> : memref<2x4xf32>
          writes %y<(d0, d1, d2) -> (d0, d1)> : memref<2x4xf32> {
        ^bb0(%v: f32, %old: f32):
          %r = arith.addf %old, %v : f32
          schedule.yield %r : f32
        }
      }
    }
  }
  func.return
}

// A read that may lie in the padding is a choice between memory and the pad value; only bounds that can be crossed
// are compared.

// CHECK-LABEL: func.func @padded
// CHECK:         [[AT:%.*]] = affine.apply affine_map<(d0) -> ((d0 + -1))> (%i)
// CHECK:         [[INSIDE:%.*]] = arith.cmpi sge, [[AT]], {{%.*}} : index
// CHECK-NOT:     arith.andi
// CHECK:         scf.if [[INSIDE]] -> (f32) {
// CHECK:           memref.load %x
// CHECK:         } else {
// CHECK-NEXT:      [[PAD:%.*]] = arith.constant 2.500000e+00 : f32
// CHECK-NEXT:      scf.yield [[PAD]]
func.func @padded(%x: memref<4xf32>, %y: memref<5xf32>) {
  schedule.for %i = 0 to 5 {
    schedule.block "copy" <spatial 5> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0 - 1), pad 2.5 : f32> : memref<4xf32>
      writes %y<(d0) -> (d0)> : memref<5xf32> {
    ^bb0(%v: f32):
      schedule.yield %v : f32
    }
  }
  func.return
}

// Lanes inside of a quotient and a remainder are a vector where they never carry: four of eight channels, in rows of a
// window one above the other.

// CHECK-LABEL: func.func @window
// CHECK:         scf.if {{%.*}} -> (vector<4xi8>) {
// CHECK-NEXT:      vector.load %x_1{{.*}}, vector<4xi8>
// CHECK:         } else {
// CHECK-NEXT:      arith.constant dense<0> : vector<4xi8>
// CHECK:         vector.store {{.*}}, %y_1{{.*}}, vector<4xi8>
func.func @window(%x: memref<3x8xi8>, %y: memref<3x16xi8>) {
  schedule.for %i = 0 to 3 {
    schedule.for %j = 0 to 4 {
      schedule.for %lane = 0 to 4 kind "vectorized" {
        schedule.block "copy" <spatial 3, spatial 16> = (d0, d1, d2) -> (d0, d1 * 4 + d2)(%i, %j, %lane)
          reads %x<(d0, d1) -> (d0 + d1 floordiv 8, d1 mod 8), pad 0 : i8> : memref<3x8xi8>
          writes %y<(d0, d1) -> (d0, d1)> : memref<3x16xi8> {
        ^bb0(%v: i8):
          schedule.yield %v : i8
        }
      }
    }
  }
  func.return
}

// -----

func.func @unaligned(%x: memref<2x9xf16>, %y: memref<2x8xf16>) {
  schedule.for %i = 0 to 2 {
    schedule.for %j = 0 to 8 kind "vectorized" {
      // expected-error @+1 {{vectorize of loop 'j' of block 'copy': 'x' is reached with stride 1 from unaligned offsets; a vector copy needs stride 1 and offsets that are multiples of 8 elements}}
      schedule.block "copy" <spatial 2, spatial 8> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %x<(d0, d1) -> (d0, d1)> : memref<2x9xf16>
        writes %y<(d0, d1) -> (d0, d1)> : memref<2x8xf16> {
      ^bb0(%v: f16):
        schedule.yield %v : f16
      }
    }
  }
  func.return
}

// -----

func.func @edge(%x: memref<2x7xf16, strided<[8, 1]>>, %y: memref<2x8xf16>) {
  schedule.for %i = 0 to 2 {
    schedule.for %j = 0 to 4 kind "threadIdx.x" {
      schedule.for %lane = 0 to 2 kind "vectorized" {
        // expected-error @+1 {{vectorize of block 'copy': lanes reach over the padded edge of 'x'}}
        schedule.block "copy" <spatial 2, spatial 8> = (d0, d1, d2) -> (d0, d1 * 2 + d2)(%i, %j, %lane)
          reads %x<(d0, d1) -> (d0, d1), pad 0.0 : f16> : memref<2x7xf16, strided<[8, 1]>>
          writes %y<(d0, d1) -> (d0, d1)> : memref<2x8xf16> {
        ^bb0(%v: f16):
          schedule.yield %v : f16
        }
      }
    }
  }
  func.return
}

// -----

func.func @large(%x: memref<16xf16>, %y: memref<16xf16>) {
  schedule.for %j = 0 to 16 kind "vectorized" {
    // expected-error @+1 {{vectorize of loop 'j' of block 'copy': 16 lanes of 32 bytes together; vectorise copies of 2, 4, 8 or 16 bytes}}
    schedule.block "copy" <spatial 16> = (d0) -> (d0)(%j)
      reads %x<(d0) -> (d0)> : memref<16xf16>
      writes %y<(d0) -> (d0)> : memref<16xf16> {
    ^bb0(%v: f16):
      schedule.yield %v : f16
    }
  }
  func.return
}

// -----

func.func @computes(%x: memref<4xf32>, %y: memref<4xf32>) {
  schedule.for %j = 0 to 4 kind "vectorized" {
    // expected-error @+1 {{vectorise copies of 2, 4, 8 or 16 bytes}}
    schedule.block "double" <spatial 4> = (d0) -> (d0)(%j)
      reads %x<(d0) -> (d0)> : memref<4xf32>
      writes %y<(d0) -> (d0)> : memref<4xf32> {
    ^bb0(%v: f32):
      %r = arith.addf %v, %v : f32
      schedule.yield %r : f32
    }
  }
  func.return
}
