// RUN: vtac-opt %s -p vta-link-kernels,vta-plan-dram | filecheck %s
// RUN: vtac-opt %s -p vta-link-kernels,vta-plan-dram,vta-link-kernels,vta-plan-dram | filecheck %s
// RUN: vtac-opt %s -p vta-link-kernels,vta-plan-dram -t vta-asm | filecheck %s --check-prefix=ASM

// Four calls of one kernel: what the first stores has been read when the third stores, and their
// buffers share memory. The tokens of kernels go, and the whole ends with one synchronisation. A
// constant of a kernel becomes an argument; micro-ops are loaded once.

// CHECK-LABEL: func.func private @net(%x: memref<1x1x1x16xi8>, %out: memref<1x1x1x16xi8> {schedule.result},
// CHECK-SAME:    %constant: memref<1x16xi32> {schedule.constant = dense<3> : tensor<1x16xi32>})
// CHECK-NEXT:    %a = memref.alloc() {vta.arena_offset = 0 : i64}
// CHECK-NEXT:    func.call @step(%x, %a, %constant) {packing.layer = "first"}
// CHECK-NEXT:    %b = memref.alloc() {vta.arena_offset = 4096 : i64}
// CHECK-NEXT:    func.call @step(%a, %b, %constant)
// CHECK-NEXT:    %c = memref.alloc() {vta.arena_offset = 0 : i64}
// CHECK-NEXT:    func.call @step(%b, %c, %constant)
// CHECK-NEXT:    func.call @step(%c, %out, %constant)
// CHECK-NEXT:    vta.sync dataflow
// CHECK-LABEL: func.func private @step
// CHECK-NEXT:    vta.load_2d acc
// CHECK-NEXT:    vta.load_2d inp
// CHECK-NEXT:    vta.alu
// CHECK-NEXT:    vta.store_2d
// CHECK-NEXT:    func.return

// ASM:      load.uop sram 0
// ASM-NEXT: alu.add
// ASM-NEXT: store.out sram 0 -> dram 0x400
// ASM-NEXT: load.acc
// ASM-NEXT: load.inp sram 0 <- dram 0x400
// ASM-NEXT: alu.add
// ASM-NEXT: store.out sram 0 -> dram 0x500
// ASM-NOT:  load.uop sram
// ASM:      store.out sram 0 -> dram 0x200
// ASM:      finish
func.func private @net(%x: tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8> attributes {packing.program} {
  %a = func.call @step(%x) {packing.layer = "first"} : (tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
  %b = func.call @step(%a) : (tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
  %view = packing.reshape %b : tensor<1x1x1x16xi8> to tensor<1x1x1x16xi8>
  %c = func.call @step(%view) : (tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
  %out = func.call @step(%c) : (tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
  func.return %out : tensor<1x1x1x16xi8>
}
func.func private @step(%x: tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
builtin.module {
  func.func private @step(%x: memref<1x1x1x16xi8>, %r: memref<1x1x1x16xi8> {schedule.result},
      %k: memref<1x16xi32> {schedule.constant = dense<3> : tensor<1x16xi32>}) {
    vta.load_2d acc %k [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x16xi32>
    vta.load_2d inp %x [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x1x16xi8>
    vta.dep_push "load", "compute"
    vta.dep_pop "load", "compute"
    vta.alu add imm 1 loops [] micro [] () -> (0, 0)
    vta.dep_push "compute", "store"
    vta.dep_pop "compute", "store"
    vta.store_2d out %r [sram = 0, dram = 0, x_size = 1, y_size = 1, x_stride = 1] : memref<1x1x1x16xi8>
    vta.sync
    func.return
  }
}
