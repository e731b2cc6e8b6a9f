// RUN: vtac-opt %s -p vta-plan-dram --split-input-file | filecheck %s
// RUN: vtac-opt %s -p vta-plan-dram,vta-plan-dram --split-input-file | filecheck %s

// The largest buffer is placed first, at 0; what is live with it starts at a multiple of the DRAM alignment
// behind it. The last one meets neither of the first two. A view counts as a use of what it views.

// CHECK-LABEL: builtin.module {
// CHECK:       func.func private @net(%x: memref
// CHECK:         %a = memref.alloc() {vta.arena_offset = 131072 : i64} : memref<1x1x1x16xi8>
// CHECK:         %large = memref.alloc() {vta.arena_offset = 0 : i64} : memref<1x8192x1x16xi8>
// CHECK:         %b = memref.alloc() {vta.arena_offset = 135168 : i64} : memref<1x1x1x16xi8>
// CHECK:         %c = memref.alloc() {vta.arena_offset = 0 : i64} : memref<1x1x1x16xi8>
func.func private @net(%x: tensor<1x1x1x16xi8>) -> tensor<1x1x1x16xi8> attributes {packing.program}
builtin.module {
  func.func private @net(%x: memref<1x1x1x16xi8>, %out: memref<1x1x1x16xi8> {schedule.result}) attributes {packing.program} {
    %a = memref.alloc() : memref<1x1x1x16xi8>
    func.call @first(%x, %a) : (memref<1x1x1x16xi8>, memref<1x1x1x16xi8>) -> ()
    %large = memref.alloc() : memref<1x8192x1x16xi8>
    func.call @second(%a, %large) : (memref<1x1x1x16xi8>, memref<1x8192x1x16xi8>) -> ()
    %view = memref.reinterpret_cast %a to offset: [0], sizes: [1, 1, 16, 1], strides: [16, 16, 1, 1] : memref<1x1x1x16xi8> to memref<1x1x16x1xi8>
    %b = memref.alloc() : memref<1x1x1x16xi8>
    func.call @third(%view, %large, %b) : (memref<1x1x16x1xi8>, memref<1x8192x1x16xi8>, memref<1x1x1x16xi8>) -> ()
    %c = memref.alloc() : memref<1x1x1x16xi8>
    func.call @first(%b, %c) : (memref<1x1x1x16xi8>, memref<1x1x1x16xi8>) -> ()
    func.call @first(%c, %out) : (memref<1x1x1x16xi8>, memref<1x1x1x16xi8>) -> ()
    vta.sync dataflow
    func.return
  }
  func.func private @first(%x: memref<1x1x1x16xi8>, %y: memref<1x1x1x16xi8>)
  func.func private @second(%x: memref<1x1x1x16xi8>, %y: memref<1x8192x1x16xi8>)
  func.func private @third(%x: memref<1x1x16x1xi8>, %l: memref<1x8192x1x16xi8>, %y: memref<1x1x1x16xi8>)
}
