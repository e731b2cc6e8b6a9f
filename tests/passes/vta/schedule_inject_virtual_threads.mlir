// RUN: vtac-opt %s -p schedule-inject-virtual-threads --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p schedule-inject-virtual-threads,schedule-inject-virtual-threads --split-input-file --verify-diagnostics | filecheck %s

// Each stage is repeated per thread where it stands, with the host values that depend on the thread;
// what a thread owns has a copy per thread. Without stages the operations are the units.

// CHECK-LABEL: func.func @threads
// CHECK-NEXT:    schedule.for %i = 0 to 2 {
// CHECK-NEXT:      %own = memref.alloc() {vta.threads = 2 : i64, vta.thread_loop = "t"} : memref<2x1x1x16xi32, "vta.acc">
// CHECK-NEXT:      schedule.for %t = 0 to 2 {
// CHECK:             vta.load_2d acc %x, %own
// CHECK-NEXT:      }
// CHECK-NEXT:      schedule.for %t_1 = 0 to 2 {
// CHECK:             vta.alu add imm 3
// CHECK-NEXT:      }
// CHECK-NEXT:      schedule.for %t_2 = 0 to 2 {
// CHECK:             vta.store_2d out %y, %own
// CHECK-NEXT:      }
// CHECK-NEXT:    }
func.func @threads(%x: memref<4x1x16xi32>, %y: memref<4x1x16xi8> {schedule.result}) {
  schedule.for %i = 0 to 2 {
    schedule.for %t = 0 to 2 kind "cthread" {
      %own = memref.alloc() : memref<1x1x16xi32, "vta.acc">
      %at = affine.apply affine_map<(d0, d1) -> (d0 * 2 + d1)> (%i, %t)
      vta.load_2d acc %x, %own [dram = %at, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<4x1x16xi32>, memref<1x1x16xi32, "vta.acc">
      vta.alu add imm 3 on(%own, %own : memref<1x1x16xi32, "vta.acc">, memref<1x1x16xi32, "vta.acc">) loops [] micro [] () -> (0, 0)
      vta.store_2d out %y, %own [sram = 0, dram = %at, x_size = 1, y_size = 1, x_stride = 1] : memref<4x1x16xi8>, memref<1x1x16xi32, "vta.acc">
    }
  }
  func.return
}

// -----

// A token is one for each thread: every thread's stage takes one.

// CHECK-LABEL: func.func @tokens
// CHECK-NEXT:    vta.dep_push "store", "compute"
// CHECK-NEXT:    vta.dep_push "store", "compute"
// CHECK-NEXT:    schedule.for %i = 0 to 3 {
// CHECK-NEXT:      schedule.for %t = 0 to 2 {
// CHECK-NEXT:        vta.stage "compute" {
// CHECK-NEXT:          vta.dep_pop "store", "compute"
// CHECK:         vta.dep_pop "store", "compute"
// CHECK-NEXT:    vta.dep_pop "store", "compute"
// CHECK-NEXT:    func.return
func.func @tokens() {
  schedule.for %t = 0 to 2 kind "cthread" {
    vta.dep_push "store", "compute"
    schedule.for %i = 0 to 3 {
      vta.stage "compute" {
        vta.dep_pop "store", "compute"
        vta.dep_push "store", "compute"
      }
    }
    vta.dep_pop "store", "compute"
  }
  func.return
}

// -----

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
