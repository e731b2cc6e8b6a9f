// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// memref's operations as mlir-opt prints them.

// CHECK: memref.global "private" constant @table : memref<4xi32> = dense<[1, 2, 3, 4]> {alignment = 64 : i64}
memref.global "private" constant @table : memref<4xi32> = dense<[1, 2, 3, 4]> {alignment = 64 : i64}
// CHECK: memref.global @open : memref<4xi32> = uninitialized
memref.global @open : memref<4xi32> = uninitialized
// CHECK: memref.global "private" @elsewhere : memref<4xi32>{{$}}
memref.global "private" @elsewhere : memref<4xi32>
// CHECK: memref.global "private" @nothing : memref<0xi32> = dense<>
memref.global "private" @nothing : memref<0xi32> = dense<>
// CHECK: memref.global "private" @bits : memref<2xf32> = dense<[1.000000e+00, 0xff800000]> {note = 1 : i32}
memref.global "private" @bits : memref<2xf32> = dense<[1.0, 0xFF800000]> {note = 1 : i32}
// CHECK: memref.global constant @"a b" : memref<f32> = dense<2.000000e+00>
memref.global constant @"a b" : memref<f32> = dense<2.0>
// CHECK: memref.global "private" @flags : memref<104xi1> = dense<"0x01000000000000000000000080">
memref.global "private" @flags : memref<104xi1> = dense<"0x01000000000000000000000080">

// CHECK: func.func @buffers
func.func @buffers(%m: memref<4xi32>, %n: memref<?xi32>) -> memref<4xi32> {
  // CHECK: memref.copy %m, %n {a = 1 : i32} : memref<4xi32> to memref<?xi32>
  memref.copy %m, %n {a = 1 : i32} : memref<4xi32> to memref<?xi32>
  // CHECK: %c = memref.cast %m : memref<4xi32> to memref<?xi32>
  %c = memref.cast %m : memref<4xi32> to memref<?xi32>
  // CHECK: %d = memref.cast %m : memref<4xi32> to memref<4xi32, strided<[?], offset: ?>>
  %d = memref.cast %m : memref<4xi32> to memref<4xi32, strided<[?], offset: ?>>
  // CHECK: %u = memref.cast %m : memref<4xi32> to memref<*xi32>
  %u = memref.cast %m : memref<4xi32> to memref<*xi32>
  // CHECK: %g = memref.get_global @table : memref<4xi32>
  %g = memref.get_global @table : memref<4xi32>
  func.return %g : memref<4xi32>
}
