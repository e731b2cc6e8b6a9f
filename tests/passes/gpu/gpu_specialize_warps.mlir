// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-specialize-warps | filecheck %s

// gpu-specialize-warps: roles of warps, apart from the barrier in front of the loop on.

// One more plane of warps asks for boxes; the others have the rest of the kernel.

// CHECK-LABEL: func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 2>} {
// CHECK-NEXT:    %thread_z = "gpu.thread_id"() <{dimension = #gpu<dim z>}> : () -> index
// CHECK-NEXT:    %empty = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
// CHECK-NEXT:    %full = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
// CHECK-NEXT:    %t = memref.alloc() {wmma.staged} : memref<6144xf16, "shared">
// CHECK-NEXT:    %thread_x = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
// CHECK-NEXT:    %0 = tma.elect z 0
// CHECK-NEXT:    scf.if %0 {
// CHECK-NEXT:      schedule.for %stage = 0 to 3 attributes {unroll} {
// CHECK-NEXT:        tma.mbarrier_init %full[%stage] arrivals 1 : memref<3xi64, "shared">
// CHECK-NEXT:        tma.mbarrier_init %empty[%stage] arrivals 1 : memref<3xi64, "shared">
// CHECK-NEXT:      }
// CHECK-NEXT:      tma.fence_mbarrier_init
// CHECK-NEXT:    }
// CHECK-NEXT:    "gpu.barrier"() : () -> ()
// CHECK-NEXT:    %1 = arith.constant 1 : index
// CHECK-NEXT:    %2 = arith.cmpi slt, %thread_z, %1 : index
// CHECK-NEXT:    scf.if %2 {
// CHECK-NEXT:      schedule.for %k = 0 to 4 {
// CHECK-NEXT:        %3 = tma.elect z 1
// CHECK-NEXT:        %4 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        %5 = affine.apply affine_map<(d0) -> ((d0 floordiv 3))> (%k)
// CHECK-NEXT:        tma.wait %full[%4] parity %5 : memref<3xi64, "shared">
// CHECK-NEXT:        %slot = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        %zero = arith.constant 0 : index
// CHECK-NEXT:        %x = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
// CHECK-NEXT:        %6 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%thread_x, %slot)
// CHECK-NEXT:        %w = memref.load %t[%6] : memref<6144xf16, "shared">
// CHECK-NEXT:        memref.store %w, %y[%thread_x] : memref<32xf16>
// CHECK-NEXT:        %7 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        tma.arrive %empty[%7] : memref<3xi64, "shared">
// CHECK-NEXT:      }
// CHECK-NEXT:    } else {
// CHECK-NEXT:      schedule.for %k_1 = 0 to 4 {
// CHECK-NEXT:        %8 = tma.elect z 1
// CHECK-NEXT:        scf.if %8 {
// CHECK-NEXT:          %9 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k_1)
// CHECK-NEXT:          %10 = affine.apply affine_map<(d0) -> ((((d0 floordiv 3) + 1) mod 2))> (%k_1)
// CHECK-NEXT:          tma.wait %empty[%9] parity %10 : memref<3xi64, "shared">
// CHECK-NEXT:          %11 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k_1)
// CHECK-NEXT:          %12 = affine.apply affine_map<(d0) -> (((d0 mod 3) * 2048))> (%k_1)
// CHECK-NEXT:          %zero_1 = arith.constant 0 : index
// CHECK-NEXT:          %x_1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k_1)
// CHECK-NEXT:          tma.arrive_expect %full[%11] bytes 4096 : memref<3xi64, "shared">
// CHECK-NEXT:          tma.load %t[%12], %a[%x_1, %zero_1], %full[%11] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
// CHECK-NEXT:        }{tma.produces}
// CHECK-NEXT:      }
// CHECK-NEXT:    }{tma.roles}
// CHECK-NEXT:    func.return
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
    %empty = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
    %full = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
    %t = memref.alloc() {wmma.staged} : memref<6144xf16, "shared">
    %thread_x = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
    %0 = tma.elect z 0
    scf.if %0 {
      schedule.for %stage = 0 to 3 attributes {unroll} {
        tma.mbarrier_init %full[%stage] arrivals 1 : memref<3xi64, "shared">
        tma.mbarrier_init %empty[%stage] arrivals 1 : memref<3xi64, "shared">
      }
      tma.fence_mbarrier_init
    }
    "gpu.barrier"() : () -> ()
    schedule.for %k = 0 to 4 attributes {specialize = array<i64: 1, 1>} {
      %1 = tma.elect z 1
      scf.if %1 {
        %2 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
        %3 = affine.apply affine_map<(d0) -> ((((d0 floordiv 3) + 1) mod 2))> (%k)
        tma.wait %empty[%2] parity %3 : memref<3xi64, "shared">
        %4 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
        %5 = affine.apply affine_map<(d0) -> (((d0 mod 3) * 2048))> (%k)
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
        tma.arrive_expect %full[%4] bytes 4096 : memref<3xi64, "shared">
        tma.load %t[%5], %a[%x, %zero], %full[%4] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
      }{tma.produces}
      %6 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      %7 = affine.apply affine_map<(d0) -> ((d0 floordiv 3))> (%k)
      tma.wait %full[%6] parity %7 : memref<3xi64, "shared">
      %slot = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      %zero_1 = arith.constant 0 : index
      %x_1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
      %8 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%thread_x, %slot)
      %w = memref.load %t[%8] : memref<6144xf16, "shared">
      memref.store %w, %y[%thread_x] : memref<32xf16>
      %9 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      tma.arrive %empty[%9] : memref<3xi64, "shared">
    }
    func.return
  }
}

