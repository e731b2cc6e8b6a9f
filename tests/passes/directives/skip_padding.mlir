// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// skip_padding: zeros add nothing to a sum, so a guard leaves them out.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<6xi8>, %w: memref<3xi8>, %y: memref<6xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i0 = 0 to 6 {
// CHECK-NEXT:     schedule.block "y_init" <spatial 6> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       writes %y<(d0) -> (d0)> : memref<6xi32> {
// CHECK-NEXT:       %0 = arith.constant 0 : i32
// CHECK-NEXT:       schedule.yield %0 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:     schedule.for %r1 = 0 to 3 {
// CHECK-NEXT:       schedule.block "y" <spatial 6, reduction 3> = (d0, d1) -> (d0, d1)(%i0, %r1) from "linalg.generic"
// CHECK-NEXT:         where (d0, d1) : (((d0 + d1) + -1) >= 0, (((d0 * -1) + (d1 * -1)) + 6) >= 0)
// CHECK-NEXT:         reads %x<(d0, d1) -> (((d0 + d1) + -1))> : memref<6xi8>
// CHECK-NEXT:         reads %w<(d0, d1) -> (d1)> : memref<3xi8>
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0)> : memref<6xi32> {
// CHECK-NEXT:       ^bb0(%v: i8, %c: i8, %s: i32):
// CHECK-NEXT:         %v32 = arith.extsi %v : i8 to i32
// CHECK-NEXT:         %c32 = arith.extsi %c : i8 to i32
// CHECK-NEXT:         %m = arith.muli %v32, %c32 : i32
// CHECK-NEXT:         %t = arith.addi %s, %m : i32
// CHECK-NEXT:         schedule.yield %t : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @f(%x: tensor<6xi8>, %w: tensor<3xi8>) -> tensor<6xi32> {
  %zero = arith.constant 0 : i32
  %zero8 = arith.constant 0 : i8
  %p = tensor.pad %x low[1] high[1] {
  ^bb0(%d: index):
    tensor.yield %zero8 : i8
  } : tensor<6xi8> to tensor<8xi8>
  %empty = tensor.empty() : tensor<6xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<6xi32>) -> tensor<6xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i + k)>, affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%p, %w : tensor<8xi8>, tensor<3xi8>) outs(%init : tensor<6xi32>) {
  ^bb0(%v: i8, %c: i8, %s: i32):
    %v32 = arith.extsi %v : i8 to i32
    %c32 = arith.extsi %c : i8 to i32
    %m = arith.muli %v32, %c32 : i32
    %t = arith.addi %s, %m : i32
    linalg.yield %t : i32
  } -> tensor<6xi32>
  func.return %y : tensor<6xi32>
}
schedule.script @f {
  %p = schedule.get_block "p"
  schedule.compute_inline %p
  %y = schedule.get_block "y"
  %k = schedule.get_loop %y "r1"
  %init = schedule.decompose_reduction %y, %k
  schedule.skip_padding %y
}

// -----

func.func @f(%x: tensor<6xi8>, %w: tensor<3xi8>) -> tensor<6xi32> {
  %zero = arith.constant 0 : i32
  %zero8 = arith.constant 0 : i8
  %p = tensor.pad %x low[1] high[1] {
  ^bb0(%d: index):
    tensor.yield %zero8 : i8
  } : tensor<6xi8> to tensor<8xi8>
  %empty = tensor.empty() : tensor<6xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<6xi32>) -> tensor<6xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i + k)>, affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%p, %w : tensor<8xi8>, tensor<3xi8>) outs(%init : tensor<6xi32>) {
  ^bb0(%v: i8, %c: i8, %s: i32):
    %v32 = arith.extsi %v : i8 to i32
    %c32 = arith.extsi %c : i8 to i32
    %m = arith.muli %v32, %c32 : i32
    %t = arith.addi %s, %m : i32
    linalg.yield %t : i32
  } -> tensor<6xi32>
  func.return %y : tensor<6xi32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %k = schedule.get_loop %y "r1"
  %init = schedule.decompose_reduction %y, %k
  // expected-error @+1 {{skip_padding: block 'y' reads no padding; inline the padding block first, with compute_inline}}
  schedule.skip_padding %y
}

