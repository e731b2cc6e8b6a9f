// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-check-bounds | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p gpu-check-bounds,gpu-check-bounds | filecheck %s

// What stays in its memory passes and is left as it is. Guards count: of the pixels around (y, x) only those that lie
// in the image are read.

// CHECK-LABEL: func.func @window
// CHECK-COUNT-3: scf.for
// CHECK: scf.if
func.func @window(%image: memref<196xf32>, %result: memref<196xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 196, 1, 1>, wmma.block = array<i64: 1, 1, 1>} {
  %p = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %kh = %c0 to %c3 step %c1 {
    scf.for %kw = %c0 to %c3 step %c1 {
      scf.for %again = %c0 to %c3 step %c1 {
        %top = affine.apply affine_map<(p, k) -> (p floordiv 14 + k - 1)> (%p, %kh)
        %bottom = affine.apply affine_map<(p, k) -> (14 - p floordiv 14 - k)> (%p, %kh)
        %left = affine.apply affine_map<(p, k) -> (p mod 14 + k - 1)> (%p, %kw)
        %right = affine.apply affine_map<(p, k) -> (14 - p mod 14 - k)> (%p, %kw)
        %a = arith.cmpi sge, %top, %c0 : index
        %b = arith.cmpi sge, %bottom, %c0 : index
        %c = arith.cmpi sge, %left, %c0 : index
        %d = arith.cmpi sge, %right, %c0 : index
        %ab = arith.andi %a, %b : i1
        %cd = arith.andi %c, %d : i1
        %inside = arith.andi %ab, %cd : i1
        scf.if %inside {
          %at = affine.apply affine_map<(p, h, w) -> (p + h * 14 + w - 15)> (%p, %kh, %kw)
          %v = memref.load %image[%at] : memref<196xf32>
          memref.store %v, %result[%p] : memref<196xf32>
        }
      }
    }
  }
  func.return
}

// -----

// One guard less.

func.func @window(%image: memref<196xf32>, %result: memref<196xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 196, 1, 1>, wmma.block = array<i64: 1, 1, 1>} {
  %p = "gpu.block_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %kh = %c0 to %c3 step %c1 {
    %top = affine.apply affine_map<(p, k) -> (p floordiv 14 + k - 1)> (%p, %kh)
    %inside = arith.cmpi sge, %top, %c0 : index
    scf.if %inside {
      %at = affine.apply affine_map<(p, h) -> (p + h * 14 - 14)> (%p, %kh)
      // expected-error @+1 {{kernel 'window': 'memref.load' reads element 209 of 'image', which has 196, at block (195, 0, 0), kh = 2; choose tiles that the extents are multiples of, or guard what is left over (split with tail="guard")}}
      %v = memref.load %image[%at] : memref<196xf32>
      memref.store %v, %result[%p] : memref<196xf32>
    }
  }
  func.return
}

// -----

// Rows of a fragment lie at their pitch: the last one ends beyond 7 rows of 24.

func.func @fragment(%a: memref<360xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %c0 = arith.constant 0 : index
  %fa = wmma.fragments : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  // expected-error @+1 {{'wmma.load_matrix_sync' reads elements 0 to 375 of 'a', which has 360; choose}}
  wmma.load_matrix_sync %fa[%c0], %a[%c0] leading 24 : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, memref<360xf16>
  func.return
}

// -----

func.func @which(%a: memref<512xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 2, 1>} {
  %c0 = arith.constant 0 : index
  %y = "gpu.thread_id"() <{dimension = #gpu<dim y>}> : () -> index
  %fa = wmma.fragments : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
  // expected-error @+1 {{'wmma.load_matrix_sync' names fragment 1 of 'fa', which has 1, at thread (0, 1, 0); choose}}
  wmma.load_matrix_sync %fa[%y], %a[%c0] leading 16 : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>, memref<512xf16>
  func.return
}

// -----

func.func @vector(%x: memref<256xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %place = affine.apply affine_map<(t) -> (t * 2)> (%t)
  // expected-error @+1 {{'vector.load' reads 4 elements of 'x' from multiples of 2 on; multiples of 4 are required}}
  %v = vector.load %x[%place] : memref<256xf32>, vector<4xf32>
  func.return
}

// -----

func.func @vector(%x: memref<126xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %place = affine.apply affine_map<(t) -> (t * 4)> (%t)
  // expected-error @+1 {{'vector.load' reads elements 124 to 127 of 'x', which has 126, at thread (31, 0, 0)}}
  %v = vector.load %x[%place] : memref<126xf32>, vector<4xf32>
  func.return
}

// -----

// A copy that is not present reads nothing, and writes zeros all the same.

func.func @absent(%x: memref<64xf16>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %s = memref.alloc() : memref<128xf16, "shared">
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %c0 = arith.constant 0 : index
  %place = affine.apply affine_map<(t) -> (t * 8)> (%t)
  %left = affine.apply affine_map<(t) -> (7 - t)> (%t)
  %present = arith.cmpi sge, %left, %c0 : index
  // expected-error @+1 {{'wmma.async_copy' writes elements 248 to 255 of 's', which has 128, at thread (31, 0, 0)}}
  wmma.async_copy %s[%place], %x[%place] elements 8 if %present : memref<128xf16, "shared">, memref<64xf16>
  func.return
}

// -----

func.func @unknown(%x: memref<64xi32>, %y: memref<64xi32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %t = "gpu.thread_id"() <{dimension = #gpu<dim x>}> : () -> index
  %v = memref.load %x[%t] : memref<64xi32>
  %place = arith.index_cast %v : i32 to index
  // expected-error @+1 {{'memref.store' writes elements of 'y' from a place that 'arith.index_cast' gives, whose range is not known}}
  memref.store %v, %y[%place] : memref<64xi32>
  func.return
}

// -----

func.func @called(%x: memref<64xf32>) attributes {gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{kernel 'called' has a routine, whose accesses run, under other conditions, where it is called: run gpu-check-bounds before gpu-outline-copies}}
  %read = wmma.routine extents [64] : (index) -> () {
  ^bb0(%at: index):
    %v = memref.load %x[%at] : memref<64xf32>
    memref.store %v, %x[%at] : memref<64xf32>
  }
  wmma.call %read(%c0) : (index) -> ()
  func.return
}
