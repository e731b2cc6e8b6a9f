// RUN: vtac-opt %s --verify-diagnostics -p schedule-inject-virtual-threads

// A guard must be settled before threads are injected.

func.func @guarded_thread(%a: memref<7xi32>, %b: memref<7xi32>) {
  schedule.for %t = 0 to 2 kind "cthread" {
    %own = memref.alloc() : memref<4xi32, "vta.acc">
    schedule.for %i = 0 to 4 {
      schedule.block "in" <spatial 7> = (d0, d1) -> (d0 * 4 + d1)(%t, %i)
        where (d0, d1) : (d0 * -4 - d1 + 6 >= 0)
        reads %a<(d0) -> (d0)> : memref<7xi32>
        writes %own<(d0) -> (d0)> : memref<4xi32, "vta.acc"> {
      ^bb0(%x: i32):
        schedule.yield %x : i32
      }
    }
    schedule.for %j = 0 to 4 {
      // expected-error @+1 {{block 'out' has a guard; run schedule-partition-guards first}}
      schedule.block "out" <spatial 7> = (d0, d1) -> (d0 * 4 + d1)(%t, %j)
        where (d0, d1) : (d0 * -4 - d1 + 6 >= 0)
        reads %own<(d0) -> (d0)> : memref<4xi32, "vta.acc">
        writes %b<(d0) -> (d0)> : memref<7xi32> {
      ^bb0(%x: i32):
        schedule.yield %x : i32
      }
    }
  }
  func.return
}
