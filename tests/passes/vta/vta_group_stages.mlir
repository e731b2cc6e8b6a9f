// RUN: vtac-opt %s -p vta-group-stages --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p vta-group-stages,vta-group-stages --split-input-file --verify-diagnostics | filecheck %s

// A loop in which units alternate holds stages; a loop of one iteration is what it holds.

// CHECK-LABEL: func.func @copy
// CHECK-NEXT:    schedule.for %i = 0 to 4
// CHECK-NEXT:      vta.stage "load" {
// CHECK-NEXT:        vta.load_2d inp
// CHECK-NEXT:      }
// CHECK-NEXT:      vta.stage "store" {
// CHECK-NEXT:        vta.store_2d out
func.func @copy(%x: memref<1x1x16xi8>, %y: memref<1x1x16xi8>) {
  schedule.for %i = 0 to 4 {
    schedule.for %once = 0 to 1 {
      vta.load_2d inp %x [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x16xi8>
    }
    vta.store_2d out %y [sram = 0, dram = 0, x_size = 1, y_size = 1, x_stride = 1] : memref<1x1x16xi8>
  }
  func.return
}

// -----

// What one unit does in a row is one stage, loops included; accumulators are loaded by compute. Host
// values stand before the stages that use them, and a loop of virtual threads is never within a stage.

// CHECK-LABEL: func.func @threads
// CHECK-NEXT:    schedule.for %i = 0 to 2 {
// CHECK-NEXT:      schedule.for %t = 0 to 2 kind "cthread" {
// CHECK-NEXT:        %own = memref.alloc()
// CHECK-NEXT:        %at = affine.apply
// CHECK-NEXT:        vta.stage "compute" {
// CHECK-NEXT:          vta.load_2d acc
// CHECK-NEXT:          vta.alu
// CHECK-NEXT:        }
// CHECK-NEXT:        vta.stage "store" {
// CHECK-NEXT:          vta.store_2d out
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

func.func @unmapped(%a: memref<4xi32>, %b: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{block 'host' is mapped to no unit of the VTA: it computes in DRAM; copy its operands with cache_read and its result with cache_write, or set_scope 'vta.acc', then give a loop of it to a unit with dma_copy, alu or tensorize}}
    schedule.block "host" <spatial 4> = (d0) -> (d0)(%i)
      reads %a<(d0) -> (d0)> : memref<4xi32>
      writes %b<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%x: i32):
      schedule.yield %x : i32
    }
  }
  func.return
}

// -----

// A kernel that another function calls has the stages and tokens of its caller.

// CHECK-LABEL: func.func private @kernel
// CHECK-NEXT:    vta.store_2d out
// CHECK-LABEL: func.func @program
// CHECK-NEXT:    func.call @kernel
// CHECK-NEXT:    vta.sync dataflow
func.func private @kernel(%y: memref<4x1x16xi8>) {
  vta.store_2d out %y [sram = 0, dram = 0, x_size = 4, y_size = 1, x_stride = 4] : memref<4x1x16xi8>
  func.return
}
func.func @program(%y: memref<4x1x16xi8>) {
  func.call @kernel(%y) : (memref<4x1x16xi8>) -> ()
  vta.sync dataflow
  func.return
}

// -----

func.func private @kernel(%y: memref<4x1x16xi8>) {
  vta.store_2d out %y [sram = 0, dram = 0, x_size = 4, y_size = 1, x_stride = 4] : memref<4x1x16xi8>
  func.return
}
func.func @program(%y: memref<4x1x16xi8>) {
  // expected-error @+1 {{'program' calls 'kernel' and has no tokens: a function that calls kernels has its own, or ends with vta.sync dataflow}}
  func.call @kernel(%y) : (memref<4x1x16xi8>) -> ()
  func.return
}
