// RUN: vtac-opt %s -p convert-linalg-to-schedule --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p convert-linalg-to-schedule,convert-linalg-to-schedule --split-input-file --verify-diagnostics | filecheck %s

// A product from a constant fill: one nest over the op's iterators in their order, the fill is the block's init. The
// result is a last argument.

// CHECK-LABEL: func.func @product
// CHECK-SAME: (%a: memref<3x4xi32>, %b: memref<4x5xi32>, %c: memref<3x5xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i0 = 0 to 3 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 5 {
// CHECK-NEXT:       schedule.for %r2 = 0 to 4 {
// CHECK-NEXT:         schedule.block "c" <spatial 3, spatial 5, reduction 4> = (d0, d1, d2) -> (d0, d1, d2)(%i0, %i1, %r2) from "linalg.matmul"
// CHECK-NEXT:           reads %a<(d0, d1, d2) -> (d0, d2)> : memref<3x4xi32>
// CHECK-NEXT:           reads %b<(d0, d1, d2) -> (d2, d1)> : memref<4x5xi32>
// CHECK-NEXT:           writes %c<(d0, d1, d2) -> (d0, d1)> : memref<3x5xi32>
// CHECK-NEXT:           init 0 : i32 {
// CHECK-NEXT:         ^bb0(%0: i32, %1: i32, %2: i32):
// CHECK-NEXT:           %3 = arith.muli %0, %1 : i32
// CHECK-NEXT:           %4 = arith.addi %2, %3 : i32
// CHECK-NEXT:           schedule.yield %4 : i32
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @product(%a: tensor<3x4xi32>, %b: tensor<4x5xi32>) -> tensor<3x5xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<3x5xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<3x5xi32>) -> tensor<3x5xi32>
  %c = linalg.matmul ins(%a, %b : tensor<3x4xi32>, tensor<4x5xi32>) outs(%init : tensor<3x5xi32>) -> tensor<3x5xi32>
  func.return %c : tensor<3x5xi32>
}

// Arguments and results that are parts of larger buffers have the strides that place-tensors has given them.

// CHECK-LABEL: func.func @parts
// CHECK-SAME: (%a: memref<2x3xi8, strided<[12, 2], offset: ?>>, %b: memref<2x3xi8>,
// CHECK-SAME:  memref<2x3xi8, strided<[9, 1], offset: ?>> {schedule.result}) {
func.func @parts(%a: tensor<2x3xi8> {packing.strides = array<i64: 12, 2>}, %b: tensor<2x3xi8>) -> (tensor<2x3xi8> {packing.strides = array<i64: 9, 1>}) {
  %e = tensor.empty() : tensor<2x3xi8>
  %c = linalg.add ins(%a, %b : tensor<2x3xi8>, tensor<2x3xi8>) outs(%e : tensor<2x3xi8>) -> tensor<2x3xi8>
  func.return %c : tensor<2x3xi8>
}

// -----

// expected-error @+1 {{packing.strides has 1 number for tensor<2x3xi8>: one per dimension is required}}
func.func @too_few_strides(%a: tensor<2x3xi8> {packing.strides = array<i64: 12>}) -> tensor<2x3xi8> {
  %e = tensor.empty() : tensor<2x3xi8>
  %c = linalg.add ins(%a, %a : tensor<2x3xi8>, tensor<2x3xi8>) outs(%e : tensor<2x3xi8>) -> tensor<2x3xi8>
  func.return %c : tensor<2x3xi8>
}

// -----

// A reduction that goes on from a sum that nothing else reads works in its buffer; one that goes on from an argument
// starts from a copy of it.

