// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-pipeline-boxes | filecheck %s

// gpu-pipeline-boxes: bulk copies run ahead, and mbarriers tell when they are there.

// Two boxes are asked for before the loop; each step waits for its own, and asks for one of two steps later once all threads have used the slot.

// CHECK-LABEL: func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) {
// CHECK-NEXT:    %t = memref.alloc() {wmma.staged} : memref<6144xf16, "shared">
// CHECK-NEXT:    %full = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
// CHECK-NEXT:    %0 = tma.elect z 0
// CHECK-NEXT:    scf.if %0 {
// CHECK-NEXT:      schedule.for %stage = 0 to 3 kind "unrolled" {
// CHECK-NEXT:        tma.mbarrier_init %full[%stage] arrivals 1 : memref<3xi64, "shared">
// CHECK-NEXT:      }
// CHECK-NEXT:      tma.fence_mbarrier_init
// CHECK-NEXT:    }
// CHECK-NEXT:    "gpu.barrier"() : () -> ()
// CHECK-NEXT:    scf.if %0 {
// CHECK-NEXT:      schedule.for %stage_1 = 0 to 2 kind "unrolled" {
// CHECK-NEXT:        %1 = affine.apply affine_map<(d0) -> ((d0 * 2048))> (%stage_1)
// CHECK-NEXT:        %zero = arith.constant 0 : index
// CHECK-NEXT:        %x = affine.apply affine_map<(d0) -> ((d0 * 64))> (%stage_1)
// CHECK-NEXT:        tma.arrive_expect %full[%stage_1] bytes 4096 : memref<3xi64, "shared">
// CHECK-NEXT:        tma.load %t[%1], %a[%x, %zero], %full[%stage_1] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    schedule.for %k = 0 to 4 {
// CHECK-NEXT:      %2 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:      %3 = affine.apply affine_map<(d0) -> ((d0 floordiv 3))> (%k)
// CHECK-NEXT:      tma.wait %full[%2] parity %3 : memref<3xi64, "shared">
// CHECK-NEXT:      "gpu.barrier"() : () -> ()
// CHECK-NEXT:      %4 = affine.apply affine_map<(d0) -> (((d0 * -1) + 1))> (%k)
// CHECK-NEXT:      %5 = arith.constant 0 : index
// CHECK-NEXT:      %6 = arith.cmpi sge, %4, %5 : index
// CHECK-NEXT:      %7 = arith.andi %6, %0 : i1
// CHECK-NEXT:      scf.if %7 {
// CHECK-NEXT:        %8 = affine.apply affine_map<(d0) -> ((d0 + 2))> (%k)
// CHECK-NEXT:        %9 = affine.apply affine_map<(d0) -> (((d0 + 2) mod 3))> (%k)
// CHECK-NEXT:        %10 = affine.apply affine_map<(d0) -> ((((d0 + 2) mod 3) * 2048))> (%k)
// CHECK-NEXT:        %zero_1 = arith.constant 0 : index
// CHECK-NEXT:        %x_1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%8)
// CHECK-NEXT:        tma.arrive_expect %full[%9] bytes 4096 : memref<3xi64, "shared">
// CHECK-NEXT:        tma.load %t[%10], %a[%x_1, %zero_1], %full[%9] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
// CHECK-NEXT:      }
// CHECK-NEXT:      %slot = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:      %zero_2 = arith.constant 0 : index
// CHECK-NEXT:      %x_2 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
// CHECK-NEXT:      schedule.for %j = 0 to 32 kind "threadIdx.x" {
// CHECK-NEXT:        %11 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%j, %slot)
// CHECK-NEXT:        %w = memref.load %t[%11] : memref<6144xf16, "shared">
// CHECK-NEXT:        memref.store %w, %y[%j] : memref<32xf16>
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) {
    schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
      %t = memref.alloc() : memref<32x64xf16, "shared">
      %zero = arith.constant 0 : index
      %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
      tma.copy %t[%zero], %a[%x, %zero] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<32x256xf16>
      %flat = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
      schedule.for %j = 0 to 32 kind "threadIdx.x" {
        %w = memref.load %flat[%j] : memref<2048xf16, "shared">
        memref.store %w, %y[%j] : memref<32xf16>
      }
    }
    func.return
  }
}

// -----

// The part of warps that only ask for boxes stands under a condition of its own; warps say which slot is free again.

