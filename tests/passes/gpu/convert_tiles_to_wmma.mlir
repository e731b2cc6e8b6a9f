// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-tiles-to-wmma | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-tiles-to-wmma,convert-tiles-to-wmma | filecheck %s

// A product of one tile: buffers in fragment scopes become fragments of the product's shape, each tensorized loop one
// operation of a warp. b is loaded from rows of columns: its fragments are column major.

// CHECK-LABEL: func.func @tile
// CHECK-NEXT:    schedule.for %lane = 0 to 32 kind "threadIdx.x" {
// CHECK-NEXT:      %fa = wmma.fragments : !wmma.fragment<1 x matrix_a [16, 16, 16] f16 row_major>
// CHECK-NEXT:      %fb = wmma.fragments : !wmma.fragment<1 x matrix_b [16, 16, 16] f16 col_major>
// CHECK-NEXT:      %fc = wmma.fragments : !wmma.fragment<1 x accumulator [16, 16, 16] f32>
// CHECK-NOT:     schedule.
// CHECK:         wmma.fill_fragment %fc[{{%.*}}], 0.000000e+00 : f32
// CHECK:         wmma.load_matrix_sync %fa[{{%.*}}], %a[{{%.*}}] leading 16
// CHECK:         wmma.load_matrix_sync %fb[{{%.*}}], %b[{{%.*}}] leading 16
// CHECK:         wmma.mma_sync %fc[{{%.*}}], %fa[{{%.*}}], %fb[{{%.*}}]
// CHECK:         wmma.store_matrix_sync %c[{{%.*}}] leading 16, %fc[{{%.*}}]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @tile(%a: memref<16x16xf16>, %b: memref<16x16xf16>, %c: memref<16x16xf32>) {
  schedule.for %lane = 0 to 32 kind "threadIdx.x" {
    %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
    %fb = memref.alloc() : memref<16x16xf16, "wmma.matrix_b">
    %fc = memref.alloc() : memref<16x16xf32, "wmma.accumulator">
    schedule.for %i0 = 0 to 16 attributes {tensorize = "wmma.fill_fragment"} {
      schedule.for %j0 = 0 to 16 {
        schedule.block "start" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i0, %j0)
          writes %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator"> {
          %z = arith.constant 0.0 : f32
          schedule.yield %z : f32
        }
      }
    }
    schedule.for %i1 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
      schedule.for %j1 = 0 to 16 {
        schedule.block "load_a" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i1, %j1)
          reads %a<(d0, d1) -> (d0, d1)> : memref<16x16xf16>
          writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
        ^bb0(%v1: f16):
          schedule.yield %v1 : f16
        }
      }
    }
    schedule.for %i2 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
      schedule.for %j2 = 0 to 16 {
        schedule.block "load_b" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i2, %j2)
          reads %b<(d0, d1) -> (d1, d0)> : memref<16x16xf16>
          writes %fb<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_b"> {
        ^bb0(%v2: f16):
          schedule.yield %v2 : f16
        }
      }
    }
    schedule.for %i3 = 0 to 16 attributes {tensorize = "wmma.mma_sync"} {
      schedule.for %j3 = 0 to 16 {
        schedule.for %k3 = 0 to 16 {
          schedule.block "product" <spatial 16, spatial 16, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
            reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
            reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x16xf16, "wmma.matrix_b">
            writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator"> {
          ^bb0(%p: f16, %q: f16, %s: f32):
            %wp = arith.extf %p : f16 to f32
            %wq = arith.extf %q : f16 to f32
            %m = arith.mulf %wp, %wq : f32
            %r = arith.addf %s, %m : f32
            schedule.yield %r : f32
          }
        }
      }
    }
    schedule.for %i4 = 0 to 16 attributes {tensorize = "wmma.store_matrix_sync"} {
      schedule.for %j4 = 0 to 16 {
        schedule.block "store" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i4, %j4)
          reads %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator">
          writes %c<(d0, d1) -> (d0, d1)> : memref<16x16xf32> {
        ^bb0(%v4: f32):
          schedule.yield %v4 : f32
        }
      }
    }
  }
  func.return
}

// -----

func.func @no_product(%a: memref<16x16xf16, "shared">) {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  schedule.for %i = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
    schedule.for %j = 0 to 16 {
      // expected-error @+1 {{tensorize with wmma: no mma_sync uses 'fa', so its fragment shape is unknown}}
      schedule.block "load" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %a<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "shared">
        writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
      ^bb0(%v: f16):
        schedule.yield %v : f16
      }
    }
  }
  func.return
}

// -----

