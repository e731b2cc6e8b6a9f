// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// CHECK-LABEL: func.func @payload
func.func @payload(%x: memref<6xi8>, %y: memref<4xi32, "vta.acc">) {
  // CHECK: schedule.for %n = 0 to 2 kind "cthread" attributes {schedule.annotations = {note = "outer"}} {
  schedule.for %n = 0 to 2 kind "cthread" attributes {schedule.annotations = {note = "outer"}} {
    // CHECK-NEXT: schedule.for %i = 0 to 3 {
    schedule.for %i = 0 to 3 {
      // CHECK-NEXT: schedule.for %k = 0 to 5 kind "unrolled" {
      schedule.for %k = 0 to 5 kind "unrolled" {
        // CHECK-NEXT: schedule.block "y" <spatial 4, reduction 5> = (d0, d1, d2) -> (((d0 * 3) + d1), d2)(%n, %i, %k)
        // CHECK-NEXT:   where (d0, d1, d2) : ((((d0 * -3) + (d1 * -1)) + 3) >= 0)
        // CHECK-NEXT:   reads %x<(d0, d1) -> (((d0 + d1) + -1)), pad 3 : i8> : memref<6xi8>
        // CHECK-NEXT:   writes %y<(d0, d1) -> (d0)> : memref<4xi32, "vta.acc">
        // CHECK-NEXT:   init -7 : i32 attributes {schedule.annotations = {kept}} {
        // CHECK-NEXT: ^bb{{[0-9]+}}(%v: i8, %acc: i32):
        schedule.block "y" <spatial 4, reduction 5> = (d0, d1, d2) -> (d0 * 3 + d1, d2)(%n, %i, %k)
          where (d0, d1, d2) : (d0 * -3 + d1 * -1 + 3 >= 0)
          reads %x<(d0, d1) -> (d0 + d1 - 1), pad 3 : i8> : memref<6xi8>
          writes %y<(d0, d1) -> (d0)> : memref<4xi32, "vta.acc">
          init -7 : i32 attributes {schedule.annotations = {kept}} {
        ^bb0(%v: i8, %acc: i32):
          %w = arith.extsi %v : i8 to i32
          %s = arith.addi %acc, %w : i32
          // CHECK: schedule.yield %s : i32
          schedule.yield %s : i32
        }
      }
    }
  }
  // CHECK: schedule.block "once" <> = () -> ()()
  // CHECK-NEXT: writes %y<() -> (0)>
  schedule.block "once" <> = () -> ()()
    writes %y<() -> (0)> : memref<4xi32, "vta.acc"> {
    %c = arith.constant 5 : i32
    schedule.yield %c : i32
  }
  func.return
}

