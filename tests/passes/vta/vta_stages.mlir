// RUN: vtac-opt %s -p vta-group-stages | filecheck %s --check-prefix=GROUPED
// RUN: vtac-opt %s -p vta-group-stages,vta-group-stages | filecheck %s --check-prefix=GROUPED
// RUN: vtac-opt %s -p vta-group-stages,vta-insert-dependences | filecheck %s --check-prefix=TOKENS

// A load and a store in a loop share no queue: an empty compute stage stands between them, and one more from
// the end of the loop to its start. What goes round the loop is pushed before it and popped behind it.

// GROUPED-LABEL: func.func @copy
// GROUPED-NEXT:    schedule.for %i = 0 to 4
// GROUPED-NEXT:      vta.stage "load" {
// GROUPED-NEXT:        vta.load_2d inp
// GROUPED-NEXT:      }
// GROUPED-NEXT:      vta.stage "store" {
// GROUPED-NEXT:        vta.store_2d out

// TOKENS-LABEL: func.func @copy
// TOKENS-NEXT:    vta.dep_push "compute", "load"
// TOKENS-NEXT:    schedule.for %i = 0 to 4
// TOKENS-NEXT:      vta.stage "load" {
// TOKENS-NEXT:        vta.dep_pop "compute", "load"
// TOKENS-NEXT:        vta.load_2d inp
// TOKENS-NEXT:        vta.dep_push "load", "compute"
// TOKENS-NEXT:      }
// TOKENS-NEXT:      vta.stage "compute" {
// TOKENS-NEXT:        vta.dep_pop "load", "compute"
// TOKENS-NEXT:        vta.dep_push "compute", "store"
// TOKENS-NEXT:      }
// TOKENS-NEXT:      vta.stage "store" {
// TOKENS-NEXT:        vta.dep_pop "compute", "store"
// TOKENS-NEXT:        vta.store_2d out
// TOKENS-NEXT:        vta.dep_push "store", "compute"
// TOKENS-NEXT:      }
// TOKENS-NEXT:      vta.stage "compute" {
// TOKENS-NEXT:        vta.dep_pop "store", "compute"
// TOKENS-NEXT:        vta.dep_push "compute", "load"
// TOKENS-NEXT:      }
// TOKENS-NEXT:    }
// TOKENS-NEXT:    vta.dep_pop "compute", "load"
// TOKENS-NEXT:    vta.sync
func.func @copy(%x: memref<1x1x16xi8>, %y: memref<1x1x16xi8>) {
  schedule.for %i = 0 to 4 {
    schedule.for %once = 0 to 1 {
      vta.load_2d inp %x [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x16xi8>
    }
    vta.store_2d out %y [sram = 0, dram = 0, x_size = 1, y_size = 1, x_stride = 1] : memref<1x1x16xi8>
  }
  func.return
}