// CHECK-LABEL: func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) {
// CHECK-NEXT:    %t = memref.alloc() {wmma.staged} : memref<6144xf16, "shared">
// CHECK-NEXT:    %full = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
// CHECK-NEXT:    %empty = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
// CHECK-NEXT:    %0 = tma.elect z 0
// CHECK-NEXT:    scf.if %0 {
// CHECK-NEXT:      schedule.for %stage = 0 to 3 kind "unrolled" {
// CHECK-NEXT:        tma.mbarrier_init %full[%stage] arrivals 1 : memref<3xi64, "shared">
// CHECK-NEXT:        tma.mbarrier_init %empty[%stage] arrivals 1 : memref<3xi64, "shared">
// CHECK-NEXT:      }
// CHECK-NEXT:      tma.fence_mbarrier_init
// CHECK-NEXT:    }
// CHECK-NEXT:    "gpu.barrier"() : () -> ()
// CHECK-NEXT:    schedule.for %k = 0 to 4 attributes {specialize = array<i64: 1, 1>} {
// CHECK-NEXT:      %1 = tma.elect z 1
// CHECK-NEXT:      scf.if %1 {
// CHECK-NEXT:        %2 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        %3 = affine.apply affine_map<(d0) -> ((((d0 floordiv 3) + 1) mod 2))> (%k)
// CHECK-NEXT:        tma.wait %empty[%2] parity %3 : memref<3xi64, "shared">
// CHECK-NEXT:        %4 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        %5 = affine.apply affine_map<(d0) -> (((d0 mod 3) * 2048))> (%k)
// CHECK-NEXT:        %zero = arith.constant 0 : index
// CHECK-NEXT:        %x = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
// CHECK-NEXT:        tma.arrive_expect %full[%4] bytes 4096 : memref<3xi64, "shared">
// CHECK-NEXT:        tma.load %t[%5], %a[%x, %zero], %full[%4] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
// CHECK-NEXT:      }{tma.produces}
// CHECK-NEXT:      %6 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:      %7 = affine.apply affine_map<(d0) -> ((d0 floordiv 3))> (%k)
// CHECK-NEXT:      tma.wait %full[%6] parity %7 : memref<3xi64, "shared">
// CHECK-NEXT:      %slot = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:      %zero_1 = arith.constant 0 : index
// CHECK-NEXT:      %x_1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
// CHECK-NEXT:      schedule.for %j = 0 to 32 kind "threadIdx.x" {
// CHECK-NEXT:        %8 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%j, %slot)
// CHECK-NEXT:        %w = memref.load %t[%8] : memref<6144xf16, "shared">
// CHECK-NEXT:        memref.store %w, %y[%j] : memref<32xf16>
// CHECK-NEXT:      }
// CHECK-NEXT:      %9 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:      tma.arrive %empty[%9] : memref<3xi64, "shared">
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) {
    schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma", specialize = array<i64: 1, 1>} {
      %t = memref.alloc() : memref<32x64xf16, "shared">
      %zero = arith.constant 0 : index
      %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
      tma.copy %t[%zero], %a[%x, %zero] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<32x256xf16>
      %flat = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
      schedule.for %j = 0 to 32 kind "threadIdx.x" {
        %w = memref.load %flat[%j] : memref<2048xf16, "shared">
        memref.store %w, %y[%j] : memref<32xf16>
      }
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_80"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) {
    schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
      %t = memref.alloc() : memref<32x64xf16, "shared">
      %zero = arith.constant 0 : index
      %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
      // expected-error @+1 {{tma.load: sm_80 has none; sm_90 and later copy boxes in bulk}}
      tma.copy %t[%zero], %a[%x, %zero] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<32x256xf16>
      %flat = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
      schedule.for %j = 0 to 32 kind "threadIdx.x" {
        %w = memref.load %flat[%j] : memref<2048xf16, "shared">
        memref.store %w, %y[%j] : memref<32xf16>
      }
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) {
    schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
      %t = memref.alloc() : memref<31x64xf16, "shared">
      %zero = arith.constant 0 : index
      %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
      // expected-error @+1 {{tma.load: each stage of 't' starts at a multiple of 3968 bytes; a multiple of 1024 is required}}
      tma.copy %t[%zero], %a[%x, %zero] boxes <[64, 31] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<31x64xf16, "shared">, memref<32x256xf16>
      %flat = memref.reinterpret_cast %t to offset: [0], sizes: [1984], strides: [1] : memref<31x64xf16, "shared"> to memref<1984xf16, "shared">
      schedule.for %j = 0 to 32 kind "threadIdx.x" {
        %w = memref.load %flat[%j] : memref<1984xf16, "shared">
        memref.store %w, %y[%j] : memref<32xf16>
      }
    }
    func.return
  }
}