// -----

// Groups of four warps hand over registers.

// CHECK-LABEL: func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 4, 3>} {
// CHECK-NEXT:    %thread_z = "gpu.thread_id"() <{dimension = #gpu<dim z>}> : () -> index
// CHECK-NEXT:    %empty = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
// CHECK-NEXT:    %full = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
// CHECK-NEXT:    %t = memref.alloc() {wmma.staged} : memref<6144xf16, "shared">
// CHECK-NEXT:    %thread_x = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
// CHECK-NEXT:    %0 = tma.elect z 0
// CHECK-NEXT:    scf.if %0 {
// CHECK-NEXT:      schedule.for %stage = 0 to 3 attributes {unroll} {
// CHECK-NEXT:        tma.mbarrier_init %full[%stage] arrivals 1 : memref<3xi64, "shared">
// CHECK-NEXT:        tma.mbarrier_init %empty[%stage] arrivals 1 : memref<3xi64, "shared">
// CHECK-NEXT:      }
// CHECK-NEXT:      tma.fence_mbarrier_init
// CHECK-NEXT:    }
// CHECK-NEXT:    "gpu.barrier"() : () -> ()
// CHECK-NEXT:    %1 = arith.constant 2 : index
// CHECK-NEXT:    %2 = arith.cmpi slt, %thread_z, %1 : index
// CHECK-NEXT:    scf.if %2 {
// CHECK-NEXT:      tma.setmaxnreg "inc" 232
// CHECK-NEXT:      schedule.for %k = 0 to 4 {
// CHECK-NEXT:        %3 = tma.elect z 1
// CHECK-NEXT:        %4 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        %5 = affine.apply affine_map<(d0) -> ((d0 floordiv 3))> (%k)
// CHECK-NEXT:        tma.wait %full[%4] parity %5 : memref<3xi64, "shared">
// CHECK-NEXT:        %slot = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        %zero = arith.constant 0 : index
// CHECK-NEXT:        %x = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
// CHECK-NEXT:        %6 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%thread_x, %slot)
// CHECK-NEXT:        %w = memref.load %t[%6] : memref<6144xf16, "shared">
// CHECK-NEXT:        memref.store %w, %y[%thread_x] : memref<32xf16>
// CHECK-NEXT:        %7 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        tma.arrive %empty[%7] : memref<3xi64, "shared">
// CHECK-NEXT:      }
// CHECK-NEXT:    } else {
// CHECK-NEXT:      tma.setmaxnreg "dec" 40
// CHECK-NEXT:      schedule.for %k_1 = 0 to 4 {
// CHECK-NEXT:        %8 = tma.elect z 1
// CHECK-NEXT:        scf.if %8 {
// CHECK-NEXT:          %9 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k_1)
// CHECK-NEXT:          %10 = affine.apply affine_map<(d0) -> ((((d0 floordiv 3) + 1) mod 2))> (%k_1)
// CHECK-NEXT:          tma.wait %empty[%9] parity %10 : memref<3xi64, "shared">
// CHECK-NEXT:          %11 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k_1)
// CHECK-NEXT:          %12 = affine.apply affine_map<(d0) -> (((d0 mod 3) * 2048))> (%k_1)
// CHECK-NEXT:          %zero_1 = arith.constant 0 : index
// CHECK-NEXT:          %x_1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k_1)
// CHECK-NEXT:          tma.arrive_expect %full[%11] bytes 4096 : memref<3xi64, "shared">
// CHECK-NEXT:          tma.load %t[%12], %a[%x_1, %zero_1], %full[%11] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
// CHECK-NEXT:        }{tma.produces}
// CHECK-NEXT:      }
// CHECK-NEXT:    }{tma.roles}
// CHECK-NEXT:    func.return
builtin.module attributes {wmma.architecture = "sm_90a"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 4, 2>} {
    %empty = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
    %full = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
    %t = memref.alloc() {wmma.staged} : memref<6144xf16, "shared">
    %thread_x = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
    %0 = tma.elect z 0
    scf.if %0 {
      schedule.for %stage = 0 to 3 attributes {unroll} {
        tma.mbarrier_init %full[%stage] arrivals 1 : memref<3xi64, "shared">
        tma.mbarrier_init %empty[%stage] arrivals 1 : memref<3xi64, "shared">
      }
      tma.fence_mbarrier_init
    }
    "gpu.barrier"() : () -> ()
    schedule.for %k = 0 to 4 attributes {specialize = array<i64: 4, 8>} {
      %1 = tma.elect z 1
      scf.if %1 {
        %2 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
        %3 = affine.apply affine_map<(d0) -> ((((d0 floordiv 3) + 1) mod 2))> (%k)
        tma.wait %empty[%2] parity %3 : memref<3xi64, "shared">
        %4 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
        %5 = affine.apply affine_map<(d0) -> (((d0 mod 3) * 2048))> (%k)
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
        tma.arrive_expect %full[%4] bytes 4096 : memref<3xi64, "shared">
        tma.load %t[%5], %a[%x, %zero], %full[%4] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
      }{tma.produces}
      %6 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      %7 = affine.apply affine_map<(d0) -> ((d0 floordiv 3))> (%k)
      tma.wait %full[%6] parity %7 : memref<3xi64, "shared">
      %slot = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      %zero_1 = arith.constant 0 : index
      %x_1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
      %8 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%thread_x, %slot)
      %w = memref.load %t[%8] : memref<6144xf16, "shared">
      memref.store %w, %y[%thread_x] : memref<32xf16>
      %9 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      tma.arrive %empty[%9] : memref<3xi64, "shared">
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 64, 1, 1>} {
    %empty = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
    %full = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
    %t = memref.alloc() {wmma.staged} : memref<6144xf16, "shared">
    %thread_x = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
    %0 = tma.elect z 0
    scf.if %0 {
      schedule.for %stage = 0 to 3 attributes {unroll} {
        tma.mbarrier_init %full[%stage] arrivals 1 : memref<3xi64, "shared">
        tma.mbarrier_init %empty[%stage] arrivals 1 : memref<3xi64, "shared">
      }
      tma.fence_mbarrier_init
    }
    "gpu.barrier"() : () -> ()
    // expected-error @+1 {{specialize: threadIdx.x has 64 values, and roles are those of warps: bind loops of 32 iterations to it}}
    schedule.for %k = 0 to 4 attributes {specialize = array<i64: 1, 1>} {
      %1 = tma.elect z 1
      scf.if %1 {
        %2 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
        %3 = affine.apply affine_map<(d0) -> ((((d0 floordiv 3) + 1) mod 2))> (%k)
        tma.wait %empty[%2] parity %3 : memref<3xi64, "shared">
        %4 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
        %5 = affine.apply affine_map<(d0) -> (((d0 mod 3) * 2048))> (%k)
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
        tma.arrive_expect %full[%4] bytes 4096 : memref<3xi64, "shared">
        tma.load %t[%5], %a[%x, %zero], %full[%4] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
      }{tma.produces}
      %6 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      %7 = affine.apply affine_map<(d0) -> ((d0 floordiv 3))> (%k)
      tma.wait %full[%6] parity %7 : memref<3xi64, "shared">
      %slot = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      %zero_1 = arith.constant 0 : index
      %x_1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
      %8 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%thread_x, %slot)
      %w = memref.load %t[%8] : memref<6144xf16, "shared">
      memref.store %w, %y[%thread_x] : memref<32xf16>
      %9 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      tma.arrive %empty[%9] : memref<3xi64, "shared">
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
    %empty = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
    %full = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
    %t = memref.alloc() {wmma.staged} : memref<6144xf16, "shared">
    %thread_x = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
    %0 = tma.elect z 0
    scf.if %0 {
      schedule.for %stage = 0 to 3 attributes {unroll} {
        tma.mbarrier_init %full[%stage] arrivals 1 : memref<3xi64, "shared">
        tma.mbarrier_init %empty[%stage] arrivals 1 : memref<3xi64, "shared">
      }
      tma.fence_mbarrier_init
    }
    "gpu.barrier"() : () -> ()
    schedule.for %again = 0 to 2 {
    // expected-error @+1 {{specialize: the loop runs inside of another; bind that one, or have its warps ask for copies themselves}}
    schedule.for %k = 0 to 4 attributes {specialize = array<i64: 1, 1>} {
      %1 = tma.elect z 1
      scf.if %1 {
        %2 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
        %3 = affine.apply affine_map<(d0) -> ((((d0 floordiv 3) + 1) mod 2))> (%k)
        tma.wait %empty[%2] parity %3 : memref<3xi64, "shared">
        %4 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
        %5 = affine.apply affine_map<(d0) -> (((d0 mod 3) * 2048))> (%k)
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
        tma.arrive_expect %full[%4] bytes 4096 : memref<3xi64, "shared">
        tma.load %t[%5], %a[%x, %zero], %full[%4] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
      }{tma.produces}
      %6 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      %7 = affine.apply affine_map<(d0) -> ((d0 floordiv 3))> (%k)
      tma.wait %full[%6] parity %7 : memref<3xi64, "shared">
      %slot = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      %zero_1 = arith.constant 0 : index
      %x_1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
      %8 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%thread_x, %slot)
      %w = memref.load %t[%8] : memref<6144xf16, "shared">
      memref.store %w, %y[%thread_x] : memref<32xf16>
      %9 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
      tma.arrive %empty[%9] : memref<3xi64, "shared">
    }
    }
    func.return
  }
}
