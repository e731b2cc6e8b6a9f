// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// CHECK-LABEL: func.func @placed
func.func @placed(%data: memref<4x1x16xi8>, %out: memref<4x1x16xi8>, %t: index, %n: index) {
  // CHECK: vta.dep_push "store", "compute"
  vta.dep_push "store", "compute"
  // CHECK: vta.dep_pop "store", "compute"
  vta.dep_pop "store", "compute"
  // CHECK: vta.load_2d inp %data [dram = %n, x_size = 4, y_size = 1, x_stride = 4, x_pad_before = 1, y_pad_before = %t, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<4x1x16xi8>
  vta.load_2d inp %data [dram = %n, x_size = 4, y_size = 1, x_stride = 4, x_pad_before = 1, y_pad_before = %t, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<4x1x16xi8>
  // CHECK: vta.gemm reset captures(%t) loops [<8, 98, 0, 0>] micro [14] (d0)[s0] -> ((d0 + (s0 * 784)), 0, 0)
  vta.gemm reset captures(%t) loops [<8, 98, 0, 0>] micro [14] (d0)[s0] -> (d0 + s0 * 784, 0, 0)
  // CHECK: vta.gemm loops [<8, 98, 0, 9>, <7, 14, 16, 0>] micro [3, 14] (d0, d1) -> (d1, (d0 + d1), d0) {note = "kept"}
  vta.gemm loops [<8, 98, 0, 9>, <7, 14, 16, 0>] micro [3, 14] (d0, d1) -> (d1, d0 + d1, d0) {note = "kept"}
  // CHECK: vta.alu shr imm -8 loops [<784, 1, 1, 0>] micro [] () -> (0, 0)
  vta.alu shr imm -8 loops [<784, 1, 1, 0>] micro [] () -> (0, 0)
  // CHECK: vta.alu add loops [] micro [] () -> (0, 64)
  vta.alu add loops [] micro [] () -> (0, 64)
  // CHECK: vta.store_2d out %out [sram = %t, dram = 3, x_size = 1, y_size = 1, x_stride = 1] {note = 1 : i64} : memref<4x1x16xi8>
  vta.store_2d out %out [sram = %t, dram = 3, x_size = 1, y_size = 1, x_stride = 1] {note = 1 : i64} : memref<4x1x16xi8>
  // CHECK: vta.sync
  vta.sync
  func.return
}

// CHECK-LABEL: func.func @on_buffers
func.func @on_buffers(%data: memref<4x1x16xi8>, %inp: memref<4x1x16xi8, "vta.inp">, %acc: memref<4x1x16xi32, "vta.acc">) {
  // CHECK: vta.stage "load" {
  vta.stage "load" {
    // CHECK-NEXT: vta.load_2d inp %data, %inp [dram = 0, {{.*}}, sram = 0] : memref<4x1x16xi8>, memref<4x1x16xi8, "vta.inp">
    vta.load_2d inp %data, %inp [dram = 0, x_size = 4, y_size = 1, x_stride = 4, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<4x1x16xi8>, memref<4x1x16xi8, "vta.inp">
  // CHECK-NEXT: }
  }
  // CHECK: vta.alu max on(%acc, %acc : memref<4x1x16xi32, "vta.acc">, memref<4x1x16xi32, "vta.acc">) loops [<2, 1, 1, 0>] micro [] () -> (0, 2)
  vta.alu max on(%acc, %acc : memref<4x1x16xi32, "vta.acc">, memref<4x1x16xi32, "vta.acc">) loops [<2, 1, 1, 0>] micro [] () -> (0, 2)
  func.return
}