// CHECK-LABEL: schedule.script @payload {
schedule.script @payload {
  // CHECK-NEXT: %a = schedule.get_block "y"
  %a = schedule.get_block "y"
  // CHECK-NEXT: %n, %i, %k = schedule.get_loops %a : !schedule.loop, !schedule.loop, !schedule.loop
  %n, %i, %k = schedule.get_loops %a : !schedule.loop, !schedule.loop, !schedule.loop
  // CHECK-NEXT: %l = schedule.get_loop %a "k"
  %l = schedule.get_loop %a "k"
  // CHECK-NEXT: %x = schedule.get_buffer "x"
  %x = schedule.get_buffer "x"
  // CHECK-NEXT: %o, %p = schedule.split %i factor 2 tail "guard"
  %o, %p = schedule.split %i factor 2 tail "guard"
  // CHECK-NEXT: %q, %r = schedule.split %p nparts 2
  %q, %r = schedule.split %p nparts 2
  // CHECK-NEXT: %f = schedule.fuse %q, %r
  %f = schedule.fuse %q, %r
  // CHECK-NEXT: schedule.reorder %o, %f
  schedule.reorder %o, %f
  // CHECK-NEXT: schedule.compute_at %a, %o
  schedule.compute_at %a, %o
  // CHECK-NEXT: schedule.reverse_compute_at %a, %o
  schedule.reverse_compute_at %a, %o
  // CHECK-NEXT: schedule.compute_inline %a
  schedule.compute_inline %a
  // CHECK-NEXT: %c = schedule.cache_read %a, 0, "vta.inp"
  %c = schedule.cache_read %a, 0, "vta.inp"
  // CHECK-NEXT: %d = schedule.cache_write %a, 0, "vta.acc"
  %d = schedule.cache_write %a, 0, "vta.acc"
  // CHECK-NEXT: schedule.set_scope %a, 0, "shared" : !schedule.block
  schedule.set_scope %a, 0, "shared" : !schedule.block
  // CHECK-NEXT: schedule.set_scope %x, 0, "local" : !schedule.buffer
  schedule.set_scope %x, 0, "local" : !schedule.buffer
  // CHECK-NEXT: schedule.bind %o, "blockIdx.x"
  schedule.bind %o, "blockIdx.x"
  // CHECK-NEXT: schedule.vectorize %f
  schedule.vectorize %f
  // CHECK-NEXT: schedule.unroll %k
  schedule.unroll %k
  // CHECK-NEXT: %e = schedule.decompose_reduction %a, %k
  %e = schedule.decompose_reduction %a, %k
  // CHECK-NEXT: schedule.tensorize %k, "vta.gemm"
  schedule.tensorize %k, "vta.gemm"
  // CHECK-NEXT: schedule.dma_copy %k
  schedule.dma_copy %k
  // CHECK-NEXT: schedule.alu %k
  schedule.alu %k
  // CHECK-NEXT: schedule.double_buffer %a, 2 : !schedule.block
  schedule.double_buffer %a, 2 : !schedule.block
  // CHECK-NEXT: schedule.skip_padding %a
  schedule.skip_padding %a
  // CHECK-NEXT: schedule.transform_layout %a, [1, 0]
  schedule.transform_layout %a, [1, 0]
  // CHECK-NEXT: schedule.storage_align %a, 0 factor 16 offset 8
  schedule.storage_align %a, 0 factor 16 offset 8
  // CHECK-NEXT: schedule.swizzle %a bytes 64
  schedule.swizzle %a bytes 64
  // CHECK-NEXT: schedule.pipeline %k stages 3
  schedule.pipeline %k stages 3
  // CHECK-NEXT: schedule.pipeline %k stages 3 async "tma"
  schedule.pipeline %k stages 3 async "tma"
  // CHECK-NEXT: schedule.specialize %k producers 4 consumers 8
  schedule.specialize %k producers 4 consumers 8
  // CHECK-NEXT: schedule.cluster %k
  schedule.cluster %k
  // CHECK-NEXT: schedule.rasterize %o, %k group 8
  schedule.rasterize %o, %k group 8
  // CHECK-NEXT: %ga, %gb, %gc = schedule.implicit_gemm %a, [16, 16, 32]
  %ga, %gb, %gc = schedule.implicit_gemm %a, [16, 16, 32]
  // CHECK-NEXT: %gx, %gy, %gz = schedule.implicit_gemm %a, [16, 16, 32] order [1, 0, 2]
  %gx, %gy, %gz = schedule.implicit_gemm %a, [16, 16, 32] order [1, 0, 2]
  // CHECK-NEXT: schedule.fuse_variables %gc, [array<i64: 0, 2>, array<i64: 1>]
  schedule.fuse_variables %gc, [array<i64: 0, 2>, array<i64: 1>]
  // CHECK-NEXT: %gd = schedule.rfactor %a, %k
  %gd = schedule.rfactor %a, %k
  // CHECK-NEXT: schedule.annotate %k, "note" = 3 : i64 : !schedule.loop
  schedule.annotate %k, "note" = 3 : i64 : !schedule.loop
  // CHECK-NEXT: schedule.annotate %a, "flag" = unit : !schedule.block
  schedule.annotate %a, "flag" = unit : !schedule.block
}
