// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file | filecheck %s

// A reduction that goes on from a value nothing else reads works in that value's buffer, and moves with it.
// Slices are read where they were taken from.

func.func @updated(%x: tensor<4x6xi32>, %w: tensor<5x6xi32>, %u: tensor<4x3xi32>, %t: tensor<5x3xi32>)
    -> tensor<4x2xi32> {
  %zero = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<4x5xi32>
  %f0 = linalg.fill ins(%zero : i32) outs(%e0 : tensor<4x5xi32>) -> tensor<4x5xi32>
  %first = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x6xi32>, tensor<5x6xi32>) outs(%f0 : tensor<4x5xi32>) {
  ^bb0(%v: i32, %c: i32, %acc: i32):
    %p = arith.muli %v, %c : i32
    %s = arith.addi %acc, %p : i32
    linalg.yield %s : i32
  } -> tensor<4x5xi32>
  %second = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%u, %t : tensor<4x3xi32>, tensor<5x3xi32>) outs(%first : tensor<4x5xi32>) {
  ^bb0(%v: i32, %c: i32, %acc: i32):
    %p = arith.muli %v, %c : i32
    %s = arith.addi %acc, %p : i32
    linalg.yield %s : i32
  } -> tensor<4x5xi32>
  %left = tensor.extract_slice %second[0, 0] [4, 2] [1, 1] : tensor<4x5xi32> to tensor<4x2xi32>
  %right = tensor.extract_slice %second[0, 1] [4, 2] [1, 3] : tensor<4x5xi32> to tensor<4x2xi32>
  %e1 = tensor.empty() : tensor<4x2xi32>
  %both = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%left, %right : tensor<4x2xi32>, tensor<4x2xi32>) outs(%e1 : tensor<4x2xi32>) {
  ^bb0(%v: i32, %c: i32, %o: i32):
    %s = arith.subi %v, %c : i32
    linalg.yield %s : i32
  } -> tensor<4x2xi32>
  func.return %both : tensor<4x2xi32>
}
schedule.script @updated {
  %first = schedule.get_block "first"
  %both = schedule.get_block "both"
  %i, %j = schedule.get_loops %both : !schedule.loop, !schedule.loop
  schedule.compute_at %first, %i
}

// CHECK-LABEL:  func.func @updated(
// CHECK-NEXT:   %first = memref.alloc() : memref<4x5xi32>
// CHECK-NEXT:   schedule.for %i0 = 0 to 4
// CHECK-NEXT:     schedule.for %i0_1 = 0 to 1
// CHECK-NEXT:       schedule.for %i1 = 0 to 5
// CHECK-NEXT:         schedule.for %r2 = 0 to 6
// CHECK-NEXT:           schedule.block "first" <spatial 4, spatial 5, reduction 6>
// CHECK:                  writes %first
// CHECK-NEXT:             init 0 : i32
// CHECK:          schedule.for %i0_2 = 0 to 1
// CHECK-NEXT:       schedule.for %i1_1 = 0 to 5
// CHECK-NEXT:         schedule.for %r2_1 = 0 to 3
// CHECK-NEXT:           schedule.block "second" <spatial 4, spatial 5, reduction 3>
// CHECK:                  writes %first<(d0, d1, d2) -> (d0, d1)> : memref<4x5xi32> {
// CHECK:          schedule.for %i1_2 = 0 to 2
// CHECK-NEXT:       schedule.block "both"
// CHECK-NEXT:         reads %first<(d0, d1) -> (d0, d1)> : memref<4x5xi32>
// CHECK-NEXT:         reads %first<(d0, d1) -> (d0, ((d1 * 3) + 1))> : memref<4x5xi32>

// -----

