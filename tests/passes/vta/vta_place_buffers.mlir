// RUN: vtac-opt %s -p vta-place-buffers --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p vta-place-buffers,vta-place-buffers --split-input-file --verify-diagnostics | filecheck %s

// Two buffers that are not live together share the start of their memory.

// CHECK-LABEL: func.func @apart
// CHECK-NOT:     memref.alloc
// CHECK:         vta.load_2d inp %x [{{.*}}sram = 0] : memref<1x1x16xi8>
// CHECK:         vta.load_2d inp %x [{{.*}}sram = 0] : memref<1x1x16xi8>
func.func @apart(%x: memref<1x1x16xi8>) {
  %a = memref.alloc() : memref<1x1x16xi8, "vta.inp">
  vta.load_2d inp %x, %a [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x16xi8>, memref<1x1x16xi8, "vta.inp">
  %b = memref.alloc() : memref<1x1x16xi8, "vta.inp">
  vta.load_2d inp %x, %b [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x16xi8>, memref<1x1x16xi8, "vta.inp">
  func.return
}

// -----

// One that has turns keeps its space.

// CHECK-LABEL: func.func @turns
// CHECK:         vta.load_2d inp %x [{{.*}}sram = 1] : memref<1x1x16xi8>
// CHECK:         vta.load_2d inp %x [{{.*}}sram = 2] : memref<1x1x16xi8>
func.func @turns(%x: memref<1x1x16xi8>) {
  %a = memref.alloc() {vta.turns = 2 : i64} : memref<2x1x1x16xi8, "vta.inp">
  vta.load_2d inp %x, %a [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 1] : memref<1x1x16xi8>, memref<2x1x1x16xi8, "vta.inp">
  %b = memref.alloc() : memref<1x1x16xi8, "vta.inp">
  vta.load_2d inp %x, %b [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x16xi8>, memref<1x1x16xi8, "vta.inp">
  func.return
}

// -----

// expected-error @+1 {{function 'overflow' overflows INP: 4,000 of 2,048 elements (64,000 of 32,768 bytes, 16 each) are needed:}}
func.func @overflow() {
  %a = memref.alloc() {vta.turns = 2 : i64} : memref<2x2000x1x16xi8, "vta.inp">
  func.return
}

// -----
func.func @given(%out: memref<2x1x16xi8>, %acc: memref<2x1x16xi32, "vta.acc">) {
  // expected-error @+1 {{'vta.store_2d' uses on-chip buffer 'acc', which function 'given' does not allocate}}
  vta.store_2d out %out, %acc [sram = 0, dram = 0, x_size = 2, y_size = 1, x_stride = 2] : memref<2x1x16xi8>, memref<2x1x16xi32, "vta.acc">
  func.return
}
