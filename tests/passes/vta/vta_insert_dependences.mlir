// RUN: vtac-opt %s -p vta-insert-dependences --split-input-file --verify-diagnostics | filecheck %s

// A load and a store in a loop share no queue: an empty compute stage stands between them, and one more from
// the end of the loop to its start. What goes round the loop is pushed before it and popped behind it.

// CHECK-LABEL: func.func @copy
// CHECK-NEXT:    vta.dep_push "compute", "load"
// CHECK-NEXT:    schedule.for %i = 0 to 4
// CHECK-NEXT:      vta.stage "load" {
// CHECK-NEXT:        vta.dep_pop "compute", "load"
// CHECK-NEXT:        vta.load_2d inp
// CHECK-NEXT:        vta.dep_push "load", "compute"
// CHECK-NEXT:      }
// CHECK-NEXT:      vta.stage "compute" {
// CHECK-NEXT:        vta.dep_pop "load", "compute"
// CHECK-NEXT:        vta.dep_push "compute", "store"
// CHECK-NEXT:      }
// CHECK-NEXT:      vta.stage "store" {
// CHECK-NEXT:        vta.dep_pop "compute", "store"
// CHECK-NEXT:        vta.store_2d out
// CHECK-NEXT:        vta.dep_push "store", "compute"
// CHECK-NEXT:      }
// CHECK-NEXT:      vta.stage "compute" {
// CHECK-NEXT:        vta.dep_pop "store", "compute"
// CHECK-NEXT:        vta.dep_push "compute", "load"
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    vta.dep_pop "compute", "load"
// CHECK-NEXT:    vta.sync
func.func @copy(%x: memref<1x1x16xi8>, %y: memref<1x1x16xi8>) {
  schedule.for %i = 0 to 4 {
    vta.stage "load" {
      vta.load_2d inp %x [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x16xi8>
    }
    vta.stage "store" {
      vta.store_2d out %y [sram = 0, dram = 0, x_size = 1, y_size = 1, x_stride = 1] : memref<1x1x16xi8>
    }
  }
  func.return
}

// -----

// Compute and store share queues: the store waits for the sum, the next sum for the store.

// CHECK-LABEL: func.func @add
// CHECK-NEXT:    vta.dep_push "store", "compute"
// CHECK-NEXT:    schedule.for %i = 0 to 4
// CHECK-NEXT:      vta.stage "compute" {
// CHECK-NEXT:        vta.dep_pop "store", "compute"
// CHECK-NEXT:        vta.load_2d acc
// CHECK-NEXT:        vta.alu add
// CHECK-NEXT:        vta.dep_push "compute", "store"
// CHECK-NEXT:      }
// CHECK-NEXT:      vta.stage "store" {
// CHECK-NEXT:        vta.dep_pop "compute", "store"
// CHECK-NEXT:        vta.store_2d out
// CHECK-NEXT:        vta.dep_push "store", "compute"
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    vta.dep_pop "store", "compute"
// CHECK-NEXT:    vta.sync
// CHECK-NEXT:    func.return
func.func @add(%x: memref<4x1x16xi32>, %y: memref<4x1x16xi8> {schedule.result}) {
  schedule.for %i = 0 to 4 {
    vta.stage "compute" {
      vta.load_2d acc %x [dram = %i, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<4x1x16xi32>
      vta.alu add imm 3 loops [] micro [] () -> (0, 0)
    }
    vta.stage "store" {
      vta.store_2d out %y [sram = 0, dram = %i, x_size = 1, y_size = 1, x_stride = 1] : memref<4x1x16xi8>
    }
  }
  func.return
}

// -----

// Where a buffer has copies in turn no token stands: the tokens of the whole follow the data.

// CHECK-LABEL: func.func @turns
// CHECK-NOT:     vta.dep_
// CHECK:         vta.sync dataflow
func.func @turns(%x: memref<1x1x16xi8>) {
  %own = memref.alloc() {vta.copies = 2 : i64} : memref<1x1x16xi8, "vta.inp">
  vta.stage "load" {
    vta.load_2d inp %x, %own [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x16xi8>, memref<1x1x16xi8, "vta.inp">
  }
  func.return
}

// -----

// A program that asks nothing of the VTA waits for nothing.

// CHECK-LABEL: func.func @idle
// CHECK-NEXT:    func.return
func.func @idle() {
  func.return
}