// -----

builtin.module {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) {
    schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
      %t = memref.alloc() : memref<32x64xf16, "shared">
      %zero = arith.constant 0 : index
      %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
      // expected-error @+1 {{tma.load: no architecture is given; sm_90 and later copy boxes in bulk}}
      tma.copy %t[%zero], %a[%x, %zero] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<32x256xf16>
      %flat = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
      schedule.for %j = 0 to 32 kind "threadIdx.x" {
        %w = memref.load %flat[%j] : memref<2048xf16, "shared">
        memref.store %w, %y[%j] : memref<32xf16>
      }
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) {
    schedule.for %k = 0 to 4 {
      %t = memref.alloc() : memref<32x64xf16, "shared">
      %zero = arith.constant 0 : index
      %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
      // expected-error @+1 {{tma.load: a bulk copy outside of a pipelined loop: pipeline the loop around it with async "tma"}}
      tma.copy %t[%zero], %a[%x, %zero] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<32x256xf16>
      %flat = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
      schedule.for %j = 0 to 32 kind "threadIdx.x" {
        %w = memref.load %flat[%j] : memref<2048xf16, "shared">
        memref.store %w, %y[%j] : memref<32xf16>
      }
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @steps(%a: memref<32x256xf16>, %y: memref<32xf16>) {
    schedule.for %again = 0 to 2 {
    // expected-error @+1 {{pipeline: loop 'again' runs the pipeline of bulk copies again, and its mbarriers' phases would go on}}
    schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
      %t = memref.alloc() : memref<32x64xf16, "shared">
      %zero = arith.constant 0 : index
      %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
      tma.copy %t[%zero], %a[%x, %zero] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<32x256xf16>
      %flat = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
      schedule.for %j = 0 to 32 kind "threadIdx.x" {
        %w = memref.load %flat[%j] : memref<2048xf16, "shared">
        memref.store %w, %y[%j] : memref<32xf16>
      }
    }
    }
    func.return
  }
}

// -----

// Neighbours of a cluster of two have their rows in common: each asks for half of them, which come to both; each warp says in both when it has used a slot.

