// RUN: vtac-opt %S/../../../examples/wmma_conv2d.mlir -p lower-to-wmma | filecheck %s
// RUN: vtac-opt %S/../../../examples/wmma_conv2d.mlir -p 'lower-to-wmma{phase=blocked},lower-to-wmma' | filecheck %s
// RUN: vtac-opt %S/../../../examples/wmma_conv2d.mlir -p 'lower-to-wmma{phase=tiles}' | filecheck %s --check-prefix=TILES
// RUN: not vtac-opt %S/../../../examples/wmma_conv2d.mlir -p 'lower-to-wmma{phase=nowhere}' 2>&1 | filecheck %s --check-prefix=UNKNOWN

// The passes that `vtac-opt --help-pass lower-to-wmma` lists, in one; a phase names where to stop, and the rest
// can be run from there.

// CHECK-LABEL: func.func @conv2d
// CHECK-SAME:    gpu.kernel
// CHECK-NOT:     schedule.for
// CHECK:         "gpu.thread_id"
// CHECK:         "gpu.barrier"
// CHECK:         wmma.load_matrix_sync
// CHECK:         wmma.mma_sync
// CHECK:         wmma.store_matrix_sync

// TILES-LABEL: func.func @conv2d
// TILES:         wmma.fragments
// TILES:         schedule.for
// TILES-NOT:     gpu.barrier

// UNKNOWN: no phase 'nowhere'; the phases are input, payload, scheduled, blocked, tiles, memory, wmma
