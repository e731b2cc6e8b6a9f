// RUN: vtac-opt %s -p vta-link-kernels,vta-plan-dram | filecheck %s
// RUN: vtac-opt %s -p vta-link-kernels,vta-plan-dram,vta-link-kernels,vta-plan-dram | filecheck %s
// RUN: vtac-opt %s -p vta-link-kernels,vta-plan-dram -t vta-asm | filecheck %s --check-prefix=ASM

// Two calls of one kernel store into one buffer, each its part; a reshape of the whole is read. What is put into a
// constant is stored into a buffer of its own, which begins with that.

// CHECK-LABEL: func.func private @joined(%x: memref<1x1x1x16xi8>, %out: memref<2x16xi8> {schedule.result},
// CHECK-SAME:    %border: memref<1x2x1x16xi8> {schedule.constant = dense<7> : tensor<1x2x1x16xi8>})
// CHECK-NEXT:    %whole = memref.alloc() {vta.arena_offset = 0 : i64} : memref<1x2x1x16xi8>
// CHECK-NEXT:    %a = memref.reinterpret_cast %whole to offset: [0], sizes: [1, 1, 1, 16], strides: [16, 16, 16, 1]
// CHECK-SAME:    memref<1x2x1x16xi8> to memref<1x1x1x16xi8, strided<[16, 16, 16, 1], offset: ?>>
// CHECK-NEXT:    func.call @part(%x, %a)
// CHECK-NEXT:    %b = memref.reinterpret_cast %whole to offset: [16]
// CHECK-NEXT:    func.call @part(%x, %b)
// CHECK-NEXT:    %c = memref.reinterpret_cast %border to offset: [16]
// CHECK-NEXT:    func.call @part(%x, %c)
// CHECK-NEXT:    %flat = memref.reinterpret_cast %whole to offset: [0], sizes: [2, 16], strides: [16, 1]
// CHECK-NEXT:    func.call @sum(%flat, %border, %out)
// CHECK-NEXT:    vta.sync dataflow

// ASM:      store.out sram 0 -> dram 0x400, 1 x 1
// ASM:      store.out sram 0 -> dram 0x401, 1 x 1
// ASM:      store.out sram 0 -> dram 0x301, 1 x 1
// ASM:      load.inp sram 0 <- dram 0x400
func.func private @joined(%x: tensor<1x1x1x16xi8>) -> tensor<2x16xi8> attributes {packing.program} {
  %a = func.call @part(%x) : (tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
  %b = func.call @part(%x) : (tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
  %empty = tensor.empty() : tensor<1x2x1x16xi8>
  %half = tensor.insert_slice %a into %empty[0, 0, 0, 0] [1, 1, 1, 16] [1, 1, 1, 1] : tensor<1x1x1x16xi8> into tensor<1x2x1x16xi8>
  %whole = tensor.insert_slice %b into %half[0, 1, 0, 0] [1, 1, 1, 16] [1, 1, 1, 1] : tensor<1x1x1x16xi8> into tensor<1x2x1x16xi8>
  %flat = packing.reshape %whole : tensor<1x2x1x16xi8> to tensor<2x16xi8>
  %c = func.call @part(%x) : (tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
  %border = arith.constant dense<7> : tensor<1x2x1x16xi8>
  %in = tensor.insert_slice %c into %border[0, 1, 0, 0] [1, 1, 1, 16] [1, 1, 1, 1] : tensor<1x1x1x16xi8> into tensor<1x2x1x16xi8>
  %out = func.call @sum(%flat, %in) : (tensor<2x16xi8>, tensor<1x2x1x16xi8>) -> tensor<2x16xi8>
  func.return %out : tensor<2x16xi8>
}
func.func private @part(%x: tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8>
func.func private @sum(%x: tensor<2x16xi8>, %y: tensor<1x2x1x16xi8>) -> tensor<2x16xi8>
builtin.module {
  func.func private @part(%x: memref<1x1x1x16xi8>, %r: memref<1x1x1x16xi8, strided<[16, 16, 16, 1], offset: ?>> {schedule.result}) {
    vta.load_2d inp %x [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x1x16xi8>
    vta.alu add imm 1 loops [] micro [] () -> (0, 0)
    vta.store_2d out %r [sram = 0, dram = 0, x_size = 1, y_size = 1, x_stride = 1] : memref<1x1x1x16xi8, strided<[16, 16, 16, 1], offset: ?>>
    vta.sync
    func.return
  }
}
builtin.module {
  func.func private @sum(%x: memref<2x16xi8>, %y: memref<1x2x1x16xi8>, %r: memref<2x16xi8> {schedule.result}) {
    vta.load_2d inp %x [dram = 0, x_size = 2, y_size = 1, x_stride = 2, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<2x16xi8>
    vta.load_2d inp %y [dram = 0, x_size = 2, y_size = 1, x_stride = 2, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 2] : memref<1x2x1x16xi8>
    vta.alu add imm 1 loops [] micro [] () -> (0, 0)
    vta.store_2d out %r [sram = 0, dram = 0, x_size = 1, y_size = 1, x_stride = 1] : memref<2x16xi8>
    vta.sync
    func.return
  }
}
