// RUN: vtac-opt %s -p gpu-guard-sizes --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p gpu-guard-sizes,gpu-guard-sizes --split-input-file --verify-diagnostics | filecheck %s

// 256 threads take as many elements of rows of 4: ceil(n * 4 / 256) blocks, and one for a single row.

// CHECK-LABEL: func.func @copy(%x: memref<15104x4xf32>, %y: memref<15104x4xf32> {schedule.result}, %size: memref<1xi32>)
// CHECK-SAME:    wmma.grid = array<i64: 1, 1, 1>
// CHECK-SAME:    wmma.dynamic_grid = array<i64: 0, 1, 4, 256>
// CHECK:         %rows = memref.load %size
// CHECK:         %x_end = wmma.variable
// CHECK:         %y_end = wmma.variable
// CHECK:         arith.cmpi slt, %place, %x_end
// CHECK-NEXT:    %v = scf.if
// CHECK:         arith.cmpi slt, %place, %y_end
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      memref.store %v
builtin.module attributes {wmma.dynamic_size = 15104 : i64} {
  func.func @copy(%x: memref<15104x4xf32>, %y: memref<15104x4xf32> {schedule.result}) attributes {gpu.kernel, wmma.grid = array<i64: 236, 1, 1>, wmma.block = array<i64: 256, 1, 1>} {
    %block = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
    %thread = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
    %from = memref.reinterpret_cast %x to offset: [0], sizes: [60416], strides: [1] : memref<15104x4xf32> to memref<60416xf32>
    %to = memref.reinterpret_cast %y to offset: [0], sizes: [60416], strides: [1] : memref<15104x4xf32> to memref<60416xf32>
    %place = affine.apply affine_map<(b, t) -> (b * 256 + t)> (%block, %thread)
    %v = memref.load %from[%place] : memref<60416xf32>
    memref.store %v, %to[%place] : memref<60416xf32>
    func.return
  }
}

// -----

// Lanes of mma.sync read and write pairs, some of them eight rows below the first of their block: pairs end with rows.

// CHECK-LABEL: func.func @pairs(
// CHECK-SAME:    wmma.dynamic_grid = array<i64: 0, 1, 4, 64>
// CHECK:         arith.cmpi slt, %place, %x_end
// CHECK-NEXT:    %u, %v = scf.if %{{.*}} -> (f32, f32) {
// CHECK-NEXT:      mma.load_pair %from[%place]
// CHECK:         arith.cmpi slt, %place, %y_end
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      mma.store_pair %u, %v
builtin.module attributes {wmma.dynamic_size = 15104 : i64} {
  func.func @pairs(%x: memref<15104x4xf32>, %y: memref<15104x4xf32> {schedule.result}) attributes {gpu.kernel, wmma.grid = array<i64: 944, 1, 1>, wmma.block = array<i64: 16, 1, 1>} {
    %block = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
    %thread = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
    %from = memref.reinterpret_cast %x to offset: [0], sizes: [60416], strides: [1] : memref<15104x4xf32> to memref<60416xf32>
    %to = memref.reinterpret_cast %y to offset: [0], sizes: [60416], strides: [1] : memref<15104x4xf32> to memref<60416xf32>
    %place = affine.apply affine_map<(b, t) -> (b * 64 + t * 2 + 32)> (%block, %thread)
    %u, %v = mma.load_pair %from[%place] : memref<60416xf32> -> f32, f32
    mma.store_pair %u, %v, %to[%place] : f32, f32, memref<60416xf32>
    func.return
  }
}

// -----

// A kernel of arrays that do not have the size stays as it is.

// CHECK-LABEL: func.func @other(%x: memref<4xf32>) attributes {gpu.kernel
builtin.module attributes {wmma.dynamic_size = 15104 : i64} {
  func.func @other(%x: memref<4xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 4, 1, 1>} {
    func.return
  }
}

// -----

