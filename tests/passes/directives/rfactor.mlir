// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// rfactor: each iteration of a reduction loop into an element of its own; the start counts once.

// CHECK-LABEL: func.func @f
// CHECK-NEXT:   %y_rf = memref.alloc() : memref<3x4xf32, "global">
// CHECK-NEXT:   schedule.for %i0 = 0 to 3 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 4 {
// CHECK-NEXT:       schedule.for %r2 = 0 to 3 {
// CHECK-NEXT:         schedule.block "y_rf" <spatial 3, spatial 4, reduction 3> = (d0, d1, d2) -> (d0, d1, d2)(%i0, %i1, %r2) from "linalg.generic"
// CHECK-NEXT:           reads %x<(d0, d1, d2) -> (d0, ((d2 * 4) + d1))> : memref<3x12xf32>
// CHECK-NEXT:           writes %y_rf<(d0, d1, d2) -> (d0, d1)> : memref<3x4xf32, "global">
// CHECK-NEXT:           init 0.000000e+00 : f32 {
// CHECK-NEXT:         ^bb0(%v: f32, %acc: f32):
// CHECK-NEXT:           %s = arith.addf %acc, %v : f32
// CHECK-NEXT:           schedule.yield %s : f32
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 3 {
// CHECK-NEXT:     schedule.for %r1 = 0 to 4 {
// CHECK-NEXT:       schedule.block "y" <spatial 3, reduction 4> = (d0, d1) -> (d0, d1)(%i0_1, %r1) from "linalg.generic"
// CHECK-NEXT:         reads %y_rf<(d0, d1) -> (d0, d1)> : memref<3x4xf32, "global">
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0)> : memref<3xf32>
// CHECK-NEXT:         init 5.000000e+00 : f32 {
// CHECK-NEXT:       ^bb0(%0: f32, %1: f32):
// CHECK-NEXT:         %s_1 = arith.addf %1, %0 : f32
// CHECK-NEXT:         schedule.yield %s_1 : f32

func.func @f(%x: tensor<3x12xf32>) -> tensor<3xf32> {
  %zero = arith.constant 5.0 : f32
  %empty = tensor.empty() : tensor<3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<3xf32>) -> tensor<3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<3x12xf32>) outs(%init : tensor<3xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %s = arith.addf %acc, %v : f32
    linalg.yield %s : f32
  } -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %k = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %outer, %inner = schedule.split %k factor 4
  %parts = schedule.rfactor %y, %inner
}

// -----

func.func @f(%x: tensor<3x12xf32>) -> tensor<3xf32> {
  %zero = arith.constant 5.0 : f32
  %empty = tensor.empty() : tensor<3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<3xf32>) -> tensor<3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<3x12xf32>) outs(%init : tensor<3xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %s = arith.addf %acc, %v : f32
    linalg.yield %s : f32
  } -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %k = schedule.get_loops %y : !schedule.loop, !schedule.loop
  // expected-error @+1 {{rfactor: loop 'i0' (extent 3) of block 'y' is not one that only reduces; choose a reduction loop, before fusing across the kinds}}
  %parts = schedule.rfactor %y, %i
}

// -----

func.func @f(%x: tensor<3x12xf32>) -> tensor<3xf32> {
  %zero = arith.constant 5.0 : f32
  %empty = tensor.empty() : tensor<3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<3xf32>) -> tensor<3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<3x12xf32>) outs(%init : tensor<3xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %s = arith.addf %acc, %v : f32
    linalg.yield %s : f32
  } -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %k = schedule.get_loops %y : !schedule.loop, !schedule.loop
  %outer, %inner = schedule.split %k factor 5 tail "guard"
  // expected-error @+1 {{rfactor: block 'y' runs under a guard or not alone in its nest; use rfactor before other directives than split}}
  %parts = schedule.rfactor %y, %inner
}

// -----

func.func @f(%x: tensor<3x12xf32>) -> tensor<3xf32> {
  %zero = arith.constant 5.0 : f32
  %empty = tensor.empty() : tensor<3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<3xf32>) -> tensor<3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<3x12xf32>) outs(%init : tensor<3xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %s = arith.subf %acc, %v : f32
    linalg.yield %s : f32
  } -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %k = schedule.get_loops %y : !schedule.loop, !schedule.loop
  // expected-error @+1 {{rfactor: block 'y' does not end in a sum, product, maximum or minimum of its accumulator and what does not depend on it; leave it in its order}}
  %parts = schedule.rfactor %y, %k
}

// -----

func.func @f(%x: tensor<3x12xf32>, %old: tensor<3xf32>) -> tensor<3xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<3x12xf32>) outs(%old : tensor<3xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %s = arith.addf %acc, %v : f32
    linalg.yield %s : f32
  } -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i, %k = schedule.get_loops %y : !schedule.loop, !schedule.loop
  // expected-error @+1 {{rfactor: block 'y' goes on from what 'y' holds; only a reduction that starts from a constant can be taken in parts}}
  %parts = schedule.rfactor %y, %k
}
