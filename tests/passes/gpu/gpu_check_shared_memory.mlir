// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-check-shared-memory | filecheck %s

// What fits passes and stays as it is.

// CHECK-LABEL: func.func @fits
// CHECK-SAME:  attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
// CHECK-NEXT:    %a = memref.alloc() : memref<12288xf32, "shared">
// CHECK-NEXT:    func.return
builtin.module attributes {wmma.architecture = "sm_75"} {
  func.func @fits() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
    %a = memref.alloc() : memref<12288xf32, "shared">
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_75"} {
  // expected-error @+1 {{kernel 'large' keeps 80,000 bytes in shared memory; a block has at most 65,536 bytes on sm_75:}}
  func.func @large() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>, wmma.dynamic_shared_bytes = 80000 : i64} {
    %a = memref.alloc() {wmma.shared_offset = 0 : i64} : memref<20000xf32, "shared">
    func.return
  }
}

// -----

// expected-error @+1 {{kernel 'unplaced' keeps 80,000 bytes in shared memory, and its buffers have no places in a dynamic array; without, a block has 49,152: run gpu-place-shared-memory first}}
func.func @unplaced() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %a = memref.alloc() : memref<20000xf32, "shared">
  func.return
}

// -----

builtin.module attributes {wmma.architecture = "sm_75"} {
  func.func @later() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
    // expected-error @+1 {{sm_75 has no matrix_a fragment of 16x16x16 bf16: its operands are f16, s8, u8}}
    %a = wmma.fragments : !wmma.fragment<1 x matrix_a [16, 16, 16] bf16 row_major>
    func.return
  }
}

// -----

// expected-error @+1 {{fragments of kernel 'registers' take 256 registers of each thread or more; with 32 threads per block a thread has 255 on any architecture, for all it computes:}}
func.func @registers() attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %c = wmma.fragments : !wmma.fragment<32 x accumulator [16, 16, 16] f32>
  func.return
}
