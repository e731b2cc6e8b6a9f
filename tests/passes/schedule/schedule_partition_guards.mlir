// RUN: vtac-opt %s -p schedule-partition-guards --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p schedule-partition-guards,schedule-partition-guards --split-input-file --verify-diagnostics | filecheck %s

// 7 elements in tiles of 4: the last tile has 3, so it becomes a nest of its own; what never runs is gone.

// CHECK-LABEL: func.func @tail
// CHECK-SAME: (%a: memref<7xi32>, %b: memref<7xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %o = 0 to 1 {
// CHECK-NEXT:     schedule.for %i = 0 to 4 {
// CHECK-NEXT:       schedule.block "b" <spatial 7> = (d0, d1) -> (((d0 * 4) + d1))(%o, %i)
// CHECK-NEXT:         reads %a<(d0) -> (d0)> : memref<7xi32>
// CHECK-NEXT:         writes %b<(d0) -> (d0)> : memref<7xi32> {
// CHECK-NEXT:       ^bb0(%x: i32):
// CHECK-NEXT:         schedule.yield %x : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %o_1 = 0 to 1 {
// CHECK-NEXT:     schedule.for %i_1 = 0 to 3 {
// CHECK-NEXT:       schedule.block "b" <spatial 7> = (d0, d1) -> ((((d0 * 4) + d1) + 4))(%o_1, %i_1)
// CHECK-NEXT:         reads %a<(d0) -> (d0)> : memref<7xi32>
// CHECK-NEXT:         writes %b<(d0) -> (d0)> : memref<7xi32> {
// CHECK-NEXT:       ^bb0(%x_1: i32):
// CHECK-NEXT:         schedule.yield %x_1 : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @tail(%a: memref<7xi32>, %b: memref<7xi32> {schedule.result}) {
  schedule.for %o = 0 to 2 {
    schedule.for %i = 0 to 4 {
      schedule.block "b" <spatial 7> = (d0, d1) -> (d0 * 4 + d1)(%o, %i)
        where (d0, d1) : (d0 * -4 - d1 + 6 >= 0)
        reads %a<(d0) -> (d0)> : memref<7xi32>
        writes %b<(d0) -> (d0)> : memref<7xi32> {
      ^bb0(%x: i32):
        schedule.yield %x : i32
      }
    }
  }
  func.return
}

// -----

// A loop of one block that never runs is gone with it; iterations of an unrolled loop stand apart.

// CHECK-LABEL: func.func @unrolled
// CHECK-SAME: (%a: memref<4xi32>, %b: memref<4xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %u = 0 to 1 kind "unrolled" {
// CHECK-NEXT:     schedule.block "b" <spatial 4> = (d0) -> (d0)(%u)
// CHECK-NEXT:       reads %a<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       writes %b<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:     ^bb0(%x: i32):
// CHECK-NEXT:       schedule.yield %x : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %u_1 = 0 to 1 kind "unrolled" {
// CHECK-NEXT:     schedule.block "b" <spatial 4> = (d0) -> ((d0 + 1))(%u_1)
// CHECK-NEXT:       reads %a<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       writes %b<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:     ^bb0(%x_1: i32):
// CHECK-NEXT:       schedule.yield %x_1 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %u_2 = 0 to 1 kind "unrolled" {
// CHECK-NEXT:     schedule.block "b" <spatial 4> = (d0) -> ((d0 + 2))(%u_2)
// CHECK-NEXT:       reads %a<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       writes %b<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:     ^bb0(%x_2: i32):
// CHECK-NEXT:       schedule.yield %x_2 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %u_3 = 0 to 1 kind "unrolled" {
// CHECK-NEXT:     schedule.block "b" <spatial 4> = (d0) -> ((d0 + 3))(%u_3)
// CHECK-NEXT:       reads %a<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       writes %b<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:     ^bb0(%x_3: i32):
// CHECK-NEXT:       schedule.yield %x_3 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:     schedule.for %i = 0 to 2 {
// CHECK-NEXT:       schedule.block "again" <spatial 4> = (d0) -> ((d0 + 3))(%u_3)
// CHECK-NEXT:         reads %a<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:         writes %b<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:       ^bb0(%x_4: i32):
// CHECK-NEXT:         schedule.yield %x_4 : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @unrolled(%a: memref<4xi32>, %b: memref<4xi32> {schedule.result}) {
  schedule.for %u = 0 to 4 kind "unrolled" {
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%u)
      reads %a<(d0) -> (d0)> : memref<4xi32>
      writes %b<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%x: i32):
      schedule.yield %x : i32
    }
    schedule.for %i = 0 to 2 {
      schedule.block "again" <spatial 4> = (d0) -> (d0)(%u)
        where (d0) : (d0 - 3 >= 0)
        reads %a<(d0) -> (d0)> : memref<4xi32>
        writes %b<(d0) -> (d0)> : memref<4xi32> {
      ^bb0(%x: i32):
        schedule.yield %x : i32
      }
    }
  }
  func.return
}

// -----

func.func @bound(%a: memref<7xi32>, %b: memref<7xi32>) {
  schedule.for %t = 0 to 2 kind "cthread" {
    schedule.for %i = 0 to 4 {
      // expected-error @+1 {{loop 't' is bound to cthread, but a guard of block 'b' holds for some of its iterations only: split by a factor that divides}}
      schedule.block "b" <spatial 7> = (d0, d1) -> (d0 * 4 + d1)(%t, %i)
        where (d0, d1) : (d0 * -4 - d1 + 6 >= 0)
        reads %a<(d0) -> (d0)> : memref<7xi32>
        writes %b<(d0) -> (d0)> : memref<7xi32> {
      ^bb0(%x: i32):
        schedule.yield %x : i32
      }
    }
  }
  func.return
}
