// RUN: vtac-opt %S/../../../examples/vta_vadd.mlir -p lower-to-vta | filecheck %s
// RUN: vtac-opt %S/../../../examples/vta_vadd.mlir -p 'lower-to-vta{phase=blocked},lower-to-vta' | filecheck %s
// RUN: vtac-opt %S/../../../examples/vta_vadd.mlir -p 'lower-to-vta{phase=units}' | filecheck %s --check-prefix=UNITS
// RUN: not vtac-opt %S/../../../examples/vta_vadd.mlir -p 'lower-to-vta{phase=nowhere}' 2>&1 | filecheck %s --check-prefix=UNKNOWN

// The passes that `vtac-opt --help-pass lower-to-vta` lists, in one; a phase names where to stop, and the rest
// can be run from there.

// CHECK-LABEL: func.func @vadd
// CHECK-NEXT:    vta.load_2d acc %A
// CHECK-NEXT:    vta.load_2d acc %B
// CHECK-NEXT:    vta.alu add
// CHECK-NEXT:    vta.dep_push "compute", "store"
// CHECK-NEXT:    vta.dep_pop "compute", "store"
// CHECK-NEXT:    vta.store_2d out %C
// CHECK-NEXT:    vta.sync
// CHECK-NEXT:    func.return
// CHECK-NOT:   schedule.script

// UNITS-LABEL: func.func @vadd
// UNITS:         memref.alloc() : memref<1x64x1x16xi32, "vta.acc">
// UNITS-NEXT:    vta.load_2d acc %A
// UNITS-NOT:     vta.sync

// UNKNOWN: no phase 'nowhere'; the phases are input, payload, scheduled, blocked, units, tokens, threads, vta
