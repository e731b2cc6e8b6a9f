// RUN: vtac-opt %s -p lower-to-vta | filecheck %s --check-prefix=PLUS
// RUN: vtac-opt %S/../../../examples/vta_vadd.mlir -p lower-to-vta | filecheck %s
// RUN: vtac-opt %S/../../../examples/vta_vadd.mlir -p 'lower-to-vta{phase=blocked},lower-to-vta' | filecheck %s
// RUN: vtac-opt %S/../../../examples/vta_vadd.mlir -p 'lower-to-vta{phase=units}' | filecheck %s --check-prefix=UNITS
// RUN: not vtac-opt %S/../../../examples/vta_vadd.mlir -p 'lower-to-vta{phase=nowhere}' 2>&1 | filecheck %s --check-prefix=UNKNOWN

// The passes that `vtac-opt --help-pass lower-to-vta` lists, in one; a phase names where to stop, and the rest
// can be run from there.

// CHECK-LABEL: func.func @vadd
// CHECK-NEXT:    vta.load_2d acc %A
// CHECK-NEXT:    vta.load_2d acc %B
// CHECK-NEXT:    vta.alu add
// CHECK-NEXT:    vta.dep_push "compute", "store"
// CHECK-NEXT:    vta.dep_pop "compute", "store"
// CHECK-NEXT:    vta.store_2d out %C
// CHECK-NEXT:    vta.sync
// CHECK-NEXT:    func.return
// CHECK-NOT:   schedule.script

// UNITS-LABEL: func.func @vadd
// UNITS:         memref.alloc() : memref<1x64x1x16xi32, "vta.acc">
// UNITS-NEXT:    vta.load_2d acc %A
// UNITS-NOT:     vta.sync

// UNKNOWN: no phase 'nowhere'; the phases are input, payload, scheduled, blocked, units, tokens, threads, vta

// PLUS-LABEL: func.func @plus
// PLUS-NEXT:    vta.load_2d acc %A
// PLUS-NEXT:    vta.load_2d acc %B
// PLUS-NEXT:    vta.alu add loops [<4, 1, 1, 0>] micro [] () -> (0, 4)
// PLUS-NEXT:    vta.dep_push "compute", "store"
// PLUS-NEXT:    vta.dep_pop "compute", "store"
// PLUS-NEXT:    vta.store_2d out %C
// PLUS-NEXT:    vta.sync
// PLUS-NEXT:    func.return

#tile = affine_map<(o, m, b, c) -> (o, m, b, c)>
func.func @plus(%A: tensor<1x4x1x16xi32>, %B: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8> {
  %sum_empty = tensor.empty() : tensor<1x4x1x16xi32>
  %C_buf = linalg.generic {indexing_maps = [#tile, #tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%A, %B : tensor<1x4x1x16xi32>, tensor<1x4x1x16xi32>) outs(%sum_empty : tensor<1x4x1x16xi32>) attrs = {schedule.name = "C_buf"} {
  ^bb0(%a: i32, %b: i32, %o: i32):
    %sum = arith.addi %a, %b : i32
    linalg.yield %sum : i32
  } -> tensor<1x4x1x16xi32>
  %C_empty = tensor.empty() : tensor<1x4x1x16xi8>
  %C = linalg.generic {indexing_maps = [#tile, #tile], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%C_buf : tensor<1x4x1x16xi32>) outs(%C_empty : tensor<1x4x1x16xi8>) attrs = {schedule.name = "C"} {
  ^bb0(%x: i32, %o: i8):
    %y = arith.trunci %x : i32 to i8
    linalg.yield %y : i8
  } -> tensor<1x4x1x16xi8>
  func.return %C : tensor<1x4x1x16xi8>
}

schedule.script @plus {
  %C_buf = schedule.get_block "C_buf"
  %C = schedule.get_block "C"
  %A_vta_acc = schedule.cache_read %C_buf, 0, "vta.acc"
  %B_vta_acc = schedule.cache_read %C_buf, 1, "vta.acc"
  schedule.set_scope %C_buf, 0, "vta.acc" : !schedule.block
  %i0, %i1, %i2, %i3 = schedule.get_loops %C : !schedule.loop, !schedule.loop, !schedule.loop, !schedule.loop
  %i0_1 = schedule.get_loop %A_vta_acc "i0"
  schedule.dma_copy %i0_1
  %i0_2 = schedule.get_loop %B_vta_acc "i0"
  schedule.dma_copy %i0_2
  %i0_3 = schedule.get_loop %C_buf "i0"
  schedule.alu %i0_3
  schedule.dma_copy %i0
}