// CHECK-LABEL: func.func @goes_on
// CHECK-SAME: (%a: memref<4x8xi32>, %b: memref<4xi32>, %r: memref<4xi32> {schedule.result}) {
// CHECK-NEXT:   %first = memref.alloc() : memref<4xi32>
// CHECK-NEXT:   schedule.for %i0 = 0 to 4 {
// CHECK-NEXT:     schedule.block "first_init" <spatial 4> = (d0) -> (d0)(%i0)
// CHECK-NEXT:       reads %b<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       writes %first<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:     ^bb0(%0: i32):
// CHECK-NEXT:       schedule.yield %0 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 4 {
// CHECK-NEXT:     schedule.for %r1 = 0 to 8 {
// CHECK-NEXT:       schedule.block "first" <spatial 4, reduction 8> = (d0, d1) -> (d0, d1)(%i0_1, %r1) from "linalg.generic"
// CHECK-NEXT:         reads %a<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
// CHECK-NEXT:         writes %first<(d0, d1) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:       ^bb0(%x: i32, %s: i32):
// CHECK-NEXT:         %y = arith.addi %s, %x : i32
// CHECK-NEXT:         schedule.yield %y : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_2 = 0 to 4 {
// CHECK-NEXT:     schedule.for %r1_1 = 0 to 8 {
// CHECK-NEXT:       schedule.block "second" <spatial 4, reduction 8> = (d0, d1) -> (d0, d1)(%i0_2, %r1_1) from "linalg.generic"
// CHECK-NEXT:         reads %a<(d0, d1) -> (d0, d1)> : memref<4x8xi32>
// CHECK-NEXT:         writes %first<(d0, d1) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:       ^bb0(%x_1: i32, %s_1: i32):
// CHECK-NEXT:         %y_1 = arith.maxsi %s_1, %x_1 : i32
// CHECK-NEXT:         schedule.yield %y_1 : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_3 = 0 to 4 {
// CHECK-NEXT:     schedule.block "r" <spatial 4> = (d0) -> (d0)(%i0_3) from "linalg.generic"
// CHECK-NEXT:       reads %first<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       writes %r<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:     ^bb0(%x_2: i32):
// CHECK-NEXT:       schedule.yield %x_2 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @goes_on(%a: tensor<4x8xi32>, %b: tensor<4xi32>) -> tensor<4xi32> {
  %first = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%a : tensor<4x8xi32>) outs(%b : tensor<4xi32>) {
  ^bb0(%x: i32, %s: i32):
    %y = arith.addi %s, %x : i32
    linalg.yield %y : i32
  } -> tensor<4xi32>
  %second = linalg.generic {indexing_maps = [affine_map<(i, k) -> (i, k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%a : tensor<4x8xi32>) outs(%first : tensor<4xi32>) {
  ^bb0(%x: i32, %s: i32):
    %y = arith.maxsi %s, %x : i32
    linalg.yield %y : i32
  } -> tensor<4xi32>
  %out = tensor.empty() : tensor<4xi32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%second : tensor<4xi32>) outs(%out : tensor<4xi32>) {
  ^bb0(%x: i32, %o: i32):
    linalg.yield %x : i32
  } -> tensor<4xi32>
  func.return %r : tensor<4xi32>
}

// -----

// A padded copy reads the pad value outside of its source. A slice is read where it lies; returned, it is copied.

