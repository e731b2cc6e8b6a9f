// RUN: vtac-opt %s -p convert-schedule-to-scf --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p convert-schedule-to-scf,convert-schedule-to-scf --split-input-file --verify-diagnostics | filecheck %s

// Loops as scf.for, with bounds at the start of the function, each number once; what a stage groups and what a loop of
// one iteration holds stand where these stood. Attributes of loops stay.

// CHECK-LABEL: func.func @host
// CHECK-SAME: (%x: memref<8x16xi32>) {
// CHECK-NEXT:   %c2 = arith.constant 2 : index
// CHECK-NEXT:   %c0 = arith.constant 0 : index
// CHECK-NEXT:   %c1 = arith.constant 1 : index
// CHECK-NEXT:   %c4 = arith.constant 4 : index
// CHECK-NEXT:   scf.for %o = %c0 to %c4 step %c1 {
// CHECK-NEXT:     scf.for %i = %c0 to %c2 step %c1 {
// CHECK-NEXT:       %row = arith.muli %o, %c2 : index
// CHECK-NEXT:       %place = arith.addi %row, %c0 : index
// CHECK-NEXT:       vta.load_2d acc %x [dram = %place, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = %i] : memref<8x16xi32>
// CHECK-NEXT:     } {unroll}
// CHECK-NEXT:   }
// CHECK-NEXT:   vta.sync
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @host(%x: memref<8x16xi32>) {
  schedule.for %o = 0 to 4 {
    schedule.for %one = 0 to 1 {
      schedule.for %i = 0 to 2 attributes {unroll} {
        %two = arith.constant 2 : index
        %row = arith.muli %o, %two : index
        %place = arith.addi %row, %one : index
        vta.stage "load" {
          vta.load_2d acc %x [dram = %place, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = %i] : memref<8x16xi32>
        }
      }
    }
  }
  vta.sync
  func.return
}

// -----

func.func @gpu_loop() {
  // expected-error @+1 {{loop 't' is bound to threadIdx.x, an index of CUDA kernels: bind it to cthread, the VTA's virtual threads, or compile for target cuda}}
  schedule.for %t = 0 to 4 kind "threadIdx.x" {
    vta.sync
  }
  func.return
}

// -----

func.func @virtual_threads() {
  // expected-error @+1 {{loop 't' still stands for virtual threads: it is no host loop}}
  schedule.for %t = 0 to 2 kind "cthread" {
    vta.sync
  }
  func.return
}