builtin.module attributes {wmma.dynamic_size = 15104 : i64} {
  func.func @turned(%x: memref<15104x4xf32>, %y: memref<15104x4xf32> {schedule.result}) attributes {gpu.kernel, wmma.grid = array<i64: 236, 1, 1>, wmma.block = array<i64: 256, 1, 1>} {
    %block = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
    %thread = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
    %to = memref.reinterpret_cast %y to offset: [0], sizes: [60416], strides: [1] : memref<15104x4xf32> to memref<60416xf32>
    %zero = arith.constant 0.0 : f32
    // expected-error @+1 {{kernel 'turned' cannot have a dynamic size: the index at which 'y' is written depends on it, with 15104 where 15104 stands for it; give the dimension an extent}}
    %place = affine.apply affine_map<(b, t) -> ((b * 256 + t) floordiv 15104 + (b * 256 + t) mod 15104 * 4)> (%block, %thread)
    memref.store %zero, %to[%place] : memref<60416xf32>
    func.return
  }
}

// -----

builtin.module attributes {wmma.dynamic_size = 15104 : i64} {
  // expected-error @+1 {{kernel 'backwards' cannot have a dynamic size: its blocks do not follow one after the other along it}}
  func.func @backwards(%y: memref<15104x4xf32> {schedule.result}) attributes {gpu.kernel, wmma.grid = array<i64: 236, 1, 1>, wmma.block = array<i64: 256, 1, 1>} {
    %block = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
    %thread = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
    %to = memref.reinterpret_cast %y to offset: [0], sizes: [60416], strides: [1] : memref<15104x4xf32> to memref<60416xf32>
    %zero = arith.constant 0.0 : f32
    %place = affine.apply affine_map<(b, t) -> (60160 - b * 256 + t)> (%block, %thread)
    memref.store %zero, %to[%place] : memref<60416xf32>
    func.return
  }
}

// -----

// Boxes of an array of the size: a launch knows its outermost extent, and nothing of them has a guard.

// CHECK-LABEL: func.func @boxed(
// CHECK:         tma.load %t[%{{[0-9]+}}], %a[%{{[0-9]+}}, %{{[0-9]+}}], %full[%{{[0-9]+}}] boxes <[64, 32] of [64, 15104] strides [128]
builtin.module attributes {wmma.architecture = "sm_90", wmma.dynamic_size = 15104 : i64} {
  func.func @boxed(%a: memref<15104x64xf16>, %y: memref<15104x64xf16> {schedule.result}) attributes {gpu.kernel, wmma.grid = array<i64: 236, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
    %block = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
    %t = memref.alloc() : memref<32x64xf16, "shared">
    %full = memref.alloc() : memref<1xi64, "shared">
    %0 = arith.constant 0 : index
    tma.load %t[%0], %a[%0, %0], %full[%0] boxes <[64, 32] of [64, 15104] strides [128] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<15104x64xf16>, memref<1xi64, "shared">
    %to = memref.reinterpret_cast %y to offset: [0], sizes: [966656], strides: [1] : memref<15104x64xf16> to memref<966656xf16>
    %zero = arith.constant 0.0 : f16
    %place = affine.apply affine_map<(b) -> (b * 4096)> (%block)
    memref.store %zero, %to[%place] : memref<966656xf16>
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_90", wmma.dynamic_size = 15104 : i64} {
  func.func @turned_boxes(%a: memref<15104x64xf16>, %y: memref<15104x64xf16> {schedule.result}) attributes {gpu.kernel, wmma.grid = array<i64: 236, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
    %t = memref.alloc() : memref<32x64xf16, "shared">
    %full = memref.alloc() : memref<1xi64, "shared">
    %0 = arith.constant 0 : index
    // expected-error @+1 {{kernel 'turned_boxes' cannot have a dynamic size: the boxes of 'a' depend on it beside their outermost extent; give the dimension an extent}}
    tma.load %t[%0], %a[%0, %0], %full[%0] boxes <[64, 32] of [15104, 64] strides [30208] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<15104x64xf16>, memref<1xi64, "shared">
    func.return
  }
}
