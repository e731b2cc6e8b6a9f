// RUN: vtac-opt %s -p schedule-device-functions --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p schedule-device-functions,schedule-device-functions --split-input-file --verify-diagnostics | filecheck %s

// A script per device function, behind the functions; one that is given stays as it is, and stands where
// it stood. The host function gets none.

// CHECK-LABEL: func.func private @net_1
// CHECK:         schedule.script @net_1 {
// CHECK-NEXT:      %res = schedule.get_block "res"
// CHECK-NEXT:    }
// CHECK-NEXT:    schedule.script @net_0 {
// CHECK:           schedule.set_scope %sum_1, 0, "vta.acc"
// CHECK:           schedule.cache_read %sum_2, 0, "vta.acc"
// CHECK:           schedule.alu
// CHECK:           schedule.dma_copy
// CHECK:         }
// CHECK-NOT:     schedule.script
#id = affine_map<(m, n, a, b) -> (m, n, a, b)>
func.func @net(%x: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8> {
  %a = func.call @net_0(%x) : (tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8>
  %b = func.call @net_1(%x) : (tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8>
  func.return %b : tensor<1x4x1x16xi8>
}
func.func private @net_0(%x: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8> attributes {packing.device} {
  %f = tensor.empty() : tensor<1x4x1x16xi32>
  %sum = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x : tensor<1x4x1x16xi32>) outs(%f : tensor<1x4x1x16xi32>) {
  ^bb0(%v: i32, %o: i32):
    %one = arith.constant 1 : i32
    %s = arith.addi %v, %one : i32
    linalg.yield %s : i32
  } -> tensor<1x4x1x16xi32>
  %e = tensor.empty() : tensor<1x4x1x16xi8>
  %res = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%sum : tensor<1x4x1x16xi32>) outs(%e : tensor<1x4x1x16xi8>) {
  ^bb0(%v: i32, %o: i8):
    %t = arith.trunci %v : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x4x1x16xi8>
  func.return %res : tensor<1x4x1x16xi8>
}
func.func private @net_1(%x: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8> attributes {packing.device} {
  %e = tensor.empty() : tensor<1x4x1x16xi8>
  %res = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x : tensor<1x4x1x16xi32>) outs(%e : tensor<1x4x1x16xi8>) {
  ^bb0(%v: i32, %o: i8):
    %t = arith.trunci %v : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x4x1x16xi8>
  func.return %res : tensor<1x4x1x16xi8>
}
schedule.script @net_1 {
  %res = schedule.get_block "res"
}

// -----

func.func @net(%x: tensor<16xi8>) -> tensor<16xi8> {
  func.return %x : tensor<16xi8>
}
func.func private @net_0(%x: tensor<16xi8>) -> tensor<16xi8> attributes {packing.device} {
  func.return %x : tensor<16xi8>
}
// expected-error @+1 {{no device function 'net' to schedule; this program has net_0: vtac schedule prints their scripts}}
schedule.script @net {
}

// -----

// What no schedule fits is refused with what speaks against each.

#id = affine_map<(m, n, a, b) -> (m, n, a, b)>
// expected-error @+1 {{device function 'net_0' cannot be scheduled: the default schedule is refused}}
func.func private @net_0(%x: tensor<1x4x1x16xi32>) -> tensor<1x4x1x16xi8> attributes {packing.device} {
  %e = tensor.empty() : tensor<1x4x1x16xi8>
  %res = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x : tensor<1x4x1x16xi32>) outs(%e : tensor<1x4x1x16xi8>) {
  ^bb0(%v: i32, %o: i8):
    %one = arith.constant 3 : i32
    %s = arith.muli %v, %one : i32
    %t = arith.trunci %s : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x4x1x16xi8>
  func.return %res : tensor<1x4x1x16xi8>
}
