// RUN: vtac-opt %s -p lower-device-functions | filecheck %s
// RUN: vtac-opt %s -p lower-device-functions,lower-device-functions | filecheck %s
// RUN: vtac-opt %s -p 'lower-device-functions{phase=payload}' | filecheck %s --check-prefix=PAYLOAD
// RUN: not vtac-opt %s -p 'lower-device-functions{phase=nowhere}' 2>&1 | filecheck %s --check-prefix=UNKNOWN

// The module that holds a script is lowered to the vta dialect; the functions beside it stay on tensors, and a
// module without a script stays as it is.

// CHECK-LABEL: func.func private @net_0(%x: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8>
// CHECK-LABEL: builtin.module {
// CHECK-NEXT:    func.func private @net_0(%x: memref<1x4x1x16xi32>, %res: memref<1x4x1x16xi8> {schedule.result})
// CHECK-NEXT:      vta.load_2d acc %x [dram = 0, x_size = 4,
// CHECK-NEXT:      vta.dep_push "compute", "store"
// CHECK-NEXT:      vta.dep_pop "compute", "store"
// CHECK-NEXT:      vta.store_2d out %res [sram = 0, dram = 0, x_size = 4,
// CHECK-NEXT:      vta.sync
// CHECK-NEXT:      func.return
// CHECK-NOT:     schedule.script
// CHECK-LABEL: builtin.module {
// CHECK-NEXT:    func.func private @net_1(%x: tensor<16xi8>)

// PAYLOAD-LABEL: builtin.module {
// PAYLOAD:         schedule.block "res"
// PAYLOAD:         schedule.script @net_0

// UNKNOWN: no phase 'nowhere'; the phases are input, payload, scheduled, blocked, units, tokens, threads, vta
#id = affine_map<(m, n, a, b) -> (m, n, a, b)>
func.func private @net_0(%x: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8> attributes {packing.device} {
  %e = tensor.empty() : tensor<1x4x1x16xi8>
  %res = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x : tensor<1x4x1x16xi32>) outs(%e : tensor<1x4x1x16xi8>) {
  ^bb0(%v: i32, %o: i8):
    %t = arith.trunci %v : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x4x1x16xi8>
  func.return %res : tensor<1x4x1x16xi8>
}
builtin.module {
  func.func private @net_0(%x: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8> attributes {packing.device} {
    %e = tensor.empty() : tensor<1x4x1x16xi8>
    %res = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x1x16xi32>) outs(%e : tensor<1x4x1x16xi8>) {
    ^bb0(%v: i32, %o: i8):
      %t = arith.trunci %v : i32 to i8
      linalg.yield %t : i8
    } -> tensor<1x4x1x16xi8>
    func.return %res : tensor<1x4x1x16xi8>
  }
  schedule.script @net_0 {
    %res = schedule.get_block "res"
    %x_vta_acc = schedule.cache_read %res, 0, "vta.acc"
    %i0 = schedule.get_loop %x_vta_acc "i0"
    schedule.dma_copy %i0
    %j0 = schedule.get_loop %res "i0"
    schedule.dma_copy %j0
  }
}
builtin.module {
  func.func private @net_1(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
    func.return %x : tensor<16xi8>
  }
}
