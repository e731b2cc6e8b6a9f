// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-tiles-to-mma | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p convert-tiles-to-mma,convert-tiles-to-mma | filecheck %s

// A product of one tile: buffers in the scopes of fragments become tiles in registers, each tensorized loop what a lane
// does. a is loaded by rows, b, whose rows are k, transposed; each lane adds the bias to its sums, two neighbours at a
// time, and stores them.

// CHECK-LABEL: func.func @tile
// CHECK:         %fa = mma.tiles : !mma.tiles<1 x matrix_a m16n8k16 f16>
// CHECK-NEXT:    %fb = mma.tiles : !mma.tiles<1 x matrix_b m16n8k16 f16>
// CHECK-NEXT:    %fc = mma.tiles : !mma.tiles<1 x accumulator m16n8k16 f32>
// CHECK:         mma.fill %fc[{{%.*}}], 0.000000e+00 : f32
// CHECK:         [[L1:%.*]] = "gpu.lane_id"
// CHECK:         [[P1:%.*]] = affine.apply affine_map<(d0) -> ((((d0 mod 16) * 64) + ((d0 floordiv 16) * 8)))> ([[L1]])
// CHECK:         mma.ldmatrix %fa[{{%.*}}], %a[[[P1]]] matrices 4 :
// CHECK:         [[P2:%.*]] = affine.apply affine_map<(d0) -> (((d0 mod 16) * 32))>
// CHECK:         mma.ldmatrix %fb[{{%.*}}], %b[[[P2]]] matrices 2 transposed :
// CHECK:         mma.sync %fc[{{%.*}}], %fa[{{%.*}}], %fb[{{%.*}}]
// CHECK:         mma.extract %fc[{{%.*}}] element 0
// CHECK-NEXT:    mma.extract %fc[{{%.*}}] element 1
// CHECK:         [[P3:%.*]] = affine.apply affine_map<(d0) -> (((d0 mod 4) * 2))>
// CHECK-NEXT:    {{%.*}}, {{%.*}} = mma.load_pair %bias[[[P3]]]
// CHECK:         [[P4:%.*]] = affine.apply affine_map<(d0) -> ((((d0 floordiv 4) * 24) + ((d0 mod 4) * 2)))>
// CHECK-NEXT:    mma.store_pair {{%.*}}, {{%.*}}, %c[[[P4]]]
// CHECK:         mma.extract %fc[{{%.*}}] element 2
// CHECK:         affine.apply affine_map<(d0) -> (((((d0 floordiv 4) * 24) + ((d0 mod 4) * 2)) + 192))>
// CHECK-NEXT:    mma.store_pair
// CHECK-NOT:     schedule.block
func.func @tile(%a: memref<16x64xf16, "shared">, %b: memref<16x32xf16, "shared">, %bias: memref<8xf32>, %c: memref<16x24xf32>) {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  %fb = memref.alloc() : memref<16x8xf16, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x8xf32, "wmma.accumulator">
  schedule.for %i0 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j0 = 0 to 8 {
      schedule.block "start" <spatial 16, spatial 8> = (d0, d1) -> (d0, d1)(%i0, %j0)
        writes %fc<(d0, d1) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator"> {
        %z = arith.constant 0.0 : f32
        schedule.yield %z : f32
      }
    }
  }
  schedule.for %ifa = 0 to 16 attributes {tensorize = "mma.ldmatrix"} {
    schedule.for %jfa = 0 to 16 {
      schedule.block "load_fa" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%ifa, %jfa)
        reads %a<(d0, d1) -> (d0, d1)> : memref<16x64xf16, "shared">
        writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
      ^bb0(%vfa: f16):
        schedule.yield %vfa : f16
      }
    }
  }
  schedule.for %ifb = 0 to 16 attributes {tensorize = "mma.ldmatrix"} {
    schedule.for %jfb = 0 to 8 {
      schedule.block "load_fb" <spatial 16, spatial 8> = (d0, d1) -> (d0, d1)(%ifb, %jfb)
        reads %b<(d0, d1) -> (d0, d1)> : memref<16x32xf16, "shared">
        writes %fb<(d0, d1) -> (d0, d1)> : memref<16x8xf16, "wmma.matrix_b"> {
      ^bb0(%vfb: f16):
        schedule.yield %vfb : f16
      }
    }
  }
  schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j3 = 0 to 8 {
      schedule.for %k3 = 0 to 16 {
        schedule.block "mul" <spatial 16, spatial 8, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
          reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
          reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x8xf16, "wmma.matrix_b">
          writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator"> {
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
  schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
    schedule.for %j4 = 0 to 8 {
      schedule.block "store" <spatial 16, spatial 8> = (d0, d1) -> (d0, d1)(%i4, %j4)
        reads %fc<(d0, d1) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator">
        reads %bias<(d0, d1) -> (d1)> : memref<8xf32>
        writes %c<(d0, d1) -> (d0, d1)> : memref<16x24xf32> {
      ^bb0(%v4: f32, %w4: f32):
        %x4 = arith.addf %v4, %w4 : f32
        schedule.yield %x4 : f32
      }
    }
  }
  func.return
}

