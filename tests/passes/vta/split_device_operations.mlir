// RUN: vtac-opt %s -p split-device-operations | filecheck %s
// RUN: vtac-opt %s -p split-device-operations,split-device-operations | filecheck %s

// Each step of a body is an operation of its own. GEMM accumulates the i8 operand of a sum; a number that an
// immediate of 16 bits does not hold is a tensor. A maximum over windows is that of slices of the widened data.

// CHECK-LABEL: func.func @net
// CHECK:       func.func private @net_0
// CHECK:         %p = linalg.matmul
// CHECK:         [[SUM:%.*]] = linalg.generic {{.*}} ins(%p, %b : tensor<4x20xi32>, tensor<20xi32>)
// CHECK:           arith.addi
// CHECK-NEXT:      linalg.yield
// CHECK:         [[BOTH:%.*]] = linalg.generic {{.*}} ins(%r : tensor<4x20xi8>) outs([[SUM]] : tensor<4x20xi32>)
// CHECK:           arith.extsi
// CHECK-NEXT:      arith.addi
// CHECK:         [[SHIFTED:%.*]] = linalg.generic {{.*}} ins([[BOTH]] : tensor<4x20xi32>)
// CHECK:           arith.shrsi
// CHECK:         %number = arith.constant dense<100000> : tensor<i32>
// CHECK:         [[LEAST:%.*]] = linalg.generic {{.*}} ins([[SHIFTED]], %number : tensor<4x20xi32>, tensor<i32>)
// CHECK:           arith.minsi
// CHECK:         linalg.generic {{.*}} ins([[LEAST]] : tensor<4x20xi32>)
// CHECK:           arith.trunci
// CHECK:       func.func private @alone
// CHECK:         %number = arith.constant dense<-1048576> : tensor<i32>
// CHECK:         linalg.generic {{.*}} ins(%x, %number : tensor<4x20xi32>, tensor<i32>)
// CHECK:       func.func private @pool
// CHECK:         [[PADDED:%.*]] = tensor.pad %x low[0, 0, 0, 1] high[0, 0, 0, 0]
// CHECK:         [[WIDE:%.*]] = linalg.generic {{.*}} ins([[PADDED]] : tensor<1x16x4x5xi8>)
// CHECK:         %border = arith.constant dense<[-128, 0, 0, 0, 0]> : tensor<5xi32>
// CHECK:         [[BORDERED:%.*]] = linalg.generic {{.*}} ins([[WIDE]], %border : tensor<1x16x4x5xi32>, tensor<5xi32>)
// CHECK-COUNT-2: tensor.extract_slice [[BORDERED]]
// CHECK:           arith.maxsi
// CHECK-COUNT-2: tensor.extract_slice [[BORDERED]]
#id = affine_map<(d0, d1) -> (d0, d1)>
#col = affine_map<(d0, d1) -> (d1)>
func.func @net(%x: tensor<4x32xi8>, %w: tensor<32x20xi8>, %r: tensor<4x20xi8>, %b: tensor<20xi32>) -> tensor<4x20xi8> {
  %y = func.call @net_0(%x, %w, %r, %b) {packing.layer = "y"} : (tensor<4x32xi8>, tensor<32x20xi8>, tensor<4x20xi8>, tensor<20xi32>) -> tensor<4x20xi8>
  func.return %y : tensor<4x20xi8>
}
func.func private @net_0(%x: tensor<4x32xi8>, %w: tensor<32x20xi8>, %r: tensor<4x20xi8>, %b: tensor<20xi32>) -> tensor<4x20xi8> attributes {packing.device, packing.plain, packing.order = array<i64: 0, 1>} {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x20xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<4x20xi32>) -> tensor<4x20xi32>
  %p = linalg.matmul ins(%x, %w : tensor<4x32xi8>, tensor<32x20xi8>) outs(%f : tensor<4x20xi32>) -> tensor<4x20xi32>
  %o = tensor.empty() : tensor<4x20xi8>
  %y = linalg.generic {indexing_maps = [#id, #id, #col, #id], iterator_types = ["parallel", "parallel"]}
    ins(%p, %r, %b : tensor<4x20xi32>, tensor<4x20xi8>, tensor<20xi32>) outs(%o : tensor<4x20xi8>) {
  ^bb0(%a0: i32, %a8: i8, %a2: i32, %out: i8):
    %a1 = arith.extsi %a8 : i8 to i32
    %s0 = arith.addi %a0, %a1 : i32
    %s1 = arith.addi %s0, %a2 : i32
    %c7 = arith.constant 7 : i32
    %s2 = arith.shrsi %s1, %c7 : i32
    %s3 = arith.constant 100000 : i32
    %s4 = arith.minsi %s2, %s3 : i32
    %t = arith.trunci %s4 : i32 to i8
    linalg.yield %t : i8
  } -> tensor<4x20xi8>
  func.return %y : tensor<4x20xi8>
}
func.func private @alone(%x: tensor<4x20xi32>) -> tensor<4x20xi32> attributes {packing.device, packing.plain, packing.order = array<i64: 0, 1>} {
  %o = tensor.empty() : tensor<4x20xi32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<4x20xi32>) outs(%o : tensor<4x20xi32>) {
  ^bb0(%a0: i32, %out: i32):
    %s0 = arith.constant -1048576 : i32
    %s1 = arith.addi %a0, %s0 : i32
    linalg.yield %s1 : i32
  } -> tensor<4x20xi32>
  func.return %y : tensor<4x20xi32>
}
func.func private @pool(%x: tensor<1x16x4x4xi8>) -> tensor<1x16x2x2xi8> attributes {packing.device, packing.plain, packing.order = array<i64: 0, 1, 2, 3>} {
  %least = arith.constant -128 : i8
  %wide = tensor.pad %x low[0, 0, 0, 1] high[0, 0, 0, 0] {
  ^bb0(%i0: index, %i1: index, %i2: index, %i3: index):
    tensor.yield %least : i8
  } : tensor<1x16x4x4xi8> to tensor<1x16x4x5xi8>
  %e = tensor.empty() : tensor<1x16x2x2xi8>
  %f = linalg.fill ins(%least : i8) outs(%e : tensor<1x16x2x2xi8>) -> tensor<1x16x2x2xi8>
  %window = tensor.empty() : tensor<2x2xi8>
  %m = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
    ins(%wide, %window : tensor<1x16x4x5xi8>, tensor<2x2xi8>) outs(%f : tensor<1x16x2x2xi8>) -> tensor<1x16x2x2xi8>
  func.return %m : tensor<1x16x2x2xi8>
}
