// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// Every message of the vta dialect's verifiers and parsers.

// expected-error @+1 {{a hardware loop of extent 0; zero trips would run 16384 times}}
vta.gemm reset loops [<0, 1, 0, 0>] micro [] () -> (0, 0, 0)

// -----

// expected-error @+1 {{a uop_loop has 4 values: extent, dst, src, wgt; found 2}}
vta.gemm reset loops [<3, 1>] micro [] () -> (0, 0, 0)

// -----

// expected-error @+1 {{3 hardware loops; the hardware has 2}}
vta.gemm reset loops [<2, 1, 0, 0>, <2, 2, 0, 0>, <2, 4, 0, 0>] micro [] () -> (0, 0, 0)

// -----

// expected-error @+1 {{a micro-op loop of extent 0: a kernel needs at least one micro-op}}
vta.gemm reset loops [] micro [0] (d0) -> (d0, 0, 0)

// -----

// expected-error @+1 {{indices take 1 micro-op loops and 0 captures; the kernel has 0 and 0}}
vta.gemm reset loops [] micro [] (d0) -> (d0, 0, 0)

// -----

func.func @captures(%t: index) {
  // expected-error @+1 {{indices take 0 micro-op loops and 0 captures; the kernel has 0 and 1}}
  vta.gemm reset captures(%t) loops [] micro [] () -> (0, 0, 0)
  func.return
}

// -----

// expected-error @+1 {{indices give 2 values; expected dst, src, wgt}}
vta.gemm reset loops [] micro [] () -> (0, 0)

// -----

func.func @buffers(%a: memref<4x1x16xi32, "vta.acc">) {
  // expected-error @+1 {{1 buffers; expected none or one each for dst, src}}
  vta.alu add on(%a : memref<4x1x16xi32, "vta.acc">) loops [] micro [] () -> (0, 1)
  func.return
}

// -----

// expected-error @+1 {{unknown ALU opcode 'div'; it is one of min, max, add, shr, mul}}
vta.alu div loops [] micro [] () -> (0, 1)

// -----

// expected-error @+1 {{an ALU kernel with an immediate must have src equal to dst}}
vta.alu add imm 1 loops [] micro [] () -> (0, 1)

// -----

// expected-error @+1 {{an ALU kernel with an immediate must have src equal to dst}}
vta.alu add imm 1 loops [<4, 1, 2, 0>] micro [] () -> (0, 0)

// -----

func.func @load_memory(%a: memref<4x1x16xi8>) {
  // expected-error @+1 {{unknown memory 'out'; it is one of inp, wgt, acc}}
  vta.load_2d out %a [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<4x1x16xi8>
  func.return
}

// -----

func.func @store_memory(%a: memref<4x1x16xi8>) {
  // expected-error @+1 {{unknown memory 'acc'; it is one of out}}
  vta.store_2d acc %a [sram = 0, dram = 0, x_size = 1, y_size = 1, x_stride = 1] : memref<4x1x16xi8>
  func.return
}

// -----

func.func @amounts(%a: memref<4x1x16xi8>) {
  // expected-error @+1 {{expected 5 amounts (sram, dram, x_size, y_size, x_stride), found 2}}
  "vta.store_2d"(%a) <{memory = "out", static = array<i64: 0, 0>, operandSegmentSizes = array<i32: 1, 0, 0>}> : (memref<4x1x16xi8>) -> ()
  func.return
}

// -----

func.func @dynamic_amounts(%a: memref<4x1x16xi8>, %i: index) {
  // expected-error @+1 {{expected one dynamic operand per dynamic amount}}
  "vta.store_2d"(%a, %i) <{memory = "out", static = array<i64: 0, 0, 1, 1, 1>, operandSegmentSizes = array<i32: 1, 0, 1>}> : (memref<4x1x16xi8>, index) -> ()
  func.return
}

// -----

// expected-error @+1 {{unknown stage 'fetch'; the stages are load, compute, store}}
vta.stage "fetch" {
  vta.sync
}

// -----

// expected-error @+1 {{unknown stage 'fetch'; the stages are load, compute, store}}
vta.dep_push "fetch", "compute"

// -----

// expected-error @+1 {{no token queue from load to store: queues join load with compute and compute with store}}
vta.dep_push "load", "store"

// -----

// expected-error @+1 {{no token queue from compute to compute: queues join load with compute and compute with store}}
vta.dep_pop "compute", "compute"
