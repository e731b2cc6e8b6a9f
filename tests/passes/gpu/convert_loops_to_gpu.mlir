// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-loops-to-gpu | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-loops-to-gpu,convert-loops-to-gpu | filecheck %s

// Bound loops give way to the indices of the launch, whichever statement they stood around; shared memory and fragments
// are declared where the kernel starts. A loop that chooses fragments is unrolled, the others are serial.

// CHECK-LABEL: func.func @kernel
// CHECK-SAME:  attributes {gpu.kernel, wmma.grid = array<i64: 4, 1, 1>, wmma.block = array<i64: 32, 1, 1>}
// CHECK-NEXT:    %c = wmma.fragments
// CHECK-NEXT:    %s = memref.alloc() : memref<32xf32, "shared">
// CHECK-NEXT:    %thread_x = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
// CHECK-NEXT:    %block_x = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
// CHECK-NEXT:    affine.apply {{.*}} (%block_x, %thread_x)
// CHECK-NEXT:    memref.load %x
// CHECK-NEXT:    memref.store {{.*}}, %s[%thread_x]
// CHECK-NEXT:    schedule.for %k = 0 to 2 {
// CHECK-NEXT:      memref.load %s[%thread_x]
// CHECK-NEXT:      memref.store {{.*}}, %y[%thread_x]
// CHECK-NEXT:    }
// CHECK-NEXT:    schedule.for %f = 0 to 2 attributes {unroll} {
// CHECK-NEXT:      wmma.fill_fragment %c[%f]
func.func @kernel(%x: memref<128xf32>, %y: memref<32xf32>) {
  schedule.for %b = 0 to 4 kind "blockIdx.x" {
    %s = memref.alloc() : memref<32xf32, "shared">
    schedule.for %i = 0 to 32 kind "threadIdx.x" {
      %p = affine.apply affine_map<(b, i) -> (b * 32 + i)> (%b, %i)
      %v = memref.load %x[%p] : memref<128xf32>
      memref.store %v, %s[%i] : memref<32xf32, "shared">
    }
    schedule.for %k = 0 to 2 {
      schedule.for %j = 0 to 32 kind "threadIdx.x" {
        %w = memref.load %s[%j] : memref<32xf32, "shared">
        memref.store %w, %y[%j] : memref<32xf32>
      }
    }
    %c = wmma.fragments : !wmma.fragment<2 x accumulator [16, 16, 16] f32>
    schedule.for %f = 0 to 2 {
      wmma.fill_fragment %c[%f], 0.0 : f32 : !wmma.fragment<2 x accumulator [16, 16, 16] f32>
    }
  }
  func.return
}

// Without bound loops a function is no kernel.
// CHECK-LABEL: func.func @host
// CHECK-NOT:     gpu.kernel
// CHECK:         schedule.for %i = 0 to 4 kind "unrolled"
func.func @host(%x: memref<4xf32>) {
  schedule.for %i = 0 to 4 kind "unrolled" {
    %v = memref.load %x[%i] : memref<4xf32>
    memref.store %v, %x[%i] : memref<4xf32>
  }
  func.return
}

// -----

func.func @two_extents(%x: memref<32xf32>) {
  schedule.for %i = 0 to 32 kind "threadIdx.x" {
    %v = memref.load %x[%i] : memref<32xf32>
    memref.store %v, %x[%i] : memref<32xf32>
  }
  // expected-error @+1 {{loop 'j' has extent 16, another loop bound to threadIdx.x 32: all loops of one index must have one extent}}
  schedule.for %j = 0 to 16 kind "threadIdx.x" {
    %v = memref.load %x[%j] : memref<32xf32>
    memref.store %v, %x[%j] : memref<32xf32>
  }
  func.return
}

// -----

func.func @virtual_thread(%x: memref<2xf32>) {
  // expected-error @+1 {{loop 't' is a virtual thread: that is for the VTA}}
  schedule.for %t = 0 to 2 kind "cthread" {
    %v = memref.load %x[%t] : memref<2xf32>
    memref.store %v, %x[%t] : memref<2xf32>
  }
  func.return
}

// -----

// expected-error @+1 {{2048 threads per block; CUDA allows 1024: bind shorter loops to threadIdx}}
func.func @many_threads(%x: memref<2048xf32>) {
  schedule.for %i = 0 to 64 kind "threadIdx.x" {
    schedule.for %j = 0 to 32 kind "threadIdx.y" {
      %p = affine.apply affine_map<(i, j) -> (i * 32 + j)> (%i, %j)
      %v = memref.load %x[%p] : memref<2048xf32>
      memref.store %v, %x[%p] : memref<2048xf32>
    }
  }
  func.return
}

// -----

// Blocks of a loop that says so are clusters, along its index.

// CHECK-LABEL: func.func @f
// CHECK-SAME:  attributes {gpu.kernel, wmma.grid = array<i64: 1, 4, 1>, wmma.block = array<i64: 1, 1, 1>, wmma.cluster = array<i64: 1, 2, 1>}
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @f(%x: memref<4xf32>) {
    schedule.for %b = 0 to 4 kind "blockIdx.y" attributes {cluster = 2 : i64} {
      %v = memref.load %x[%b] : memref<4xf32>
      memref.store %v, %x[%b] : memref<4xf32>
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_80"} {
  func.func @f(%x: memref<4xf32>) {
    // expected-error @+1 {{cluster: sm_80 has none; blocks of sm_90 and later form clusters}}
    schedule.for %b = 0 to 4 kind "blockIdx.y" attributes {cluster = 2 : i64} {
      %v = memref.load %x[%b] : memref<4xf32>
      memref.store %v, %x[%b] : memref<4xf32>
    }
    func.return
  }
}

// -----

builtin.module {
  func.func @f(%x: memref<4xf32>) {
    // expected-error @+1 {{cluster: no architecture is given; blocks of sm_90 and later form clusters}}
    schedule.for %b = 0 to 4 kind "blockIdx.y" attributes {cluster = 2 : i64} {
      %v = memref.load %x[%b] : memref<4xf32>
      memref.store %v, %x[%b] : memref<4xf32>
    }
    func.return
  }
}