// -----

// Bytes of b whose neighbours are columns: two tiles take turns at 16 columns, loaded together by rows of k. Neighbours
// of a row are then an element of each of two tiles.

// CHECK-LABEL: func.func @bytes
// CHECK:         %fb = mma.tiles : !mma.tiles<2 x matrix_b m16n8k32 s8>
// CHECK:         affine.apply affine_map<(d0) -> ((((((d0 mod 2) * 32) + (((d0 mod 8) floordiv 2) * 128)) + {{.*}} ([[LANE:%.*]])
// CHECK-NEXT:    mma.ldmatrix %fb[{{%.*}}], %b[{{%.*}}] matrices 4 transposed :
// CHECK:         mma.sync %fc[{{%.*}}], %fa[{{%.*}}], %fb[{{%.*}}]
// CHECK:         [[E1:%.*]] = mma.extract %fc[[[T1:%.*]]] element 0
// CHECK-NEXT:    [[E2:%.*]] = mma.extract %fc[[[T2:%.*]]] element 0
// CHECK:         mma.store_pair [[E1]], [[E2]], %c
// CHECK:         [[E3:%.*]] = mma.extract %fc[[[T1]]] element 1
// CHECK-NEXT:    [[E4:%.*]] = mma.extract %fc[[[T2]]] element 1
// CHECK:         mma.store_pair [[E3]], [[E4]], %c
func.func @bytes(%b: memref<32x32xi8, "shared">, %a: memref<16x32xi8, "shared">, %c: memref<16x32xi32>) {
  %fa = memref.alloc() : memref<16x32xi8, "wmma.matrix_a">
  %fb = memref.alloc() : memref<32x16xi8, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x16xi32, "wmma.accumulator">
  schedule.for %ifb = 0 to 32 attributes {tensorize = "mma.ldmatrix"} {
    schedule.for %jfb = 0 to 16 {
      schedule.block "load_fb" <spatial 32, spatial 16> = (d0, d1) -> (d0, d1)(%ifb, %jfb)
        reads %b<(d0, d1) -> (d0, d1)> : memref<32x32xi8, "shared">
        writes %fb<(d0, d1) -> (d0, d1)> : memref<32x16xi8, "wmma.matrix_b"> {
      ^bb0(%vfb: i8):
        schedule.yield %vfb : i8
      }
    }
  }
  schedule.for %t = 0 to 2 {
    schedule.for %i = 0 to 16 attributes {tensorize = "mma.m16n8k32"} {
      schedule.for %j = 0 to 8 {
        schedule.for %k = 0 to 32 {
          schedule.block "mul" <spatial 16, spatial 16, reduction 32> = (d0, d1, d2, d3) -> (d0, d1 * 2 + d3, d2)(%i, %j, %k, %t)
            reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x32xi8, "wmma.matrix_a">
            reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<32x16xi8, "wmma.matrix_b">
            writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x16xi32, "wmma.accumulator"> {
          ^bb0(%p: i8, %q: i8, %s: i32):
            %wp = arith.extsi %p : i8 to i32
            %wq = arith.extsi %q : i8 to i32
            %m = arith.muli %wp, %wq : i32
            %r = arith.addi %s, %m : i32
            schedule.yield %r : i32
          }
        }
      }
    }
  }
  schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
    schedule.for %j4 = 0 to 16 {
      schedule.block "store" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i4, %j4)
        reads %fc<(d0, d1) -> (d0, d1)> : memref<16x16xi32, "wmma.accumulator">
        writes %c<(d0, d1) -> (d0, d1)> : memref<16x32xi32> {
      ^bb0(%v4: i32):
        schedule.yield %v4 : i32
      }
    }
  }
  func.return
}

