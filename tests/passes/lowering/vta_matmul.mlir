// RUN: vtac-opt %S/../../../examples/vta_matmul.mlir \
// RUN:   -p 'convert-linalg-to-schedule,apply-schedule,schedule-decompose-reductions,schedule-compact-buffers, \
// RUN:   schedule-reuse-in-place,convert-dma-to-vta,convert-gemm-to-vta,convert-alu-to-vta, \
// RUN:   vta-group-stages,vta-insert-dependences,schedule-inject-virtual-threads,vta-place-buffers, \
// RUN:   convert-schedule-to-scf' \
// RUN:   | filecheck %s

// Matrix multiplication at the vta level: what the reference's own lowering of this schedule calls, call by call.

// CHECK:      func.func @matmul(%data: memref<1x64x1x16xi8>, %weight: memref<64x64x16x16xi8>, %res: memref<1x64x1x16xi8> {schedule.result, schedule.name = "res"}) {
// CHECK-NEXT:   %c0 = arith.constant 0 : index
// CHECK-NEXT:   %c4 = arith.constant 4 : index
// CHECK-NEXT:   %c1 = arith.constant 1 : index
// CHECK-NEXT:   %c16 = arith.constant 16 : index
// CHECK-NEXT:   vta.dep_push "store", "compute"
// CHECK-NEXT:   scf.for %i1_outer = %c0 to %c4 step %c1 {
// CHECK-NEXT:     vta.dep_pop "store", "compute"
// CHECK-NEXT:     vta.gemm reset loops [<16, 1, 0, 0>] micro [] () -> (0, 0, 0)
// CHECK-NEXT:     vta.dep_push "compute", "load"
// CHECK-NEXT:     scf.for %r4_outer = %c0 to %c4 step %c1 {
// CHECK-NEXT:       %0 = affine.apply affine_map<(d0) -> ((d0 * 16))> (%r4_outer)
// CHECK-NEXT:       %1 = affine.apply affine_map<(d0, d1) -> (((d0 * 1024) + (d1 * 16)))> (%i1_outer, %r4_outer)
// CHECK-NEXT:       vta.dep_pop "compute", "load"
// CHECK-NEXT:       vta.load_2d inp %data [dram = %0, x_size = 16, y_size = 1, x_stride = 16, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x64x1x16xi8>
// CHECK-NEXT:       vta.load_2d wgt %weight [dram = %1, x_size = 16, y_size = 16, x_stride = 64, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<64x64x16x16xi8>
// CHECK-NEXT:       vta.dep_push "load", "compute"
// CHECK-NEXT:       vta.dep_pop "load", "compute"
// CHECK-NEXT:       vta.gemm loops [<16, 1, 0, 16>, <16, 0, 1, 1>] micro [] () -> (0, 0, 0)
// CHECK-NEXT:       vta.dep_push "compute", "load"
// CHECK-NEXT:     }
// CHECK-NEXT:     vta.dep_pop "compute", "load"
// CHECK-NEXT:     vta.alu shr imm 8 loops [<16, 1, 1, 0>] micro [] () -> (0, 0)
// CHECK-NEXT:     vta.alu max imm 0 loops [<16, 1, 1, 0>] micro [] () -> (0, 0)
// CHECK-NEXT:     vta.alu min imm 127 loops [<16, 1, 1, 0>] micro [] () -> (0, 0)
// CHECK-NEXT:     vta.dep_push "compute", "store"
// CHECK-NEXT:     vta.dep_pop "compute", "store"
// CHECK-NEXT:     scf.for %i1_inner = %c0 to %c16 step %c1 {
// CHECK-NEXT:       %2 = affine.apply affine_map<(d0, d1) -> (((d0 * 16) + d1))> (%i1_outer, %i1_inner)
// CHECK-NEXT:       vta.store_2d out %res [sram = %i1_inner, dram = %2, x_size = 1, y_size = 1, x_stride = 1] : memref<1x64x1x16xi8>
// CHECK-NEXT:     }
// CHECK-NEXT:     vta.dep_push "store", "compute"
// CHECK-NEXT:   }
// CHECK-NEXT:   vta.dep_pop "store", "compute"
// CHECK-NEXT:   vta.sync
// CHECK-NEXT:   func.return
// CHECK-NEXT: }