// CHECK-LABEL: func.func @views
// CHECK-SAME: (%x: memref<4xi8>, %r: memref<3xi8> {schedule.result}, %t: memref<2xi8> {schedule.result}) {
// CHECK-NEXT:   %p = memref.alloc() : memref<7xi8>
// CHECK-NEXT:   schedule.for %i0 = 0 to 7 {
// CHECK-NEXT:     schedule.block "p" <spatial 7> = (d0) -> (d0)(%i0) from "tensor.pad"
// CHECK-NEXT:       reads %x<(d0) -> ((d0 + -1)), pad 5 : i8> : memref<4xi8>
// CHECK-NEXT:       writes %p<(d0) -> (d0)> : memref<7xi8> {
// CHECK-NEXT:     ^bb0(%0: i8):
// CHECK-NEXT:       schedule.yield %0 : i8
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 3 {
// CHECK-NEXT:     schedule.block "r" <spatial 3> = (d0) -> (d0)(%i0_1) from "linalg.generic"
// CHECK-NEXT:       reads %p<(d0) -> ((d0 * 2))> : memref<7xi8>
// CHECK-NEXT:       writes %r<(d0) -> (d0)> : memref<3xi8> {
// CHECK-NEXT:     ^bb0(%v: i8):
// CHECK-NEXT:       schedule.yield %v : i8
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   %t_1 = memref.alloc() : memref<2xi8>
// CHECK-NEXT:   schedule.for %i0_2 = 0 to 2 {
// CHECK-NEXT:     schedule.block "t" <spatial 2> = (d0) -> (d0)(%i0_2)
// CHECK-NEXT:       reads %p<(d0) -> ((d0 + 1))> : memref<7xi8>
// CHECK-NEXT:       writes %t_1<(d0) -> (d0)> : memref<2xi8> {
// CHECK-NEXT:     ^bb0(%1: i8):
// CHECK-NEXT:       schedule.yield %1 : i8
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_3 = 0 to 2 {
// CHECK-NEXT:     schedule.block "t_1" <spatial 2> = (d0) -> (d0)(%i0_3)
// CHECK-NEXT:       reads %t_1<(d0) -> (d0)> : memref<2xi8>
// CHECK-NEXT:       writes %t<(d0) -> (d0)> : memref<2xi8> {
// CHECK-NEXT:     ^bb0(%2: i8):
// CHECK-NEXT:       schedule.yield %2 : i8
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @views(%x: tensor<4xi8>) -> (tensor<3xi8>, tensor<2xi8>) {
  %five = arith.constant 5 : i8
  %p = tensor.pad %x low[1] high[2] {
  ^bb0(%i: index):
    tensor.yield %five : i8
  } : tensor<4xi8> to tensor<7xi8>
  %s = tensor.extract_slice %p[0] [3] [2] : tensor<7xi8> to tensor<3xi8>
  %e = tensor.empty() : tensor<3xi8>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%s : tensor<3xi8>) outs(%e : tensor<3xi8>) {
  ^bb0(%v: i8, %o: i8):
    linalg.yield %v : i8
  } -> tensor<3xi8>
  %t = tensor.extract_slice %p[1] [2] [1] : tensor<7xi8> to tensor<2xi8>
  func.return %r, %t : tensor<3xi8>, tensor<2xi8>
}

// -----

// A dense constant that is read is a last argument with its contents; scalars are constants of the body. A fill that is
// read as a whole is stored, an output that is read is an input too.

// CHECK-LABEL: func.func @constants
// CHECK-SAME: (%x: memref<3xi32>, %z: memref<3xi32> {schedule.result}, %bias: memref<3xi32> {schedule.constant = dense<[1, 2, 3]> : tensor<3xi32>}) {
// CHECK-NEXT:   %y = memref.alloc() : memref<3xi32>
// CHECK-NEXT:   %sevens = memref.alloc() : memref<3xi32>
// CHECK-NEXT:   schedule.for %i0 = 0 to 3 {
// CHECK-NEXT:     schedule.block "sevens" <spatial 3> = (d0) -> (d0)(%i0) from "linalg.fill"
// CHECK-NEXT:       writes %sevens<(d0) -> (d0)> : memref<3xi32> {
// CHECK-NEXT:       %0 = arith.constant 7 : i32
// CHECK-NEXT:       schedule.yield %0 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 3 {
// CHECK-NEXT:     schedule.block "y_init" <spatial 3> = (d0) -> (d0)(%i0_1)
// CHECK-NEXT:       reads %sevens<(d0) -> (d0)> : memref<3xi32>
// CHECK-NEXT:       writes %y<(d0) -> (d0)> : memref<3xi32> {
// CHECK-NEXT:     ^bb0(%1: i32):
// CHECK-NEXT:       schedule.yield %1 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_2 = 0 to 3 {
// CHECK-NEXT:     schedule.block "y" <spatial 3> = (d0) -> (d0)(%i0_2) from "linalg.generic"
// CHECK-NEXT:       reads %bias<(d0) -> (d0)> : memref<3xi32>
// CHECK-NEXT:       reads %y<(d0) -> (d0)> : memref<3xi32>
// CHECK-NEXT:       writes %y<(d0) -> (d0)> : memref<3xi32> {
// CHECK-NEXT:     ^bb0(%b: i32, %o: i32):
// CHECK-NEXT:       %s = arith.constant 7 : i32
// CHECK-NEXT:       %t = arith.addi %b, %s : i32
// CHECK-NEXT:       %u = arith.addi %t, %o : i32
// CHECK-NEXT:       schedule.yield %u : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_3 = 0 to 3 {
// CHECK-NEXT:     schedule.block "z" <spatial 3> = (d0) -> (d0)(%i0_3) from "linalg.generic"
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<3xi32>
// CHECK-NEXT:       reads %y<(d0) -> (d0)> : memref<3xi32>
// CHECK-NEXT:       writes %z<(d0) -> (d0)> : memref<3xi32> {
// CHECK-NEXT:     ^bb0(%b_1: i32, %s_1: i32):
// CHECK-NEXT:       %t_1 = arith.addi %b_1, %s_1 : i32
// CHECK-NEXT:       schedule.yield %t_1 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @constants(%x: tensor<3xi32>) -> tensor<3xi32> {
  %bias = arith.constant dense<[1, 2, 3]> : tensor<3xi32>
  %seven = arith.constant 7 : i32
  %empty = tensor.empty() : tensor<3xi32>
  %sevens = linalg.fill ins(%seven : i32) outs(%empty : tensor<3xi32>) -> tensor<3xi32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%bias, %seven : tensor<3xi32>, i32) outs(%sevens : tensor<3xi32>) {
  ^bb0(%b: i32, %s: i32, %o: i32):
    %t = arith.addi %b, %s : i32
    %u = arith.addi %t, %o : i32
    linalg.yield %u : i32
  } -> tensor<3xi32>
  %z = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x, %y : tensor<3xi32>, tensor<3xi32>) outs(%empty : tensor<3xi32>) {
  ^bb0(%b: i32, %s: i32, %o: i32):
    %t = arith.addi %b, %s : i32
    linalg.yield %t : i32
  } -> tensor<3xi32>
  func.return %z : tensor<3xi32>
}

