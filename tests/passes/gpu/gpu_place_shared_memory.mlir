// RUN: vtac-opt %s -p gpu-place-shared-memory | filecheck %s
// RUN: vtac-opt %s -p gpu-place-shared-memory,gpu-place-shared-memory | filecheck %s
// RUN: vtac-opt %s -p gpu-place-shared-memory,gpu-check-shared-memory | filecheck %s
// RUN: vtac-opt %s -p gpu-place-shared-memory,gpu-insert-barriers | filecheck %s --check-prefix=BARRIER

// A kernel that keeps more than 48 KiB gets one dynamic array with a place per buffer, each at a multiple of 128 bytes;
// the array ends where the last buffer does.

// CHECK-LABEL: func.func @large
// CHECK-SAME:  wmma.dynamic_shared_bytes = 65536 : i64
// CHECK:         %a = memref.alloc() {wmma.shared_offset = 0 : i64} : memref<129xi8, "shared">
// CHECK-NEXT:    %b = memref.alloc() {wmma.shared_offset = 256 : i64} : memref<64x254xf32, strided<[255, 1]>, "shared">
// CHECK-NEXT:    %g = memref.alloc() : memref<4xf32>
func.func @large() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %a = memref.alloc() : memref<129xi8, "shared">
  %b = memref.alloc() : memref<64x254xf32, strided<[255, 1]>, "shared">
  %g = memref.alloc() : memref<4xf32>
  func.return
}

// Buffers that are needed at different times share memory; those of one statement, a loop for example, do not.

// CHECK-LABEL: func.func @in_turns
// CHECK-SAME:  wmma.dynamic_shared_bytes = 65536 : i64
// CHECK:         memref.alloc() {wmma.shared_offset = 0 : i64} : memref<8192xf32, "shared">
// CHECK-NEXT:    memref.alloc() {wmma.shared_offset = 0 : i64} : memref<16384xf32, "shared">
// CHECK-NEXT:    memref.alloc() {wmma.shared_offset = 0 : i64} : memref<1024xf32, "shared">
// BARRIER-LABEL: func.func @in_turns
// BARRIER:         memref.store
// BARRIER-NEXT:    gpu.barrier
// BARRIER-NEXT:    memref.store
// BARRIER-NEXT:    gpu.barrier
// BARRIER-NEXT:    memref.store
// BARRIER-NEXT:    func.return
func.func @in_turns() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %a = memref.alloc() : memref<8192xf32, "shared">
  %b = memref.alloc() : memref<16384xf32, "shared">
  %c = memref.alloc() : memref<1024xf32, "shared">
  %zero = arith.constant 0 : index
  %v = arith.constant 0.0 : f32
  memref.store %v, %a[%zero] : memref<8192xf32, "shared">
  memref.store %v, %c[%zero] : memref<1024xf32, "shared">
  memref.store %v, %b[%zero] : memref<16384xf32, "shared">
  func.return
}

// What every block has anyway needs no places.
// CHECK-LABEL: func.func @small
// CHECK-NOT:     wmma.dynamic_shared_bytes
// CHECK-NOT:     wmma.shared_offset
func.func @small() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %a = memref.alloc() : memref<12288xf32, "shared">
  func.return
}

// CHECK-LABEL: func.func @host
// CHECK-NOT:     wmma.shared_offset
func.func @host() {
  %a = memref.alloc() : memref<20000xf32, "shared">
  func.return
}
