// RUN: vtac-opt %S/../../../examples/vta_vadd.mlir \
// RUN:   -p 'convert-linalg-to-schedule,apply-schedule,schedule-decompose-reductions,schedule-compact-buffers, \
// RUN:   schedule-reuse-in-place,convert-dma-to-vta,convert-gemm-to-vta,convert-alu-to-vta, \
// RUN:   vta-group-stages,vta-insert-dependences,schedule-inject-virtual-threads,vta-place-buffers, \
// RUN:   convert-schedule-to-scf' \
// RUN:   | filecheck %s

// Vector addition at the vta level: what the reference's own lowering of this schedule calls, call by call.

// CHECK:      func.func @vadd(%A: memref<1x64x1x16xi32>, %B: memref<1x64x1x16xi32>, %C: memref<1x64x1x16xi8> {schedule.result, schedule.name = "C"}) {
// CHECK-NEXT:   vta.load_2d acc %A [dram = 0, x_size = 64, y_size = 1, x_stride = 64, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x64x1x16xi32>
// CHECK-NEXT:   vta.load_2d acc %B [dram = 0, x_size = 64, y_size = 1, x_stride = 64, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 64] : memref<1x64x1x16xi32>
// CHECK-NEXT:   vta.alu add loops [<64, 1, 1, 0>] micro [] () -> (0, 64)
// CHECK-NEXT:   vta.dep_push "compute", "store"
// CHECK-NEXT:   vta.dep_pop "compute", "store"
// CHECK-NEXT:   vta.store_2d out %C [sram = 0, dram = 0, x_size = 64, y_size = 1, x_stride = 64] : memref<1x64x1x16xi8>
// CHECK-NEXT:   vta.sync
// CHECK-NEXT:   func.return
// CHECK-NEXT: }