func.func @several(%a: memref<16xf16, "shared">, %fa: memref<16xf16, "wmma.matrix_a">) {
  // expected-error @+1 {{tensorize with wmma: loop 'i' holds several statements}}
  schedule.for %i = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
    schedule.block "one" <spatial 16> = (d0) -> (d0)(%i)
      reads %a<(d0) -> (d0)> : memref<16xf16, "shared">
      writes %fa<(d0) -> (d0)> : memref<16xf16, "wmma.matrix_a"> {
    ^bb0(%v: f16):
      schedule.yield %v : f16
    }
    schedule.block "two" <spatial 16> = (d0) -> (d0)(%i)
      reads %a<(d0) -> (d0)> : memref<16xf16, "shared">
      writes %fa<(d0) -> (d0)> : memref<16xf16, "wmma.matrix_a"> {
    ^bb0(%v: f16):
      schedule.yield %v : f16
    }
  }
  func.return
}

// -----

// Of IR that no directive has checked: tiles that are not whole fragments.

func.func @small_load(%a: memref<16x16xf16>, %b: memref<16x16xf16>, %c: memref<16x16xf32>) {
  schedule.for %lane = 0 to 32 kind "threadIdx.x" {
    %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
    %fb = memref.alloc() : memref<16x16xf16, "wmma.matrix_b">
    %fc = memref.alloc() : memref<16x16xf32, "wmma.accumulator">
    schedule.for %i0 = 0 to 16 attributes {tensorize = "wmma.fill_fragment"} {
      schedule.for %j0 = 0 to 16 {
        schedule.block "start" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i0, %j0)
          writes %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator"> {
          %z = arith.constant 0.0 : f32
          schedule.yield %z : f32
        }
      }
    }
    // expected-error @+1 {{tensorize with wmma: a tile of 8 x 16 of 'fa', whose products take fragments of 16 x 16: split}}
    schedule.for %i1 = 0 to 8 attributes {tensorize = "wmma.load_matrix_sync"} {
      schedule.for %j1 = 0 to 16 {
        schedule.block "load_a" <spatial 8, spatial 16> = (d0, d1) -> (d0, d1)(%i1, %j1)
          reads %a<(d0, d1) -> (d0, d1)> : memref<16x16xf16>
          writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
        ^bb0(%v1: f16):
          schedule.yield %v1 : f16
        }
      }
    }
    schedule.for %i2 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
      schedule.for %j2 = 0 to 16 {
        schedule.block "load_b" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i2, %j2)
          reads %b<(d0, d1) -> (d1, d0)> : memref<16x16xf16>
          writes %fb<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_b"> {
        ^bb0(%v2: f16):
          schedule.yield %v2 : f16
        }
      }
    }
    schedule.for %i3 = 0 to 16 attributes {tensorize = "wmma.mma_sync"} {
      schedule.for %j3 = 0 to 16 {
        schedule.for %k3 = 0 to 16 {
          schedule.block "product" <spatial 16, spatial 16, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
            reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
            reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x16xf16, "wmma.matrix_b">
            writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator"> {
          ^bb0(%p: f16, %q: f16, %s: f32):
            %wp = arith.extf %p : f16 to f32
            %wq = arith.extf %q : f16 to f32
            %m = arith.mulf %wp, %wq : f32
            %r = arith.addf %s, %m : f32
            schedule.yield %r : f32
          }
        }
      }
    }
    schedule.for %i4 = 0 to 16 attributes {tensorize = "wmma.store_matrix_sync"} {
      schedule.for %j4 = 0 to 16 {
        schedule.block "store" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i4, %j4)
          reads %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator">
          writes %c<(d0, d1) -> (d0, d1)> : memref<16x16xf32> {
        ^bb0(%v4: f32):
          schedule.yield %v4 : f32
        }
      }
    }
  }
  func.return
}

// -----

