// RUN: vtac-opt %s -p gpu-carry-copies | filecheck %s
// RUN: vtac-opt %s -p gpu-carry-copies,gpu-carry-copies | filecheck %s

// What a later step needs is loaded before this step's use, and stored after it. The asynchronous copy beside it stays.

// CHECK-LABEL: func.func @steps
// CHECK-NEXT:    %carried = memref.alloc() : memref<2xf16, "local">
// CHECK:         schedule.for %k = 0 to 3 {
// CHECK-NEXT:      "gpu.barrier"
// CHECK-NEXT:      [[MORE:%.*]] = arith.cmpi
// CHECK-NEXT:      scf.if [[MORE]] {
// CHECK-NEXT:        wmma.async_copy
// CHECK-NEXT:        schedule.for [[I:%.*]] = 0 to 2 attributes {unroll} {
// CHECK:               [[LOADED:%.*]] = memref.load %x
// CHECK:               [[PLACE:%.*]] = affine.apply {{.*}} ([[I]])
// CHECK-NEXT:          memref.store [[LOADED]], %carried{{\[}}[[PLACE]]]
// CHECK:           memref.load %s
// CHECK-NEXT:      memref.store {{.*}}, %y
// CHECK-NEXT:      scf.if [[MORE]] {
// CHECK-NEXT:        schedule.for [[J:%.*]] = 0 to 2 attributes {unroll} {
// CHECK-NOT:           memref.load %x
// CHECK:               [[BACK:%.*]] = memref.load %carried
// CHECK-NEXT:          memref.store [[BACK]], %s
func.func @steps(%x: memref<256xf16>, %z: memref<256xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %thread = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %s = memref.alloc() {wmma.staged} : memref<128xf16, "shared">
  %t = memref.alloc() {wmma.staged} : memref<128xf16, "shared">
  %last = arith.constant 2 : index
  schedule.for %k = 0 to 3 {
    "gpu.barrier"() : () -> ()
    %more = arith.cmpi slt, %k, %last : index
    scf.if %more {
      wmma.async_copy %t[%thread], %z[%thread] elements 2 : memref<128xf16, "shared">, memref<256xf16>
      schedule.for %i = 0 to 2 {
        %from = affine.apply affine_map<(k, i, t) -> (k * 64 + i * 32 + t)> (%k, %i, %thread)
        %v = memref.load %x[%from] : memref<256xf16>
        %to = affine.apply affine_map<(k, i, t) -> ((k + 1) mod 2 * 64 + i * 32 + t)> (%k, %i, %thread)
        memref.store %v, %s[%to] : memref<128xf16, "shared">
      }
    } {wmma.ahead}
    %own = affine.apply affine_map<(k, t) -> (k mod 2 * 64 + t)> (%k, %thread)
    %w = memref.load %s[%own] : memref<128xf16, "shared">
    memref.store %w, %y[%thread] : memref<32xf16>
  }
  func.return
}