func.func @updated(%x: tensor<4x6xi32>, %w: tensor<5x6xi32>, %u: tensor<4x3xi32>, %t: tensor<5x3xi32>)
    -> tensor<4x2xi32> {
  %zero = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<4x5xi32>
  %f0 = linalg.fill ins(%zero : i32) outs(%e0 : tensor<4x5xi32>) -> tensor<4x5xi32>
  %first = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x6xi32>, tensor<5x6xi32>) outs(%f0 : tensor<4x5xi32>) {
  ^bb0(%v: i32, %c: i32, %acc: i32):
    %p = arith.muli %v, %c : i32
    %s = arith.addi %acc, %p : i32
    linalg.yield %s : i32
  } -> tensor<4x5xi32>
  %second = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%u, %t : tensor<4x3xi32>, tensor<5x3xi32>) outs(%first : tensor<4x5xi32>) {
  ^bb0(%v: i32, %c: i32, %acc: i32):
    %p = arith.muli %v, %c : i32
    %s = arith.addi %acc, %p : i32
    linalg.yield %s : i32
  } -> tensor<4x5xi32>
  %left = tensor.extract_slice %second[0, 0] [4, 2] [1, 1] : tensor<4x5xi32> to tensor<4x2xi32>
  %right = tensor.extract_slice %second[0, 1] [4, 2] [1, 3] : tensor<4x5xi32> to tensor<4x2xi32>
  %e1 = tensor.empty() : tensor<4x2xi32>
  %both = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%left, %right : tensor<4x2xi32>, tensor<4x2xi32>) outs(%e1 : tensor<4x2xi32>) {
  ^bb0(%v: i32, %c: i32, %o: i32):
    %s = arith.subi %v, %c : i32
    linalg.yield %s : i32
  } -> tensor<4x2xi32>
  func.return %both : tensor<4x2xi32>
}
schedule.script @updated {
  %first = schedule.get_block "first"
  %second = schedule.get_block "second"
  %i, %j, %k = schedule.get_loops %first : !schedule.loop, !schedule.loop, !schedule.loop
  schedule.reverse_compute_at %second, %i
}

// CHECK-LABEL:  func.func @updated(
// CHECK:        schedule.for %i0 = 0 to 4
// CHECK:              schedule.block "first"
// CHECK:          schedule.for %i0_1 = 0 to 1
// CHECK-NEXT:       schedule.for %i1_1 = 0 to 5
// CHECK-NEXT:         schedule.for %r2_1 = 0 to 3
// CHECK-NEXT:           schedule.block "second" <spatial 4, spatial 5, reduction 3> = (d0, d1, d2, d3) -> ((d0 + d1), d2, d3)
// CHECK:                  writes %first
// CHECK:        schedule.for %i0_2 = 0 to 4
// CHECK-NEXT:     schedule.for %i1_2 = 0 to 2
// CHECK-NEXT:       schedule.block "both"

// -----

// Of several updates each moves after the one before it; the later ones still go on from what it leaves.

func.func @updated(%x: tensor<4x6xi32>, %w: tensor<5x6xi32>, %u: tensor<4x3xi32>, %t: tensor<5x3xi32>)
    -> tensor<4x5xi32> {
  %zero = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<4x5xi32>
  %f0 = linalg.fill ins(%zero : i32) outs(%e0 : tensor<4x5xi32>) -> tensor<4x5xi32>
  %first = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x6xi32>, tensor<5x6xi32>) outs(%f0 : tensor<4x5xi32>) {
  ^bb0(%v: i32, %c: i32, %acc: i32):
    %p = arith.muli %v, %c : i32
    %s = arith.addi %acc, %p : i32
    linalg.yield %s : i32
  } -> tensor<4x5xi32>
  %second = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%u, %t : tensor<4x3xi32>, tensor<5x3xi32>) outs(%first : tensor<4x5xi32>) {
  ^bb0(%v: i32, %c: i32, %acc: i32):
    %p = arith.muli %v, %c : i32
    %s = arith.addi %acc, %p : i32
    linalg.yield %s : i32
  } -> tensor<4x5xi32>
  %third = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%u, %t : tensor<4x3xi32>, tensor<5x3xi32>) outs(%second : tensor<4x5xi32>) {
  ^bb0(%v: i32, %c: i32, %acc: i32):
    %p = arith.muli %v, %c : i32
    %s = arith.addi %acc, %p : i32
    linalg.yield %s : i32
  } -> tensor<4x5xi32>
  %e1 = tensor.empty() : tensor<4x5xi32>
  %last = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%third : tensor<4x5xi32>) outs(%e1 : tensor<4x5xi32>) {
  ^bb0(%v: i32, %o: i32):
    %s = arith.addi %v, %v : i32
    linalg.yield %s : i32
  } -> tensor<4x5xi32>
  func.return %last : tensor<4x5xi32>
}
schedule.script @updated {
  %first = schedule.get_block "first"
  %second = schedule.get_block "second"
  %third = schedule.get_block "third"
  %i, %j, %k = schedule.get_loops %first : !schedule.loop, !schedule.loop, !schedule.loop
  schedule.reverse_compute_at %second, %i
  schedule.reverse_compute_at %third, %i
}

// CHECK-LABEL:  func.func @updated(
// CHECK:        schedule.for %i0 = 0 to 4
// CHECK:              schedule.block "first"
// CHECK:          schedule.for %i0_1 = 0 to 1
// CHECK:              schedule.block "second"
// CHECK:          schedule.for %i0_2 = 0 to 1
// CHECK:              schedule.block "third" <spatial 4, spatial 5, reduction 3> = (d0, d1, d2, d3) -> ((d0 + d1), d2, d3)