// -----

// Of a copy in a loop of the sum, iterations are left out in which all of its tile is padding.

// CHECK-LABEL: func.func @f(%x: memref<6x4xi8>, %w: memref<3x4xi8>, %y: memref<6xi32> {schedule.result}) {
// CHECK-NEXT:    %x_shared = memref.alloc() : memref<8x4xi8, "shared">
// CHECK-NEXT:    schedule.for %i0 = 0 to 6 {
// CHECK-NEXT:      schedule.block "y_init" <spatial 6> = (d0) -> (d0)(%i0)
// CHECK-NEXT:        writes %y<(d0) -> (d0)> : memref<6xi32> {
// CHECK-NEXT:        %0 = arith.constant 0 : i32
// CHECK-NEXT:        schedule.yield %0 : i32
// CHECK-NEXT:      }
// CHECK-NEXT:      schedule.for %r1 = 0 to 3 {
// CHECK-NEXT:        schedule.for %i0_1 = 0 to 1 {
// CHECK-NEXT:          schedule.for %i1 = 0 to 4 {
// CHECK-NEXT:            schedule.block "x_shared" <spatial 8, spatial 4> = (d0, d1, d2, d3) -> (((d0 + d2) + d1), d3)(%i0, %r1, %i0_1, %i1)
// CHECK-NEXT:              where (d0, d1, d2, d3) : (((d0 + d1) + -1) >= 0, (((d0 * -1) + (d1 * -1)) + 6) >= 0)
// CHECK-NEXT:              reads %x<(d0, d1) -> ((d0 + -1), d1), pad 0 : i8> : memref<6x4xi8>
// CHECK-NEXT:              writes %x_shared<(d0, d1) -> (d0, d1)> : memref<8x4xi8, "shared"> {
// CHECK-NEXT:            ^bb0(%1: i8):
// CHECK-NEXT:              schedule.yield %1 : i8
// CHECK-NEXT:            }
// CHECK-NEXT:          }
// CHECK-NEXT:        }
// CHECK-NEXT:        schedule.for %r2 = 0 to 4 {
// CHECK-NEXT:          schedule.block "y" <spatial 6, reduction 3, reduction 4> = (d0, d1, d2) -> (d0, d1, d2)(%i0, %r1, %r2) from "linalg.generic"
// CHECK-NEXT:            where (d0, d1, d2) : (((d0 + d1) + -1) >= 0, (((d0 * -1) + (d1 * -1)) + 6) >= 0)
// CHECK-NEXT:            reads %x_shared<(d0, d1, d2) -> ((d0 + d1), d2)> : memref<8x4xi8, "shared">
// CHECK-NEXT:            reads %w<(d0, d1, d2) -> (d1, d2)> : memref<3x4xi8>
// CHECK-NEXT:            writes %y<(d0, d1, d2) -> (d0)> : memref<6xi32> {
// CHECK-NEXT:          ^bb0(%v: i8, %c: i8, %s: i32):
// CHECK-NEXT:            %v32 = arith.extsi %v : i8 to i32
// CHECK-NEXT:            %c32 = arith.extsi %c : i8 to i32
// CHECK-NEXT:            %m = arith.muli %v32, %c32 : i32
// CHECK-NEXT:            %t = arith.addi %s, %m : i32
// CHECK-NEXT:            schedule.yield %t : i32
// CHECK-NEXT:          }
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
// CHECK-NEXT:  }

func.func @f(%x: tensor<6x4xi8>, %w: tensor<3x4xi8>) -> tensor<6xi32> {
  %zero = arith.constant 0 : i32
  %zero8 = arith.constant 0 : i8
  %p = tensor.pad %x low[1, 0] high[1, 0] {
  ^bb0(%d: index, %e: index):
    tensor.yield %zero8 : i8
  } : tensor<6x4xi8> to tensor<8x4xi8>
  %empty = tensor.empty() : tensor<6xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<6xi32>) -> tensor<6xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k, c) -> (i + k, c)>, affine_map<(i, k, c) -> (k, c)>, affine_map<(i, k, c) -> (i)>], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%p, %w : tensor<8x4xi8>, tensor<3x4xi8>) outs(%init : tensor<6xi32>) {
  ^bb0(%v: i8, %c: i8, %s: i32):
    %v32 = arith.extsi %v : i8 to i32
    %c32 = arith.extsi %c : i8 to i32
    %m = arith.muli %v32, %c32 : i32
    %t = arith.addi %s, %m : i32
    linalg.yield %t : i32
  } -> tensor<6xi32>
  func.return %y : tensor<6xi32>
}
schedule.script @f {
  %p = schedule.get_block "p"
  schedule.compute_inline %p
  %y = schedule.get_block "y"
  %x_shared = schedule.cache_read %y, 0, "shared"
  %k = schedule.get_loop %y "r1"
  schedule.compute_at %x_shared, %k
  %init = schedule.decompose_reduction %y, %k
  schedule.skip_padding %y
}