func.func @small_product(%a: memref<16x16xf16>, %b: memref<16x16xf16>, %c: memref<16x16xf32>) {
  schedule.for %lane = 0 to 32 kind "threadIdx.x" {
    %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
    %fb = memref.alloc() : memref<16x16xf16, "wmma.matrix_b">
    %fc = memref.alloc() : memref<16x16xf32, "wmma.accumulator">
    schedule.for %i0 = 0 to 16 attributes {tensorize = "wmma.fill_fragment"} {
      schedule.for %j0 = 0 to 16 {
        schedule.block "start" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i0, %j0)
          writes %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator"> {
          %z = arith.constant 0.0 : f32
          schedule.yield %z : f32
        }
      }
    }
    schedule.for %i1 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
      schedule.for %j1 = 0 to 16 {
        schedule.block "load_a" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i1, %j1)
          reads %a<(d0, d1) -> (d0, d1)> : memref<16x16xf16>
          writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
        ^bb0(%v1: f16):
          schedule.yield %v1 : f16
        }
      }
    }
    schedule.for %i2 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
      schedule.for %j2 = 0 to 16 {
        schedule.block "load_b" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i2, %j2)
          reads %b<(d0, d1) -> (d1, d0)> : memref<16x16xf16>
          writes %fb<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_b"> {
        ^bb0(%v2: f16):
          schedule.yield %v2 : f16
        }
      }
    }
    schedule.for %i3 = 0 to 8 attributes {tensorize = "wmma.mma_sync"} {
      schedule.for %j3 = 0 to 16 {
        schedule.for %k3 = 0 to 16 {
          // expected-error @+1 {{CUDA has no accumulator fragment of 8x16x16 with f32 elements}}
          schedule.block "product" <spatial 8, spatial 16, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
            reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
            reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x16xf16, "wmma.matrix_b">
            writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator"> {
          ^bb0(%p: f16, %q: f16, %s: f32):
            %wp = arith.extf %p : f16 to f32
            %wq = arith.extf %q : f16 to f32
            %m = arith.mulf %wp, %wq : f32
            %r = arith.addf %s, %m : f32
            schedule.yield %r : f32
          }
        }
      }
    }
    schedule.for %i4 = 0 to 16 attributes {tensorize = "wmma.store_matrix_sync"} {
      schedule.for %j4 = 0 to 16 {
        schedule.block "store" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i4, %j4)
          reads %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator">
          writes %c<(d0, d1) -> (d0, d1)> : memref<16x16xf32> {
        ^bb0(%v4: f32):
          schedule.yield %v4 : f32
        }
      }
    }
  }
  func.return
}

// -----

func.func @two_layouts(%a: memref<16x16xf16>, %b: memref<16x16xf16>, %c: memref<16x16xf32>) {
  schedule.for %lane = 0 to 32 kind "threadIdx.x" {
    %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
    %fb = memref.alloc() : memref<16x16xf16, "wmma.matrix_b">
    %fc = memref.alloc() : memref<16x16xf32, "wmma.accumulator">
    schedule.for %i0 = 0 to 16 attributes {tensorize = "wmma.fill_fragment"} {
      schedule.for %j0 = 0 to 16 {
        schedule.block "start" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i0, %j0)
          writes %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator"> {
          %z = arith.constant 0.0 : f32
          schedule.yield %z : f32
        }
      }
    }
    schedule.for %i1 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
      schedule.for %j1 = 0 to 16 {
        schedule.block "load_a" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i1, %j1)
          reads %a<(d0, d1) -> (d0, d1)> : memref<16x16xf16>
          writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
        ^bb0(%v1: f16):
          schedule.yield %v1 : f16
        }
      }
    }
    // expected-error @+1 {{tensorize with wmma: 'fa' is loaded col_major here and row_major elsewhere; its fragments have one layout}}
    schedule.for %i5 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
      schedule.for %j5 = 0 to 16 {
        schedule.block "load_other" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i5, %j5)
          reads %b<(d0, d1) -> (d1, d0)> : memref<16x16xf16>
          writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
        ^bb0(%v5: f16):
          schedule.yield %v5 : f16
        }
      }
    }
    schedule.for %i2 = 0 to 16 attributes {tensorize = "wmma.load_matrix_sync"} {
      schedule.for %j2 = 0 to 16 {
        schedule.block "load_b" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i2, %j2)
          reads %b<(d0, d1) -> (d1, d0)> : memref<16x16xf16>
          writes %fb<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_b"> {
        ^bb0(%v2: f16):
          schedule.yield %v2 : f16
        }
      }
    }
    schedule.for %i3 = 0 to 16 attributes {tensorize = "wmma.mma_sync"} {
      schedule.for %j3 = 0 to 16 {
        schedule.for %k3 = 0 to 16 {
          schedule.block "product" <spatial 16, spatial 16, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
            reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
            reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x16xf16, "wmma.matrix_b">
            writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator"> {
          ^bb0(%p: f16, %q: f16, %s: f32):
            %wp = arith.extf %p : f16 to f32
            %wq = arith.extf %q : f16 to f32
            %m = arith.mulf %wp, %wq : f32
            %r = arith.addf %s, %m : f32
            schedule.yield %r : f32
          }
        }
      }
    }
    schedule.for %i4 = 0 to 16 attributes {tensorize = "wmma.store_matrix_sync"} {
      schedule.for %j4 = 0 to 16 {
        schedule.block "store" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i4, %j4)
          reads %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator">
          writes %c<(d0, d1) -> (d0, d1)> : memref<16x16xf32> {
        ^bb0(%v4: f32):
          schedule.yield %v4 : f32
        }
      }
    }
  }
  func.return
}