// -----

func.func @no_product(%a: memref<16x64xf16, "shared">) {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  // expected-error @+1 {{tensorize with mma: no mma.sync takes tiles of 'fa', so its registers are unknown}}
  schedule.for %ifa = 0 to 16 attributes {tensorize = "mma.ldmatrix"} {
    schedule.for %jfa = 0 to 16 {
      schedule.block "load_fa" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%ifa, %jfa)
        reads %a<(d0, d1) -> (d0, d1)> : memref<16x64xf16, "shared">
        writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
      ^bb0(%vfa: f16):
        schedule.yield %vfa : f16
      }
    }
  }
  func.return
}

// -----

func.func @strided(%a: memref<64x64xf16, "shared">) {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  %fb = memref.alloc() : memref<16x8xf16, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x8xf32, "wmma.accumulator">
  // expected-error @+1 {{tensorize with mma: strides of 64 and 2 elements in 'a'; rows of neighbours are loaded}}
  schedule.for %ifa = 0 to 16 attributes {tensorize = "mma.ldmatrix"} {
    schedule.for %jfa = 0 to 16 {
      schedule.block "load_fa" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%ifa, %jfa)
        reads %a<(d0, d1) -> (d0, d1 * 2)> : memref<64x64xf16, "shared">
        writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
      ^bb0(%vfa: f16):
        schedule.yield %vfa : f16
      }
    }
  }
  schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j3 = 0 to 8 {
      schedule.for %k3 = 0 to 16 {
        schedule.block "mul" <spatial 16, spatial 8, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
          reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
          reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x8xf16, "wmma.matrix_b">
          writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator"> {
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
  func.return
}

// -----

func.func @pitch(%a: memref<64x20xf16, "shared">) {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  %fb = memref.alloc() : memref<16x8xf16, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x8xf32, "wmma.accumulator">
  // expected-error @+1 {{tensorize with mma: rows of 'a' lie 40 bytes apart; a multiple of 16 is required: pad them}}
  schedule.for %ifa = 0 to 16 attributes {tensorize = "mma.ldmatrix"} {
    schedule.for %jfa = 0 to 16 {
      schedule.block "load_fa" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%ifa, %jfa)
        reads %a<(d0, d1) -> (d0, d1)> : memref<64x20xf16, "shared">
        writes %fa<(d0, d1) -> (d0, d1)> : memref<16x16xf16, "wmma.matrix_a"> {
      ^bb0(%vfa: f16):
        schedule.yield %vfa : f16
      }
    }
  }
  schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j3 = 0 to 8 {
      schedule.for %k3 = 0 to 16 {
        schedule.block "mul" <spatial 16, spatial 8, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
          reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
          reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x8xf16, "wmma.matrix_b">
          writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator"> {
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
  func.return
}

// -----

func.func @shape() {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  %fb = memref.alloc() : memref<16x16xf16, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x16xf32, "wmma.accumulator">
  // expected-error @+1 {{tensorize with mma: a product of 16 x 16 x 16 (m x n x k): split the loops so that the tile is that of mma.m16n8k16}}
  schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j3 = 0 to 16 {
      schedule.for %k3 = 0 to 16 {
        schedule.block "mul" <spatial 16, spatial 16, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
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
  func.return
}

// -----

func.func @memory(%i: index) {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  %fb = memref.alloc() : memref<16x8xf16, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x8xf32, "wmma.accumulator">
  schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j3 = 0 to 8 {
      schedule.for %k3 = 0 to 16 {
        schedule.block "mul" <spatial 16, spatial 8, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
          reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
          reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x8xf16, "wmma.matrix_b">
          writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator"> {
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
  // expected-error @+1 {{tensorize with mma: 'fc' lives in registers, and this uses it as memory: tensorize it}}
  %x = memref.load %fc[%i, %i] : memref<16x8xf32, "wmma.accumulator">
  func.return
}

// -----

func.func @copies() {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  // expected-error @+1 {{tensorize with mma: double_buffer of 'fb', whose tiles lie in registers of mma.sync: leave it to the compiler, which orders loads within a step by itself}}
  %fb = memref.alloc() {wmma.copies = 2 : i64} : memref<16x8xf16, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x8xf32, "wmma.accumulator">
  schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j3 = 0 to 8 {
      schedule.for %k3 = 0 to 16 {
        schedule.block "mul" <spatial 16, spatial 8, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
          reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
          reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x8xf16, "wmma.matrix_b">
          writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator"> {
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
  func.return
}

// -----

func.func @reduces(%c: memref<16x8xf32>) {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  %fb = memref.alloc() : memref<16x8xf16, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x8xf32, "wmma.accumulator">
  schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j3 = 0 to 8 {
      schedule.for %k3 = 0 to 16 {
        schedule.block "mul" <spatial 16, spatial 8, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
          reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
          reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x8xf16, "wmma.matrix_b">
          writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator"> {
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
  // expected-error @+1 {{tensorize with mma: expected one input in wmma.accumulator, found 0}}
  schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
    schedule.for %j4 = 0 to 8 {
      schedule.block "store" <spatial 16, spatial 8> = (d0, d1) -> (d0, d1)(%i4, %j4)
        writes %c<(d0, d1) -> (d0, d1)> : memref<16x8xf32> {
        %z = arith.constant 0.0 : f32
        schedule.yield %z : f32
      }
    }
  }
  func.return
}

// -----

// Results under a guard: of rows, both neighbours at once; of an odd number of columns, each for itself.

// CHECK-LABEL: func.func @guarded
// CHECK:         [[S0:%.*]] = mma.extract %fc[{{%.*}}] element 0
// CHECK-NEXT:    [[S1:%.*]] = mma.extract %fc[{{%.*}}] element 1
// CHECK-NEXT:    {{%.*}} = affine.apply affine_map<(d0) -> ((((d0 floordiv 4) * -1) + 5))>
// CHECK:         scf.if {{%.*}} {
// CHECK-NEXT:      mma.store_pair [[S0]], [[S1]], %c
// CHECK-NEXT:    }
// CHECK:         [[S2:%.*]] = mma.extract %fc[{{%.*}}] element 2
// CHECK:         scf.if {{%.*}} {
// CHECK-NEXT:      mma.store_pair
// CHECK-NOT:     scf.if
// CHECK-LABEL: func.func @odd
// CHECK:         scf.if {{%.*}} {
// CHECK-NEXT:      memref.store
// CHECK-NEXT:    }
// CHECK:         scf.if {{%.*}} {
// CHECK-NEXT:      memref.store
// CHECK-NEXT:    }
// CHECK-NOT:     mma.store_pair
func.func @guarded(%c: memref<6x8xf32>) {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  %fb = memref.alloc() : memref<16x8xf16, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x8xf32, "wmma.accumulator">
  schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j3 = 0 to 8 {
      schedule.for %k3 = 0 to 16 {
        schedule.block "mul" <spatial 16, spatial 8, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
          reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
          reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x8xf16, "wmma.matrix_b">
          writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator"> {
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
  schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
    schedule.for %j4 = 0 to 8 {
      schedule.block "store" <spatial 16, spatial 8> = (d0, d1) -> (d0, d1)(%i4, %j4)
        where (d0, d1) : (d0 * -1 + 5 >= 0)
        reads %fc<(d0, d1) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator">
        writes %c<(d0, d1) -> (d0, d1)> : memref<6x8xf32> {
      ^bb0(%v: f32):
        schedule.yield %v : f32
      }
    }
  }
  func.return
}

func.func @odd(%c: memref<16x7xf32>) {
  %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
  %fb = memref.alloc() : memref<16x8xf16, "wmma.matrix_b">
  %fc = memref.alloc() : memref<16x8xf32, "wmma.accumulator">
  schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
    schedule.for %j3 = 0 to 8 {
      schedule.for %k3 = 0 to 16 {
        schedule.block "mul" <spatial 16, spatial 8, reduction 16> = (d0, d1, d2) -> (d0, d1, d2)(%i3, %j3, %k3)
          reads %fa<(d0, d1, d2) -> (d0, d2)> : memref<16x16xf16, "wmma.matrix_a">
          reads %fb<(d0, d1, d2) -> (d2, d1)> : memref<16x8xf16, "wmma.matrix_b">
          writes %fc<(d0, d1, d2) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator"> {
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
  schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.store"} {
    schedule.for %j4 = 0 to 8 {
      schedule.block "store" <spatial 16, spatial 8> = (d0, d1) -> (d0, d1)(%i4, %j4)
        where (d0, d1) : (d1 * -1 + 6 >= 0)
        reads %fc<(d0, d1) -> (d0, d1)> : memref<16x8xf32, "wmma.accumulator">
        writes %c<(d0, d1) -> (d0, d1)> : memref<16x7xf32> {
      ^bb0(%v: f32):
        schedule.yield %v : f32
      }
    }
  }
  func.return
}

// -----

// Two tiles of sums side by side, rounded: each lane gives two elements of each of four matrices, and names a row.

// CHECK-LABEL: func.func @matrices
// CHECK:         %11 = affine.apply affine_map<(d0) -> (((((d0 mod 16) * 64) + ((d0 floordiv 16) * 8)) + 16))> (%lane)
// CHECK-NEXT:    mma.stmatrix %h, %h_1, %h_2, %h_3, %h_4, %h_5, %h_6, %h_7 to %t[%11] : f16, f16, f16, f16, f16, f16, f16, f16 to memref<16x64xf16, "shared">
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @matrices() {
    %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
    %fb = memref.alloc() : memref<16x16xf16, "wmma.matrix_b">
    %fc = memref.alloc() : memref<16x16xf32, "wmma.accumulator">
    %t = memref.alloc() : memref<16x64xf16, "shared">
    schedule.for %n = 0 to 2 {
      schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
        schedule.for %j3 = 0 to 8 {
          schedule.for %k3 = 0 to 16 {
            schedule.block "mul" <spatial 2, spatial 16, spatial 8, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%n, %i3, %j3, %k3)
              reads %fa<(d0, d1, d2, d3) -> (d1, d3)> : memref<16x16xf16, "wmma.matrix_a">
              reads %fb<(d0, d1, d2, d3) -> (d3, d0 * 8 + d2)> : memref<16x16xf16, "wmma.matrix_b">
              writes %fc<(d0, d1, d2, d3) -> (d1, d0 * 8 + d2)> : memref<16x16xf32, "wmma.accumulator"> {
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
    }
    schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.stmatrix"} {
      schedule.for %j4 = 0 to 16 {
        schedule.block "store" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i4, %j4)
          reads %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator">
          writes %t<(d0, d1) -> (d0, d1 + 16)> : memref<16x64xf16, "shared"> {
        ^bb0(%v: f32):
          %h = arith.truncf %v : f32 to f16
          schedule.yield %h : f16
        }
      }
    }
    func.return
  }
}

// -----

// The buffer has the other dimension innermost: lanes name columns of the tile.

// CHECK-LABEL: func.func @columns
// CHECK:         %11 = affine.apply affine_map<(d0) -> ((((((d0 floordiv 16) * 128) + ((d0 mod 8) * 16)) + (((d0 floordiv 8) mod 2) * 8)) + 256))> (%lane)
// CHECK-NEXT:    mma.stmatrix %h, %h_1, %h_2, %h_3, %h_4, %h_5, %h_6, %h_7 to %t[%11] transposed : f16, f16, f16, f16, f16, f16, f16, f16 to memref<64x16xf16, "shared">
builtin.module attributes {wmma.architecture = "sm_90"} {
  func.func @columns() {
    %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
    %fb = memref.alloc() : memref<16x16xf16, "wmma.matrix_b">
    %fc = memref.alloc() : memref<16x16xf32, "wmma.accumulator">
    %t = memref.alloc() : memref<64x16xf16, "shared">
    schedule.for %n = 0 to 2 {
      schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
        schedule.for %j3 = 0 to 8 {
          schedule.for %k3 = 0 to 16 {
            schedule.block "mul" <spatial 2, spatial 16, spatial 8, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%n, %i3, %j3, %k3)
              reads %fa<(d0, d1, d2, d3) -> (d1, d3)> : memref<16x16xf16, "wmma.matrix_a">
              reads %fb<(d0, d1, d2, d3) -> (d3, d0 * 8 + d2)> : memref<16x16xf16, "wmma.matrix_b">
              writes %fc<(d0, d1, d2, d3) -> (d1, d0 * 8 + d2)> : memref<16x16xf32, "wmma.accumulator"> {
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
    }
    schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.stmatrix"} {
      schedule.for %j4 = 0 to 16 {
        schedule.block "store" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i4, %j4)
          reads %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator">
          writes %t<(d0, d1) -> (d1 + 16, d0)> : memref<64x16xf16, "shared"> {
        ^bb0(%v: f32):
          %h = arith.truncf %v : f32 to f16
          schedule.yield %h : f16
        }
      }
    }
    func.return
  }
}

// -----

builtin.module attributes {wmma.architecture = "sm_80"} {
  func.func @older() {
    %fa = memref.alloc() : memref<16x16xf16, "wmma.matrix_a">
    %fb = memref.alloc() : memref<16x16xf16, "wmma.matrix_b">
    %fc = memref.alloc() : memref<16x16xf32, "wmma.accumulator">
    %t = memref.alloc() : memref<16x64xf16, "shared">
    schedule.for %n = 0 to 2 {
      schedule.for %i3 = 0 to 16 attributes {tensorize = "mma.m16n8k16"} {
        schedule.for %j3 = 0 to 8 {
          schedule.for %k3 = 0 to 16 {
            schedule.block "mul" <spatial 2, spatial 16, spatial 8, reduction 16> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%n, %i3, %j3, %k3)
              reads %fa<(d0, d1, d2, d3) -> (d1, d3)> : memref<16x16xf16, "wmma.matrix_a">
              reads %fb<(d0, d1, d2, d3) -> (d3, d0 * 8 + d2)> : memref<16x16xf16, "wmma.matrix_b">
              writes %fc<(d0, d1, d2, d3) -> (d1, d0 * 8 + d2)> : memref<16x16xf32, "wmma.accumulator"> {
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
    }
    // expected-error @+1 {{tensorize with mma: stmatrix: sm_80 has none; sm_90 and later store matrices}}
    schedule.for %i4 = 0 to 16 attributes {tensorize = "mma.stmatrix"} {
      schedule.for %j4 = 0 to 16 {
        schedule.block "store" <spatial 16, spatial 16> = (d0, d1) -> (d0, d1)(%i4, %j4)
          reads %fc<(d0, d1) -> (d0, d1)> : memref<16x16xf32, "wmma.accumulator">
          writes %t<(d0, d1) -> (d0, d1 + 16)> : memref<16x64xf16, "shared"> {
        ^bb0(%v: f32):
          %h = arith.truncf %v : f32 to f16
          schedule.yield %h : f16
        }
      }
    }
    func.return
  }
}