// -----

// A broadcast is a copy that leaves the added dimensions out.

// CHECK-LABEL: func.func @broadcast
// CHECK-SAME: (%x: memref<4xi32>, %y: memref<3x4xi32> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i0 = 0 to 3 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 4 {
// CHECK-NEXT:       schedule.block "y" <spatial 3, spatial 4> = (d0, d1) -> (d0, d1)(%i0, %i1) from "linalg.broadcast"
// CHECK-NEXT:         reads %x<(d0, d1) -> (d1)> : memref<4xi32>
// CHECK-NEXT:         writes %y<(d0, d1) -> (d0, d1)> : memref<3x4xi32> {
// CHECK-NEXT:       ^bb0(%0: i32):
// CHECK-NEXT:         schedule.yield %0 : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @broadcast(%x: tensor<4xi32>) -> tensor<3x4xi32> {
  %e = tensor.empty() : tensor<3x4xi32>
  %y = linalg.broadcast ins(%x : tensor<4xi32>) outs(%e : tensor<3x4xi32>) dimensions = [0]
  func.return %y : tensor<3x4xi32>
}

// -----

// packing.pack and packing.unpack are copies whose loops run over the packed tensor: incomplete tiles are filled with
// zeros on the way in, and guarded on the way out.

// CHECK-LABEL: func.func @incomplete
// CHECK-SAME: (%x: memref<10x20xf16>, %y: memref<10x20xf16> {schedule.result}) {
// CHECK-NEXT:   %p = memref.alloc() : memref<3x3x8x4xf16>
// CHECK-NEXT:   schedule.for %i0 = 0 to 3 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 3 {
// CHECK-NEXT:       schedule.for %i2 = 0 to 8 {
// CHECK-NEXT:         schedule.for %i3 = 0 to 4 {
// CHECK-NEXT:           schedule.block "p" <spatial 3, spatial 3, spatial 8, spatial 4> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0, %i1, %i2, %i3) from "packing.pack"
// CHECK-NEXT:             reads %x<(d0, d1, d2, d3) -> (((d1 * 4) + d3), ((d0 * 8) + d2)), pad 0.000000e+00 : f16> : memref<10x20xf16>
// CHECK-NEXT:             writes %p<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x3x8x4xf16> {
// CHECK-NEXT:           ^bb0(%0: f16):
// CHECK-NEXT:             schedule.yield %0 : f16
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i0_1 = 0 to 3 {
// CHECK-NEXT:     schedule.for %i1_1 = 0 to 3 {
// CHECK-NEXT:       schedule.for %i2_1 = 0 to 8 {
// CHECK-NEXT:         schedule.for %i3_1 = 0 to 4 {
// CHECK-NEXT:           schedule.block "y" <spatial 3, spatial 3, spatial 8, spatial 4> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0_1, %i1_1, %i2_1, %i3_1) from "packing.unpack"
// CHECK-NEXT:             where (d0, d1, d2, d3) : ((((d0 * -8) + (d2 * -1)) + 19) >= 0, (((d1 * -4) + (d3 * -1)) + 9) >= 0)
// CHECK-NEXT:             reads %p<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<3x3x8x4xf16>
// CHECK-NEXT:             writes %y<(d0, d1, d2, d3) -> (((d1 * 4) + d3), ((d0 * 8) + d2))> : memref<10x20xf16> {
// CHECK-NEXT:           ^bb0(%1: f16):
// CHECK-NEXT:             schedule.yield %1 : f16
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @incomplete(%x: tensor<10x20xf16>) -> tensor<10x20xf16> {
  %p = packing.pack %x dims [1, 0] tiles [8, 4] order [1, 0] : tensor<10x20xf16> to tensor<3x3x8x4xf16>
  %y = packing.unpack %p dims [1, 0] tiles [8, 4] order [1, 0] : tensor<3x3x8x4xf16> to tensor<10x20xf16>
  func.return %y : tensor<10x20xf16>
}

// -----

// CHECK-LABEL: func.func @whole
// CHECK-SAME: (%x: memref<16x32xi8>, %p: memref<4x2x16x4xi8> {schedule.result}) {
// CHECK-NEXT:   schedule.for %i0 = 0 to 4 {
// CHECK-NEXT:     schedule.for %i1 = 0 to 2 {
// CHECK-NEXT:       schedule.for %i2 = 0 to 16 {
// CHECK-NEXT:         schedule.for %i3 = 0 to 4 {
// CHECK-NEXT:           schedule.block "p" <spatial 4, spatial 2, spatial 16, spatial 4> = (d0, d1, d2, d3) -> (d0, d1, d2, d3)(%i0, %i1, %i2, %i3) from "packing.pack"
// CHECK-NEXT:             reads %x<(d0, d1, d2, d3) -> (((d0 * 4) + d3), ((d1 * 16) + d2))> : memref<16x32xi8>
// CHECK-NEXT:             writes %p<(d0, d1, d2, d3) -> (d0, d1, d2, d3)> : memref<4x2x16x4xi8> {
// CHECK-NEXT:           ^bb0(%0: i8):
// CHECK-NEXT:             schedule.yield %0 : i8
// CHECK-NEXT:           }
// CHECK-NEXT:         }
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @whole(%x: tensor<16x32xi8>) -> tensor<4x2x16x4xi8> {
  %p = packing.pack %x dims [1, 0] tiles [16, 4] order [0, 1] : tensor<16x32xi8> to tensor<4x2x16x4xi8>
  func.return %p : tensor<4x2x16x4xi8>
}

// -----

func.func @unsupported_op(%a: tensor<4xi32>) -> tensor<4xi32> {
  %one = arith.constant 1 : i32
  // expected-error @+1 {{op 'arith.addi' is not supported; it takes linalg ops, tensor.pad, tensor.extract_slice, packing.pack, packing.unpack, tensor.empty, memref.alloc, arith.constant and func.return: rewrite it as one of these}}
  %two = arith.addi %one, %one : i32
  func.return %a : tensor<4xi32>
}

// -----

#id = affine_map<(i) -> (i)>
// expected-error @+1 {{tensor<?xi32>: dynamic shapes; static ones are required}}
func.func @dynamic_shape(%a: tensor<?xi32>) -> tensor<?xi32> {
  func.return %a : tensor<?xi32>
}

// -----

// expected-error @+1 {{a function takes and returns tensors or memrefs, not i32}}
func.func @scalar_argument(%a: i32) -> i32 {
  func.return %a : i32
}

// -----

#id = affine_map<(i) -> (i)>
func.func @two_outputs(%a: tensor<4xi32>) -> tensor<4xi32> {
  %e = tensor.empty() : tensor<4xi32>
  // expected-error @+1 {{linalg.generic: 2 outputs; one is required: write one op per output}}
  %0, %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
    ins(%a : tensor<4xi32>) outs(%e, %e : tensor<4xi32>, tensor<4xi32>) {
  ^bb0(%x: i32, %o: i32, %p: i32):
    linalg.yield %x, %x : i32, i32
  } -> tensor<4xi32>, tensor<4xi32>
  func.return %0 : tensor<4xi32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @index_in_body(%a: tensor<4xi32>) -> tensor<4xindex> {
  %e = tensor.empty() : tensor<4xindex>
  // expected-error @+1 {{linalg.index in a body is not supported but in a causal mask of an attention that is fused; for padding use tensor.pad}}
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%a : tensor<4xi32>) outs(%e : tensor<4xindex>) {
  ^bb0(%x: i32, %o: index):
    %i = linalg.index 0 : index
    linalg.yield %i : index
  } -> tensor<4xindex>
  func.return %0 : tensor<4xindex>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @output_undefined(%a: tensor<4xi32>) -> tensor<4xi32> {
  %e = tensor.empty() : tensor<4xi32>
  // expected-error @+1 {{linalg.generic: its body reads the output, which tensor.empty leaves undefined: fill it first}}
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%a : tensor<4xi32>) outs(%e : tensor<4xi32>) {
  ^bb0(%x: i32, %o: i32):
    %s = arith.addi %x, %o : i32
    linalg.yield %s : i32
  } -> tensor<4xi32>
  func.return %0 : tensor<4xi32>
}

// -----

#id = affine_map<(i) -> (i)>
func.func @input_undefined() -> tensor<4xi32> {
  %hollow = tensor.empty() : tensor<4xi32>
  %e = tensor.empty() : tensor<4xi32>
  // expected-error @+1 {{linalg.generic: operand hollow has no contents here: it is not a function argument, a linalg result, a padded tensor or an allocation}}
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
    ins(%hollow : tensor<4xi32>) outs(%e : tensor<4xi32>) {
  ^bb0(%x: i32, %o: i32):
    linalg.yield %x : i32
  } -> tensor<4xi32>
  func.return %0 : tensor<4xi32>
}

// -----

func.func @pad_by_argument(%a: tensor<4xi8>) -> tensor<6xi8> {
  // expected-error @+1 {{tensor.pad: constant pad sizes and one constant pad value are required}}
  %0 = tensor.pad %a low[1] high[1] {
  ^bb0(%i: index):
    %x = tensor.extract %a[%i] : tensor<4xi8>
    tensor.yield %x : i8
  } : tensor<4xi8> to tensor<6xi8>
  func.return %0 : tensor<6xi8>
}

// -----

func.func @negative_padding(%a: tensor<4xi8>) -> tensor<4xi8> {
  %zero = arith.constant 0 : i8
  // expected-error @+1 {{tensor.pad: negative padding is not supported}}
  %0 = tensor.pad %a low[1] high[-1] {
  ^bb0(%i: index):
    tensor.yield %zero : i8
  } : tensor<4xi8> to tensor<4xi8>
  func.return %0 : tensor<4xi8>
}

// -----

func.func @slice_of_another_rank(%a: tensor<4x4xi32>) -> tensor<4xi32> {
  // expected-error @+1 {{tensor.extract_slice: constant offsets, sizes and strides, and a result of these sizes, are required}}
  %s = tensor.extract_slice %a[1, 0] [1, 4] [1, 1] : tensor<4x4xi32> to tensor<4xi32>
  func.return %s : tensor<4xi32>
}