// CHECK-LABEL: func.func @shared
// CHECK:         tma.mbarrier_init %full[%stage] arrivals 1
// CHECK-NEXT:    tma.mbarrier_init %empty[%stage] arrivals 2
// CHECK:         tma.fence_mbarrier_init
// CHECK-NEXT:    }
// CHECK-NEXT:    tma.cluster_arrive
// CHECK-NEXT:    tma.cluster_wait
// CHECK:         tma.arrive_expect %full[{{.*}}] bytes 4096
// CHECK-NEXT:    {{%.*}} = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 16)))>
// CHECK-NEXT:    tma.load %t[{{.*}}] boxes <[64, 16] of [256, 64] strides [512] steps [1, 1] swizzle 128 fill zero> mask 3 :
// CHECK:         schedule.for %k = 0 to 4 {
// CHECK:           tma.wait %full[{{.*}}] parity {{.*}} : memref<3xi64, "shared">
// CHECK-NOT:       gpu.barrier
// CHECK:           tma.wait %empty[{{.*}}] parity {{.*}} cluster : memref<3xi64, "shared">
// CHECK:           tma.arrive_expect %full[{{.*}}] bytes 4096
// CHECK:           tma.load {{.*}} mask 3 :
// CHECK:           tma.arrive %empty[{{.*}}] blocks 2 : memref<3xi64, "shared">
// CHECK-NEXT:    }
// CHECK-NEXT:    tma.cluster_arrive
// CHECK-NEXT:    tma.cluster_wait
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @shared(%a: memref<64x256xf16>, %y: memref<32xf16>) {
    schedule.for %b = 0 to 4 kind "blockIdx.x" attributes {cluster = 2 : i64} {
      schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
        %t = memref.alloc() : memref<32x64xf16, "shared">
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
        %r = affine.apply affine_map<(b) -> (b floordiv 2 * 32)> (%b)
        tma.copy %t[%zero], %a[%x, %r] boxes <[64, 32] of [256, 64] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<64x256xf16>
        %flat = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
        schedule.for %j = 0 to 32 kind "threadIdx.x" {
          %w = memref.load %flat[%j] : memref<2048xf16, "shared">
          memref.store %w, %y[%j] : memref<32xf16>
        }
      }
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @own(%a: memref<64x256xf16>, %y: memref<32xf16>) {
    schedule.for %b = 0 to 4 kind "blockIdx.x" attributes {cluster = 2 : i64} {
      // expected-error @+1 {{cluster: no box of loop 'k' is the same for the 2 blocks of a cluster along loop 'b': give an axis that an operand does not depend on}}
      schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
        %t = memref.alloc() : memref<32x64xf16, "shared">
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
        %r = affine.apply affine_map<(b) -> (b * 16)> (%b)
        tma.copy %t[%zero], %a[%x, %r] boxes <[64, 32] of [256, 64] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<64x256xf16>
        %flat = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
        schedule.for %j = 0 to 32 kind "threadIdx.x" {
          %w = memref.load %flat[%j] : memref<2048xf16, "shared">
          memref.store %w, %y[%j] : memref<32xf16>
        }
      }
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @small(%a: memref<64x256xf16>, %y: memref<32xf16>) {
    schedule.for %b = 0 to 4 kind "blockIdx.x" attributes {cluster = 2 : i64} {
      schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
        %t = memref.alloc() : memref<8x64xf16, "shared">
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
        %r = affine.apply affine_map<(b) -> (b floordiv 2 * 32)> (%b)
        // expected-error @+1 {{cluster: the box of 8 x 64 of 'a' is cut in 2 parts along its slowest dimension, and parts would start at multiples of 512 bytes; 1024 are required}}
        tma.copy %t[%zero], %a[%x, %r] boxes <[64, 8] of [256, 64] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<8x64xf16, "shared">, memref<64x256xf16>
        %flat = memref.reinterpret_cast %t to offset: [0], sizes: [512], strides: [1] : memref<8x64xf16, "shared"> to memref<512xf16, "shared">
        schedule.for %j = 0 to 32 kind "threadIdx.x" {
          %w = memref.load %flat[%j] : memref<512xf16, "shared">
          memref.store %w, %y[%j] : memref<32xf16>
        }
      }
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @odd(%a: memref<64x256xf16>, %y: memref<32xf16>) {
    schedule.for %b = 0 to 4 kind "blockIdx.x" attributes {cluster = 2 : i64} {
      schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
        %t = memref.alloc() : memref<17x64xf16, "shared">
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
        %r = affine.apply affine_map<(b) -> (b floordiv 2 * 32)> (%b)
        // expected-error @+1 {{cluster: the box of 17 x 64 of 'a' is cut in 2 parts along its slowest dimension, which has 17 elements; a multiple of 2 is required}}
        tma.copy %t[%zero], %a[%x, %r] boxes <[64, 17] of [256, 64] strides [512] steps [1, 1] swizzle 0 fill zero> : memref<17x64xf16, "shared">, memref<64x256xf16>
        %flat = memref.reinterpret_cast %t to offset: [0], sizes: [1088], strides: [1] : memref<17x64xf16, "shared"> to memref<1088xf16, "shared">
        schedule.for %j = 0 to 32 kind "threadIdx.x" {
          %w = memref.load %flat[%j] : memref<1088xf16, "shared">
          memref.store %w, %y[%j] : memref<32xf16>
        }
      }
    }
    func.return
  }
}

// -----

// Steps that use nothing, by a condition of the whole block, load nothing: no bytes are expected for them.

// CHECK-LABEL: func.func @some(%a: memref<32x256xf16>, %y: memref<32xf16>) {
// CHECK-NEXT:    schedule.for %b = 0 to 2 kind "blockIdx.x" {
// CHECK-NEXT:      %t = memref.alloc() {wmma.staged} : memref<6144xf16, "shared">
// CHECK-NEXT:      %full = memref.alloc() {wmma.staged} : memref<3xi64, "shared">
// CHECK-NEXT:      %0 = tma.elect z 0
// CHECK-NEXT:      scf.if %0 {
// CHECK-NEXT:        schedule.for %stage = 0 to 3 kind "unrolled" {
// CHECK-NEXT:          tma.mbarrier_init %full[%stage] arrivals 1 : memref<3xi64, "shared">
// CHECK-NEXT:        }
// CHECK-NEXT:        tma.fence_mbarrier_init
// CHECK-NEXT:      }
// CHECK-NEXT:      "gpu.barrier"() : () -> ()
// CHECK-NEXT:      scf.if %0 {
// CHECK-NEXT:        schedule.for %stage_1 = 0 to 2 kind "unrolled" {
// CHECK-NEXT:          %1 = affine.apply affine_map<(d0) -> ((d0 * 2048))> (%stage_1)
// CHECK-NEXT:          %zero = arith.constant 0 : index
// CHECK-NEXT:          %x = affine.apply affine_map<(d0) -> ((d0 * 64))> (%stage_1)
// CHECK-NEXT:          %sum = affine.apply affine_map<(d0, d1) -> (((d0 + d1) + -1))> (%b, %stage_1)
// CHECK-NEXT:          %taken = arith.cmpi sge, %sum, %zero : index
// CHECK-NEXT:          scf.if %taken {
// CHECK-NEXT:            tma.arrive_expect %full[%stage_1] bytes 4096 : memref<3xi64, "shared">
// CHECK-NEXT:            tma.load %t[%1], %a[%x, %zero], %full[%stage_1] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
// CHECK-NEXT:          } else {
// CHECK-NEXT:            tma.arrive_expect %full[%stage_1] bytes 0 : memref<3xi64, "shared">
// CHECK-NEXT:          }
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:      schedule.for %k = 0 to 4 {
// CHECK-NEXT:        %2 = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        %3 = affine.apply affine_map<(d0) -> ((d0 floordiv 3))> (%k)
// CHECK-NEXT:        tma.wait %full[%2] parity %3 : memref<3xi64, "shared">
// CHECK-NEXT:        "gpu.barrier"() : () -> ()
// CHECK-NEXT:        %4 = affine.apply affine_map<(d0) -> (((d0 * -1) + 1))> (%k)
// CHECK-NEXT:        %5 = arith.constant 0 : index
// CHECK-NEXT:        %6 = arith.cmpi sge, %4, %5 : index
// CHECK-NEXT:        %7 = arith.andi %6, %0 : i1
// CHECK-NEXT:        scf.if %7 {
// CHECK-NEXT:          %8 = affine.apply affine_map<(d0) -> ((d0 + 2))> (%k)
// CHECK-NEXT:          %9 = affine.apply affine_map<(d0) -> (((d0 + 2) mod 3))> (%k)
// CHECK-NEXT:          %10 = affine.apply affine_map<(d0) -> ((((d0 + 2) mod 3) * 2048))> (%k)
// CHECK-NEXT:          %zero_1 = arith.constant 0 : index
// CHECK-NEXT:          %x_1 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%8)
// CHECK-NEXT:          %sum_1 = affine.apply affine_map<(d0, d1) -> (((d0 + d1) + -1))> (%b, %8)
// CHECK-NEXT:          %taken_1 = arith.cmpi sge, %sum_1, %zero_1 : index
// CHECK-NEXT:          scf.if %taken_1 {
// CHECK-NEXT:            tma.arrive_expect %full[%9] bytes 4096 : memref<3xi64, "shared">
// CHECK-NEXT:            tma.load %t[%10], %a[%x_1, %zero_1], %full[%9] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<6144xf16, "shared">, memref<32x256xf16>, memref<3xi64, "shared">
// CHECK-NEXT:          } else {
// CHECK-NEXT:            tma.arrive_expect %full[%9] bytes 0 : memref<3xi64, "shared">
// CHECK-NEXT:          }
// CHECK-NEXT:        }
// CHECK-NEXT:        %slot = affine.apply affine_map<(d0) -> ((d0 mod 3))> (%k)
// CHECK-NEXT:        %zero_2 = arith.constant 0 : index
// CHECK-NEXT:        %x_2 = affine.apply affine_map<(d0) -> ((d0 * 64))> (%k)
// CHECK-NEXT:        %sum_2 = affine.apply affine_map<(d0, d1) -> (((d0 + d1) + -1))> (%b, %k)
// CHECK-NEXT:        %taken_2 = arith.cmpi sge, %sum_2, %zero_2 : index
// CHECK-NEXT:        scf.if %taken_2 {
// CHECK-NEXT:          schedule.for %j = 0 to 32 kind "threadIdx.x" {
// CHECK-NEXT:            %11 = affine.apply affine_map<(d0, d1) -> ((d0 + (d1 * 2048)))> (%j, %slot)
// CHECK-NEXT:            %w = memref.load %t[%11] : memref<6144xf16, "shared">
// CHECK-NEXT:            memref.store %w, %y[%j] : memref<32xf16>
// CHECK-NEXT:          }
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @some(%a: memref<32x256xf16>, %y: memref<32xf16>) {
    schedule.for %b = 0 to 2 kind "blockIdx.x" {
      schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
        %t = memref.alloc() : memref<32x64xf16, "shared">
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
        tma.copy %t[%zero], %a[%x, %zero] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<32x256xf16>
        %sum = affine.apply affine_map<(b, k) -> (b + k - 1)> (%b, %k)
        %taken = arith.cmpi sge, %sum, %zero : index
        scf.if %taken {
          schedule.for %j = 0 to 32 kind "threadIdx.x" {
            %s = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
            %w = memref.load %s[%j] : memref<2048xf16, "shared">
            memref.store %w, %y[%j] : memref<32xf16>
          }
        }
      }
    }
    func.return
  }
}

