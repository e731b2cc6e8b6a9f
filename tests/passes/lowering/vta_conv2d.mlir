// RUN: vtac-opt %S/../../../examples/vta_conv2d.mlir \
// RUN:   -p 'convert-linalg-to-schedule,apply-schedule,schedule-decompose-reductions,schedule-compact-buffers, \
// RUN:   schedule-reuse-in-place,convert-dma-to-vta,convert-gemm-to-vta,convert-alu-to-vta, \
// RUN:   vta-group-stages,vta-insert-dependences,schedule-inject-virtual-threads,vta-place-buffers, \
// RUN:   convert-schedule-to-scf' \
// RUN:   | filecheck %s

// The convolution at the vta level: what the reference's own lowering of this schedule calls, call by call.

// CHECK:      func.func @conv2d(%data: memref<1x16x14x14x1x16xi8>, %kernel: memref<16x16x3x3x16x16xi8>, %res: memref<1x16x14x14x1x16xi8> {schedule.result, schedule.name = "res"}) {
// CHECK-NEXT:   %c0 = arith.constant 0 : index
// CHECK-NEXT:   %c2 = arith.constant 2 : index
// CHECK-NEXT:   %c1 = arith.constant 1 : index
// CHECK-NEXT:   %c9 = arith.constant 9 : index
// CHECK-NEXT:   %c14 = arith.constant 14 : index
// CHECK-NEXT:   %c16 = arith.constant 16 : index
// CHECK-NEXT:   %c7 = arith.constant 7 : index
// CHECK-NEXT:   %c8 = arith.constant 8 : index
// CHECK-NEXT:   vta.dep_push "store", "compute"
// CHECK-NEXT:   vta.dep_push "store", "compute"
// CHECK-NEXT:   scf.for %i2_outer = %c0 to %c2 step %c1 {
// CHECK-NEXT:     scf.for %i1_outer_inner = %c0 to %c2 step %c1 {
// CHECK-NEXT:       vta.dep_pop "store", "compute"
// CHECK-NEXT:       vta.gemm reset captures(%i1_outer_inner) loops [<8, 98, 0, 0>, <7, 14, 0, 0>] micro [14] (d0)[s0] -> ((d0 + (s0 * 784)), 0, 0)
// CHECK-NEXT:       vta.dep_push "compute", "load"
// CHECK-NEXT:     }
// CHECK-NEXT:     scf.for %r6_outer = %c0 to %c16 step %c1 {
// CHECK-NEXT:       %0 = affine.apply affine_map<(d0) -> (((d0 * -7) + 1))> (%i2_outer)
// CHECK-NEXT:       %1 = arith.maxsi %0, %c0 : index
// CHECK-NEXT:       %2 = affine.apply affine_map<(d0) -> (((d0 * 7) + -6))> (%i2_outer)
// CHECK-NEXT:       %3 = arith.maxsi %2, %c0 : index
// CHECK-NEXT:       %4 = arith.subi %c9, %1 : index
// CHECK-NEXT:       %5 = arith.subi %4, %3 : index
// CHECK-NEXT:       %6 = affine.apply affine_map<(d0, d1) -> ((((d1 * 196) + (d0 * 98)) + -14))> (%i2_outer, %r6_outer)
// CHECK-NEXT:       %7 = arith.muli %1, %c14 : index
// CHECK-NEXT:       %8 = arith.addi %6, %7 : index
// CHECK-NEXT:       scf.for %i1_outer_inner_1 = %c0 to %c2 step %c1 {
// CHECK-NEXT:         %9 = affine.apply affine_map<(d0, d1) -> (((d0 * 1152) + (d1 * 9)))> (%i1_outer_inner_1, %r6_outer)
// CHECK-NEXT:         vta.dep_pop "compute", "load"
// CHECK-NEXT:         %10 = affine.apply affine_map<(d0) -> ((d0 * 144))> (%i1_outer_inner_1)
// CHECK-NEXT:         vta.load_2d inp %data [dram = %8, x_size = 14, y_size = %5, x_stride = 14, x_pad_before = 1, y_pad_before = %1, x_pad_after = 1, y_pad_after = %3, sram = %10] : memref<1x16x14x14x1x16xi8>
// CHECK-NEXT:         %11 = affine.apply affine_map<(d0) -> ((d0 * 72))> (%i1_outer_inner_1)
// CHECK-NEXT:         vta.load_2d wgt %kernel [dram = %9, x_size = 9, y_size = 8, x_stride = 144, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = %11] : memref<16x16x3x3x16x16xi8>
// CHECK-NEXT:         vta.dep_push "load", "compute"
// CHECK-NEXT:       }
// CHECK-NEXT:       scf.for %i1_outer_inner_2 = %c0 to %c2 step %c1 {
// CHECK-NEXT:         vta.dep_pop "load", "compute"
// CHECK-NEXT:         vta.gemm captures(%i1_outer_inner_2) loops [<8, 98, 0, 9>, <7, 14, 16, 0>] micro [3, 3, 14] (d0, d1, d2)[s0] -> ((d2 + (s0 * 784)), ((((d0 * 16) + d1) + d2) + (s0 * 144)), (((d0 * 3) + d1) + (s0 * 72)))
// CHECK-NEXT:         vta.dep_push "compute", "load"
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:     vta.dep_pop "compute", "load"
// CHECK-NEXT:     vta.dep_pop "compute", "load"
// CHECK-NEXT:     scf.for %i1_outer_inner_3 = %c0 to %c2 step %c1 {
// CHECK-NEXT:       vta.alu shr imm 8 captures(%i1_outer_inner_3) loops [<784, 1, 1, 0>] micro [] ()[s0] -> ((s0 * 784), (s0 * 784))
// CHECK-NEXT:       vta.alu max imm 0 captures(%i1_outer_inner_3) loops [<784, 1, 1, 0>] micro [] ()[s0] -> ((s0 * 784), (s0 * 784))
// CHECK-NEXT:       vta.alu min imm 127 captures(%i1_outer_inner_3) loops [<784, 1, 1, 0>] micro [] ()[s0] -> ((s0 * 784), (s0 * 784))
// CHECK-NEXT:       vta.dep_push "compute", "store"
// CHECK-NEXT:     }
// CHECK-NEXT:     scf.for %i1_outer_inner_4 = %c0 to %c2 step %c1 {
// CHECK-NEXT:       vta.dep_pop "compute", "store"
// CHECK-NEXT:       scf.for %i1_inner = %c0 to %c8 step %c1 {
// CHECK-NEXT:         scf.for %i2_inner = %c0 to %c7 step %c1 {
// CHECK-NEXT:           scf.for %i3_inner = %c0 to %c14 step %c1 {
// CHECK-NEXT:             %12 = affine.apply affine_map<(d0, d1, d2) -> ((((d0 * 98) + (d1 * 14)) + d2))> (%i1_inner, %i2_inner, %i3_inner)
// CHECK-NEXT:             %13 = affine.apply affine_map<(d0, d1, d2, d3, d4) -> ((((((d0 * 1568) + (d2 * 196)) + (d1 * 98)) + (d3 * 14)) + d4))> (%i1_outer_inner_4, %i2_outer, %i1_inner, %i2_inner, %i3_inner)
// CHECK-NEXT:             %14 = affine.apply affine_map<(d0, d1) -> (((d0 * 784) + d1))> (%i1_outer_inner_4, %12)
// CHECK-NEXT:             vta.store_2d out %res [sram = %14, dram = %13, x_size = 1, y_size = 1, x_stride = 1] : memref<1x16x14x14x1x16xi8>
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:       vta.dep_push "store", "compute"
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   vta.dep_pop "store", "compute"
// CHECK-NEXT:   vta.dep_pop "store", "compute"
// CHECK-NEXT:   vta.sync
// CHECK-NEXT:   func.return
// CHECK-NEXT: }
