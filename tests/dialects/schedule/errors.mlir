// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// Every message of the schedule dialect: attributes, loops, blocks, directives.

// Attributes.
func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  // expected-error @+1 {{unknown loop kind 'warp'; the kinds are serial, unrolled, vectorized, cthread, blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z}}
  schedule.for %i = 0 to 4 kind "warp" {
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{an iteration variable has extent 0; at least 1 is required}}
    schedule.block "b" <spatial 0> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{the pad value of an access is a number, not "zero"}}
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0), pad "zero"> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

// Loops.
func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  // expected-error @+1 {{a schedule loop starts at 0}}
  schedule.for %i = 1 to 4 {
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  // expected-error @+1 {{'schedule.for' does not verify: loop runs 0 times; at least 1 is required}}
  schedule.for %i = 0 to 0 {
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

"func.func"() ({
^bb0(%x: memref<4xi32>, %y: memref<4xi32>):
  // expected-error @+1 {{'schedule.for' does not verify: a loop body takes exactly one argument, its index induction variable}}
  "schedule.for"() ({
  ^bb0(%i: index, %j: index):
    "schedule.block"(%i, %x, %y) <{operandSegmentSizes = array<i32: 1, 1, 1>, sym_name = "b", domain = #schedule.iterations<spatial 4>, bindings = affine_map<(d0) -> (d0)>, accesses = [#schedule.access<(d0) -> (d0)>, #schedule.access<(d0) -> (d0)>]}> ({
    ^bb0(%v: i32):
      "schedule.yield"(%v) : (i32) -> ()
    }) : (index, memref<4xi32>, memref<4xi32>) -> ()
  }) {extent = 4 : i64, kind = #schedule.kind<"serial">} : () -> ()
  "func.return"() : () -> ()
}) {sym_name = "f", function_type = (memref<4xi32>, memref<4xi32>) -> ()} : () -> ()

// -----

// Blocks.
func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: bindings take 2 loops; the block names 1}}
    schedule.block "b" <spatial 4> = (d0, d1) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: bindings give 2 values; the domain has 1 variables}}
    schedule.block "b" <spatial 4> = (d0) -> (d0, d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: the guard takes 2 loops; the block names 1}}
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      where (d0, d1) : (d0 + d1 >= 0)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