// -----

// Of two blocks whose conditions differ each loads half of the common box where any of them uses it, its own where it does itself.

// CHECK-LABEL: func.func @some_of_a_cluster
// CHECK:         schedule.for %stage_1 = 0 to 2 kind "unrolled" {
// CHECK:           [[OWN:%[a-z_0-9]+]] = arith.cmpi sge
// CHECK-NEXT:      scf.if [[OWN]] {
// CHECK-NEXT:        tma.arrive_expect %full[%stage_1] bytes 8192
// CHECK:             tma.load %t[{{.*}} mask 3 :
// CHECK-NEXT:        tma.load %u[{{.*}}] boxes <[64, 32] of
// CHECK-NEXT:      } else {
// CHECK-NEXT:        [[FIRST:%[a-z_0-9]+]] = affine.apply affine_map<(d0) -> (((d0 floordiv 2) * 2))> (%b)
// CHECK:             [[BLOCK_0:%[a-z_0-9]+]] = arith.cmpi sge
// CHECK-NEXT:        [[SECOND:%[a-z_0-9]+]] = affine.apply affine_map<(d0) -> ((((d0 floordiv 2) * 2) + 1))> (%b)
// CHECK:             [[BLOCK_1:%[a-z_0-9]+]] = arith.cmpi sge
// CHECK-NEXT:        [[ANY:%[a-z_0-9]+]] = arith.ori [[BLOCK_0]], [[BLOCK_1]] : i1
// CHECK-NEXT:        scf.if [[ANY]] {
// CHECK-NEXT:          tma.arrive_expect %full[%stage_1] bytes 4096
// CHECK:               tma.load %t[{{.*}} mask 3 :
// CHECK-NEXT:        } else {
// CHECK-NEXT:          tma.arrive_expect %full[%stage_1] bytes 0
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @some_of_a_cluster(%a: memref<32x256xf16>, %c: memref<128x256xf16>, %y: memref<32xf16>) {
    schedule.for %b = 0 to 4 kind "blockIdx.x" attributes {cluster = 2 : i64} {
      schedule.for %k = 0 to 4 attributes {pipeline = 3 : i64, pipeline_async = "tma"} {
        %t = memref.alloc() : memref<32x64xf16, "shared">
        %u = memref.alloc() : memref<32x64xf16, "shared">
        %zero = arith.constant 0 : index
        %x = affine.apply affine_map<(k) -> (k * 64)> (%k)
        %r = affine.apply affine_map<(b) -> (b * 32)> (%b)
        tma.copy %t[%zero], %a[%x, %zero] boxes <[64, 32] of [256, 32] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<32x256xf16>
        tma.copy %u[%zero], %c[%x, %r] boxes <[64, 32] of [256, 128] strides [512] steps [1, 1] swizzle 128 fill zero> : memref<32x64xf16, "shared">, memref<128x256xf16>
        %sum = affine.apply affine_map<(b, k) -> (b + k - 1)> (%b, %k)
        %taken = arith.cmpi sge, %sum, %zero : index
        scf.if %taken {
          schedule.for %j = 0 to 32 kind "threadIdx.x" {
            %s = memref.reinterpret_cast %t to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
            %v = memref.reinterpret_cast %u to offset: [0], sizes: [2048], strides: [1] : memref<32x64xf16, "shared"> to memref<2048xf16, "shared">
            %w = memref.load %s[%j] : memref<2048xf16, "shared">
            %z = memref.load %v[%j] : memref<2048xf16, "shared">
            %q = arith.addf %w, %z : f16
            memref.store %q, %y[%j] : memref<32xf16>
          }
        }
      }
    }
    func.return
  }
}