// -----

func.func @f(%x: tensor<6x4xi8>, %w: tensor<3x4xi8>) -> tensor<6xi32> {
  %zero = arith.constant 0 : i32
  %zero8 = arith.constant 0 : i8
  %p = tensor.pad %x low[1, 0] high[1, 0] {
  ^bb0(%d: index, %e: index):
    tensor.yield %zero8 : i8
  } : tensor<6x4xi8> to tensor<8x4xi8>
  %empty = tensor.empty() : tensor<6xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<6xi32>) -> tensor<6xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k, c) -> (i + k, c)>, affine_map<(i, k, c) -> (k, c)>, affine_map<(i, k, c) -> (i)>], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%p, %w : tensor<8x4xi8>, tensor<3x4xi8>) outs(%init : tensor<6xi32>) {
  ^bb0(%v: i8, %c: i8, %s: i32):
    %v32 = arith.extsi %v : i8 to i32
    %c32 = arith.extsi %c : i8 to i32
    %m = arith.muli %v32, %c32 : i32
    %t = arith.addi %s, %m : i32
    linalg.yield %t : i32
  } -> tensor<6xi32>
  func.return %y : tensor<6xi32>
}
schedule.script @f {
  %p = schedule.get_block "p"
  schedule.compute_inline %p
  %y = schedule.get_block "y"
  %x_shared = schedule.cache_read %y, 0, "shared"
  %k = schedule.get_loop %y "r1"
  schedule.unroll %k
  %init = schedule.decompose_reduction %y, %k
  // expected-error @+1 {{skip_padding: block 'y' reads no padding; inline the padding block first, with compute_inline}}
  schedule.skip_padding %y
}

// -----

func.func @f(%x: tensor<6x4xi8>, %w: tensor<3x4xi8>) -> tensor<6xi32> {
  %zero = arith.constant 0 : i32
  %zero8 = arith.constant 0 : i8
  %p = tensor.pad %x low[1, 0] high[1, 0] {
  ^bb0(%d: index, %e: index):
    tensor.yield %zero8 : i8
  } : tensor<6x4xi8> to tensor<8x4xi8>
  %empty = tensor.empty() : tensor<6xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<6xi32>) -> tensor<6xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k, c) -> (i + k, c)>, affine_map<(i, k, c) -> (k, c)>, affine_map<(i, k, c) -> (i)>], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%p, %w : tensor<8x4xi8>, tensor<3x4xi8>) outs(%init : tensor<6xi32>) {
  ^bb0(%v: i8, %c: i8, %s: i32):
    %v32 = arith.extsi %v : i8 to i32
    %c32 = arith.extsi %c : i8 to i32
    %m = arith.muli %v32, %c32 : i32
    %t = arith.addi %s, %m : i32
    linalg.yield %t : i32
  } -> tensor<6xi32>
  func.return %y : tensor<6xi32>
}
schedule.script @f {
  %p = schedule.get_block "p"
  schedule.compute_inline %p
  %y = schedule.get_block "y"
  %x_shared = schedule.cache_read %y, 0, "shared"
  %k = schedule.get_loop %y "i0"
  schedule.compute_at %x_shared, %k
  %r = schedule.get_loop %y "r1"
  %init = schedule.decompose_reduction %y, %r
  // expected-error @+1 {{skip_padding: block 'y' reads copies of padding, but loop 'i0' holds block 'y_init', too, which does not serve the sum alone}}
  schedule.skip_padding %y
}
