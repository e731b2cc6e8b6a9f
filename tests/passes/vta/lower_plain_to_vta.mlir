// RUN: vtac-opt %s -p lower-plain-to-vta | filecheck %s
// RUN: vtac-opt %s -p lower-plain-to-vta -t vta-asm | filecheck %s --check-prefix=ASM
// RUN: vtac-opt %s -p 'lower-plain-to-vta{phase=scripted}' | filecheck %s --check-prefix=SCRIPTED
// RUN: vtac-opt %s -p 'lower-plain-to-vta{phase=isolated}' | filecheck %s --check-prefix=ISOLATED
// RUN: vtac-opt %s -p 'lower-plain-to-vta{phase=kernels}' | filecheck %s --check-prefix=KERNELS
// RUN: vtac-opt %s -p 'lower-plain-to-vta{phase=kernels},lower-device-functions,vta-link-kernels,vta-plan-dram,vta-link-kernels' | filecheck %s
// RUN: not vtac-opt %s -p 'lower-plain-to-vta{phase=nowhere}' 2>&1 | filecheck %s --check-prefix=UNKNOWN

// Two products become one program of two kernels, beside the host function that packs and unpacks.

// CHECK-LABEL: func.func @net(%x: tensor<4x20xi8>)
// CHECK:         packing.pack %x
// CHECK:         func.call @net_vta(
// CHECK:         packing.unpack
// CHECK-LABEL: func.func private @net_vta(
// CHECK-SAME:    packing.program
// CHECK:         func.call @net_0
// CHECK:         func.call @net_1
// CHECK-LABEL: func.func private @net_0
// CHECK-LABEL: func.func private @net_1
// CHECK-NOT:   schedule.script
// CHECK:       builtin.module
// CHECK-NEXT:    func.func private @net_vta(%{{.*}}: memref<
// CHECK:           memref.alloc() {vta.arena_offset = 0 : i64}
// CHECK:           vta.sync dataflow
// CHECK:         func.func private @net_0({{.*}}: memref<
// CHECK:           vta.gemm
// CHECK-NOT:       vta.sync
// CHECK:         func.func private @net_1({{.*}}: memref<
// CHECK:           vta.gemm
// CHECK-NOT:   builtin.module

// ASM:      load
// ASM:      gemm
// ASM:      store.out
// ASM:      finish

// SCRIPTED-LABEL: func.func @net
// SCRIPTED:       schedule.script @net_0
// SCRIPTED:       schedule.script @net_1

// ISOLATED-LABEL: func.func private @net_1
// ISOLATED-NOT:   schedule.script
// ISOLATED:       builtin.module
// ISOLATED-NEXT:    func.func private @net_0
// ISOLATED:         schedule.script @net_0
// ISOLATED:       builtin.module
// ISOLATED-NEXT:    func.func private @net_1
// ISOLATED:         schedule.script @net_1

// KERNELS-LABEL: func.func private @net_1(%data: tensor
// KERNELS:      builtin.module
// KERNELS-NEXT:   func.func private @net_0(%{{.*}}: memref<
// KERNELS:          vta.gemm
// KERNELS:          vta.sync
// KERNELS:      builtin.module
// KERNELS-NEXT:   func.func private @net_1(%{{.*}}: memref<
// KERNELS:          vta.sync

// UNKNOWN: no phase 'nowhere'; the phases are input, expanded, normalised, integer, outlined, packed, grouped, owned, scripted, isolated, kernels, linked

#id = affine_map<(m, n) -> (m, n)>
func.func @net(%x: tensor<4x20xi8>) -> tensor<4x10xi8> {
  %w = arith.constant dense<1> : tensor<20x18xi8>
  %v = arith.constant dense<2> : tensor<18x10xi8>
  %zero = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<4x18xi32>
  %i0 = linalg.fill ins(%zero : i32) outs(%e0 : tensor<4x18xi32>) -> tensor<4x18xi32>
  %p = linalg.matmul ins(%x, %w : tensor<4x20xi8>, tensor<20x18xi8>) outs(%i0 : tensor<4x18xi32>) -> tensor<4x18xi32>
  %n = tensor.empty() : tensor<4x18xi8>
  %h = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%p : tensor<4x18xi32>) outs(%n : tensor<4x18xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<4x18xi8>
  %e1 = tensor.empty() : tensor<4x10xi32>
  %i1 = linalg.fill ins(%zero : i32) outs(%e1 : tensor<4x10xi32>) -> tensor<4x10xi32>
  %q = linalg.matmul ins(%h, %v : tensor<4x18xi8>, tensor<18x10xi8>) outs(%i1 : tensor<4x10xi32>) -> tensor<4x10xi32>
  %m = tensor.empty() : tensor<4x10xi8>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%q : tensor<4x10xi32>) outs(%m : tensor<4x10xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<4x10xi8>
  func.return %y : tensor<4x10xi8>
}
