// RUN: vtac-opt %s --split-input-file --verify-diagnostics

// Attributes that dialects declare: unknown, of another kind, where they do not belong.

func.func @copies() {
  // expected-error@below {{'memref.alloc' does not verify: vta.copies is "x"; an integer of at least 1 is required: copies of a buffer that loop iterations shall use in turn}}
  %a = memref.alloc() {vta.copies = "x"} : memref<8xi32, "vta.acc">
  func.return
}

// -----

func.func @no_copies() {
  // expected-error@below {{vta.copies is 0 : i64; an integer of at least 1 is required}}
  %a = memref.alloc() {vta.copies = 0 : i64} : memref<8xi32, "vta.acc">
  func.return
}

// -----

func.func @pitch() {
  // expected-error@below {{storage_align is "x"; an array of dimension, factor and offset, 0 <= offset < factor, is required}}
  %a = memref.alloc() {storage_align = "x"} : memref<8x8xf16, "shared">
  func.return
}

// -----

func.func @offset() {
  // expected-error@below {{storage_align is array<i64: 0, 8, 8>; an array of dimension, factor and offset}}
  %a = memref.alloc() {storage_align = array<i64: 0, 8, 8>} : memref<8x8xf16, "shared">
  func.return
}

// -----

func.func @scope() {
  // expected-error@below {{'memref.alloc' has a buffer in memory space 'sharde': unknown scope 'sharde'; the scopes are global, vta.inp, vta.wgt, vta.acc, shared,}}
  %a = memref.alloc() : memref<8x8xf16, "sharde">
  func.return
}

// -----

// expected-error@below {{'func.func' has a buffer in memory space 'vta.imp': unknown scope 'vta.imp'}}
func.func @argument_scope(%a: memref<8xi8, "vta.imp">) {
  func.return
}

// -----

func.func @loop() {
  // expected-error@below {{'schedule.for' does not verify: no dialect declares tensorise there; the nearest is tensorize; annotate keeps notes of your own in schedule.annotations}}
  schedule.for %i = 0 to 4 attributes {tensorise = "vta.gemm"} {
  }
  func.return
}

// -----

func.func @intrinsic() {
  // expected-error@below {{tensorize is 3 : i64; a string is required: the intrinsic that computes all the loop holds}}
  schedule.for %i = 0 to 4 attributes {tensorize = 3 : i64} {
  }
  func.return
}

// -----

func.func @stages() {
  // expected-error@below {{pipeline is 1 : i64; an integer of at least 2 is required}}
  schedule.for %i = 0 to 4 attributes {pipeline = 1 : i64} {
  }
  func.return
}

// -----

func.func @mark() {
  // expected-error@below {{dma_copy is true; no value is required}}
  schedule.for %i = 0 to 4 attributes {dma_copy = true} {
  }
  func.return
}

// -----

func.func @notes() {
  // expected-error@below {{schedule.annotations is "note"; a dictionary is required: notes of the user's own, by key}}
  schedule.for %i = 0 to 4 attributes {schedule.annotations = "note"} {
  }
  func.return
}

// -----

// expected-error@below {{'func.func' does not verify: wmma.grid is 3 : i64; an array of three positive sizes, x, y and z, is required: blocks of the kernel's launch}}
func.func @grid() attributes {wmma.grid = 3 : i64} {
  func.return
}

// -----

// expected-error@below {{wmma.block is array<i64: 32, 0, 1>; an array of three positive sizes}}
func.func @block() attributes {wmma.block = array<i64: 32, 0, 1>} {
  func.return
}

// -----

// expected-error@below {{'func.func' does not verify: vta.copies stands on memref.alloc only}}
func.func @elsewhere() attributes {vta.copies = 2 : i64} {
  func.return
}

// -----

// expected-error@below {{no dialect declares packing.devise there; the nearest is packing.device}}
func.func @unknown() attributes {packing.devise} {
  func.return
}

// -----

// expected-error@below {{'an argument of func.func' does not verify: schedule.result is 1 : i64; no value is required}}
func.func @result(%a: memref<8xi32> {schedule.result = 1 : i64}) {
  func.return
}

// -----

// expected-error@below {{'an argument of func.func' does not verify: schedule.constant is 1 : i64; a dense tensor is required}}
func.func @constant(%a: memref<8xi32> {schedule.constant = 1 : i64}) {
  func.return
}

// -----

// expected-error@below {{'a result of func.func' does not verify: schedule.result stands on an argument of func.func only}}
func.func @result_of(%a: i32) -> (i32 {schedule.result}) {
  func.return %a : i32
}

// -----

// Attributes of others are theirs.

func.func @foreign(%a: memref<8xi32, 3 : i32> {torch.name = "x"}) attributes {torch.kept = 3 : i64, note} {
  func.return
}
