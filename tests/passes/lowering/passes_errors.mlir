// RUN: vtac-opt %s --split-input-file --verify-diagnostics \
// RUN:   -p schedule-compact-buffers,schedule-inject-virtual-threads,convert-schedule-to-scf

// What passes decline that need another pass first.

func.func @init(%a: memref<4x8xi32>, %b: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    schedule.for %k = 0 to 8 {
      // expected-error @+1 {{schedule-compact-buffers: block 'sum' has an init; run schedule-decompose-reductions first}}
      schedule.block "sum" <spatial 4, reduction 8> = (d0, d1) -> (d0, d1)(%i, %k)
        reads %a<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
        writes %b<(d0, d1) -> (d0)> : memref<4xi32>
        init 0 : i32 {
      ^bb0(%x: i32, %s: i32):
        %y = arith.addi %s, %x : i32
        schedule.yield %y : i32
      }
    }
  }
  func.return
}

// -----

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

// -----

func.func @gpu_loop() {
  // expected-error @+1 {{loop 't' still stands for threadIdx.x: it is no host loop}}
  schedule.for %t = 0 to 4 kind "threadIdx.x" {
    vta.sync
  }
  func.return
}
