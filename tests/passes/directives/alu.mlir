// RUN: vtac-opt %s -p convert-linalg-to-schedule,apply-schedule --split-input-file --verify-diagnostics | filecheck %s

// alu: a loop over one elementwise block on accumulators belongs to the vector ALU.

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%x: memref<2x16xi32>, %y: memref<2x16xi8> {schedule.result}) {
// CHECK-NEXT:   %a = memref.alloc() : memref<2x16xi32, "vta.acc">
// CHECK-NEXT:   %s = memref.alloc() : memref<2x16xi32, "vta.acc">
// CHECK-NEXT:   schedule.for %n = 0 to 2 {
// CHECK-NEXT:     schedule.for %l = 0 to 16 {
// CHECK-NEXT:       schedule.block "a" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%n, %l)
// CHECK-NEXT:         reads %x<(d0, d1) -> (d0, d1)> : memref<2x16xi32>
// CHECK-NEXT:         writes %a<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc"> {
// CHECK-NEXT:       ^bb0(%v: i32):
// CHECK-NEXT:         schedule.yield %v : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %n_1 = 0 to 2 attributes {alu} {
// CHECK-NEXT:     schedule.for %l_1 = 0 to 16 {
// CHECK-NEXT:       schedule.block "s" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%n_1, %l_1)
// CHECK-NEXT:         reads %a<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc">
// CHECK-NEXT:         writes %s<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc"> {
// CHECK-NEXT:       ^bb0(%v_1: i32):
// CHECK-NEXT:         %c = arith.constant 4 : i32
// CHECK-NEXT:         %t = arith.shrsi %v_1, %c : i32
// CHECK-NEXT:         schedule.yield %t : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %n_2 = 0 to 2 {
// CHECK-NEXT:     schedule.for %l_2 = 0 to 16 {
// CHECK-NEXT:       schedule.block "y" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%n_2, %l_2)
// CHECK-NEXT:         reads %s<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc">
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0, d1)> : memref<2x16xi8> {
// CHECK-NEXT:       ^bb0(%v_2: i32):
// CHECK-NEXT:         %t_1 = arith.trunci %v_2 : i32 to i8
// CHECK-NEXT:         schedule.yield %t_1 : i8
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @f(%x: memref<2x16xi32>, %y: memref<2x16xi8> {schedule.result}) {
  %a = memref.alloc() : memref<2x16xi32, "vta.acc">
  %s = memref.alloc() : memref<2x16xi32, "vta.acc">
  schedule.for %n = 0 to 2 {
    schedule.for %l = 0 to 16 {
      schedule.block "a" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%n, %l)
        reads %x<(d0, d1) -> (d0, d1)> : memref<2x16xi32>
        writes %a<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc"> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  schedule.for %n = 0 to 2 {
    schedule.for %l = 0 to 16 {
      schedule.block "s" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%n, %l)
        reads %a<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc">
        writes %s<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc"> {
      ^bb0(%v: i32):
        %c = arith.constant 4 : i32
        %t = arith.shrsi %v, %c : i32
        schedule.yield %t : i32
      }
    }
  }
  schedule.for %n = 0 to 2 {
    schedule.for %l = 0 to 16 {
      schedule.block "y" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%n, %l)
        reads %s<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc">
        writes %y<(d0, d1) -> (d0, d1)> : memref<2x16xi8> {
      ^bb0(%v: i32):
        %t = arith.trunci %v : i32 to i8
        schedule.yield %t : i8
      }
    }
  }
  func.return
}
schedule.script @f {
  %s = schedule.get_block "s"
  %n = schedule.get_loop %s "n"
  schedule.alu %n
}

// -----

func.func @f(%x: memref<2x16xi32>, %y: memref<2x16xi8> {schedule.result}) {
  %a = memref.alloc() : memref<2x16xi32, "vta.acc">
  %s = memref.alloc() : memref<2x16xi32, "vta.acc">
  schedule.for %n = 0 to 2 {
    schedule.for %l = 0 to 16 {
      schedule.block "a" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%n, %l)
        reads %x<(d0, d1) -> (d0, d1)> : memref<2x16xi32>
        writes %a<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc"> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  schedule.for %n = 0 to 2 {
    schedule.for %l = 0 to 16 {
      schedule.block "s" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%n, %l)
        reads %a<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc">
        writes %s<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc"> {
      ^bb0(%v: i32):
        %c = arith.constant 4 : i32
        %t = arith.shrsi %v, %c : i32
        schedule.yield %t : i32
      }
    }
  }
  schedule.for %n = 0 to 2 {
    schedule.for %l = 0 to 16 {
      schedule.block "y" <spatial 2, spatial 16> = (d0, d1) -> (d0, d1)(%n, %l)
        reads %s<(d0, d1) -> (d0, d1)> : memref<2x16xi32, "vta.acc">
        writes %y<(d0, d1) -> (d0, d1)> : memref<2x16xi8> {
      ^bb0(%v: i32):
        %t = arith.trunci %v : i32 to i8
        schedule.yield %t : i8
      }
    }
  }
  func.return
}
schedule.script @f {
  %a = schedule.get_block "a"
  %n = schedule.get_loop %a "n"
  // expected-error @+1 {{alu: 'x' of block 'a' lives in global; the ALU works on vta.acc: use set_scope, cache_read or cache_write first}}
  schedule.alu %n
}