"func.func"() ({
^bb0(%x: memref<4xi32>, %y: memref<4xi32>):
  "schedule.for"() ({
  ^bb0(%i: index):
    // expected-error @+1 {{'schedule.block' does not verify: 1 accesses for 2 buffers; one each is required}}
    "schedule.block"(%i, %x, %y) <{operandSegmentSizes = array<i32: 1, 1, 1>, sym_name = "b", domain = #schedule.iterations<spatial 4>, bindings = affine_map<(d0) -> (d0)>, accesses = [#schedule.access<(d0) -> (d0)>]}> ({
    ^bb0(%v: i32):
      "schedule.yield"(%v) : (i32) -> ()
    }) : (index, memref<4xi32>, memref<4xi32>) -> ()
  }) {extent = 4 : i64, kind = #schedule.kind<"serial">} : () -> ()
  "func.return"() : () -> ()
}) {sym_name = "f", function_type = (memref<4xi32>, memref<4xi32>) -> ()} : () -> ()

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: access #0 maps 2 variables to 1 indices; the block has 1 variables and the buffer rank 1}}
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0, d1) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: access #1 maps 1 variables to 2 indices; the block has 1 variables and the buffer rank 1}}
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0, d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: the output of a block cannot be padded}}
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0), pad 0 : i32> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: the body takes (i32, i32); the inputs give (i32)}}
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32, %acc: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: the body takes (i32); the inputs and the accumulator give (i32, i32)}}
    schedule.block "b" <spatial 4, reduction 1> = (d0) -> (d0, 0)(%i)
      reads %x<(d0, d1) -> (d0)> : memref<4xi32>
      writes %y<(d0, d1) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: the body must end with schedule.yield of i32, the output's element type}}
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      %w = arith.extsi %v : i32 to i64
      schedule.yield %w : i64
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: init must be a number of type i32 on a block with a reduction}}
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %y<(d0) -> (d0)> : memref<4xi32>
      init 0 : i32 {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

func.func @f(%x: memref<4xi32>, %y: memref<4xi32>) {
  schedule.for %i = 0 to 4 {
    // expected-error @+1 {{'schedule.block' does not verify: init must be a number of type i32 on a block with a reduction}}
    schedule.block "b" <spatial 4, reduction 1> = (d0) -> (d0, 0)(%i)
      reads %x<(d0, d1) -> (d0)> : memref<4xi32>
      writes %y<(d0, d1) -> (d0)> : memref<4xi32>
      init 0 : i8 {
    ^bb0(%v: i32, %acc: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

// Directives.
schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{'schedule.split' does not verify: split takes either a factor or nparts}}
  %o, %n = schedule.split %i
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{'schedule.split' does not verify: split takes either a factor or nparts}}
  %o, %n = schedule.split %i factor 2 nparts 2
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{'schedule.split' does not verify: unknown tail strategy 'drop'; it is one of error, guard, peel}}
  %o, %n = schedule.split %i factor 2 tail "drop"
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{'schedule.cache_read' does not verify: unknown scope 'l2'; the scopes are global, vta.inp, vta.wgt, vta.acc, shared, wmma.matrix_a, wmma.matrix_b, wmma.accumulator, local}}
  %c = schedule.cache_read %b, 0, "l2"
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{'schedule.cache_write' does not verify: unknown scope 'l2'; the scopes are global, vta.inp, vta.wgt, vta.acc, shared, wmma.matrix_a, wmma.matrix_b, wmma.accumulator, local}}
  %c = schedule.cache_write %b, 0, "l2"
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{'schedule.set_scope' does not verify: unknown scope 'l2'; the scopes are global, vta.inp, vta.wgt, vta.acc, shared, wmma.matrix_a, wmma.matrix_b, wmma.accumulator, local}}
  schedule.set_scope %b, 0, "l2" : !schedule.block
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{'schedule.bind' does not verify: unknown thread 'serial'; a loop binds to one of cthread, blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z}}
  schedule.bind %i, "serial"
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{operand is used with type !schedule.loop, but has been previously used or defined with type !schedule.block}}
  schedule.unroll %b
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  %x = schedule.get_buffer "x"
  // expected-error @+1 {{Unexpected attribute !schedule.buffer}}
  schedule.annotate %x, "note" = unit : !schedule.buffer
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  // expected-error @+1 {{0 copies; at least 1 is required}}
  schedule.double_buffer %b, 0 : !schedule.block
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  // expected-error @+1 {{[0, 0] is no permutation of the dimensions 0 to 1}}
  schedule.transform_layout %b, [0, 0]
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  // expected-error @+1 {{factor 8 and offset 8; 0 <= offset < factor is required}}
  schedule.storage_align %b, 0 factor 8 offset 8
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  // expected-error @+1 {{a swizzle of 48 bytes; 32, 64 or 128 are possible, and 16 with panels}}
  schedule.swizzle %b bytes 48
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  // expected-error @+1 {{a swizzle of 16 bytes, one chunk: with `panels` rows are cut into columns of chunks}}
  schedule.swizzle %b bytes 16
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{1 stages; a pipeline has at least 2}}
  schedule.pipeline %i stages 1
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{async is "bulk"; "cp.async" or "tma" is possible}}
  schedule.pipeline %i stages 2 async "bulk"
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{0 producers and 8 consumers; at least one warp of each is required}}
  schedule.specialize %i producers 0 consumers 8
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  %i = schedule.get_loop %b "i"
  // expected-error @+1 {{groups of 0 rows; at least 1 is required}}
  schedule.rasterize %i, %i group 0
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  // expected-error @+1 {{tile [16, 16]; three positive sizes, m, n and k, are required}}
  %x, %y, %z = schedule.implicit_gemm %b, [16, 16]
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  // expected-error @+1 {{order [0, 2, 2] is no permutation of the variables 0 to 2}}
  %x, %y, %z = schedule.implicit_gemm %b, [16, 16, 16] order [0, 2, 2]
}

// -----

schedule.script @f {
  %b = schedule.get_block "b"
  // expected-error @+1 {{groups are arrays of i64 that are not empty}}
  schedule.fuse_variables %b, [array<i64>]
}

// -----

// expected-error @+1 {{'schedule.get_block' does not verify: 'schedule.get_block' expects parent op 'schedule.script'}}
%b = schedule.get_block "x"
schedule.script @f {
  %i = schedule.get_loop %b "i0"
}
