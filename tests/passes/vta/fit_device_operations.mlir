// RUN: vtac-opt %s -p fit-device-operations | filecheck %s
// RUN: vtac-opt %s -p fit-device-operations,fit-device-operations | filecheck %s

// A batch of one is a matrix product, and what follows it has two dimensions, too; what its sum starts from is added
// to it. Other ranks than 2 and 4 are rows. Padding that no maximum takes is what loads can put there.

// CHECK-LABEL: func.func @batch
// CHECK:         [[X:%.*]] = packing.reshape %x : tensor<1x4x32xi8> to tensor<4x32xi8>
// CHECK:         [[W:%.*]] = packing.reshape %w : tensor<1x32x20xi8> to tensor<32x20xi8>
// CHECK:         [[SUM:%.*]] = linalg.generic {{.*}} ins([[X]], [[W]] : tensor<4x32xi8>, tensor<32x20xi8>)
// CHECK:         [[P:%.*]] = linalg.generic {{.*}} ins([[SUM]], {{.*}} : tensor<4x20xi32>, tensor<{{.*}}xi32>)
// CHECK:           arith.addi
// CHECK:         [[Y:%.*]] = linalg.generic {{.*}} ins([[P]] : tensor<4x20xi32>) outs({{.*}} : tensor<4x20xi8>)
// CHECK:         [[RESULT:%.*]] = packing.reshape [[Y]] : tensor<4x20xi8> to tensor<1x4x20xi8>
// CHECK:         func.return [[RESULT]]
// CHECK-LABEL: func.func @rows
// CHECK:         [[ROWS:%.*]] = packing.reshape %x : tensor<2x3x5xi32> to tensor<6x5xi32>
// CHECK:         linalg.generic {{.*}} ins([[ROWS]], %b : tensor<6x5xi32>, tensor<5xi32>)
// CHECK-LABEL: func.func @pool
// CHECK:         [[LEAST:%.*]] = arith.constant -128 : i8
// CHECK-NEXT:    [[EMPTY:%.*]] = tensor.empty
// CHECK-NEXT:    [[START:%.*]] = linalg.fill ins([[LEAST]] : i8)
// CHECK:         %padded = tensor.pad %half low[0, 0, 0, 1] high[0, 0, 0, 0]
// CHECK:           arith.constant -128 : i8
// CHECK:         linalg.pooling_nchw_max {{.*}} ins(%padded, {{.*}} outs([[START]] : tensor<1x16x2x2xi8>)
func.func @batch(%x: tensor<1x4x32xi8>, %w: tensor<1x32x20xi8>, %b: tensor<20xi32>) -> tensor<1x4x20xi8> {
  %e = tensor.empty() : tensor<1x4x20xi32>
  %f = linalg.broadcast ins(%b : tensor<20xi32>) outs(%e : tensor<1x4x20xi32>) dimensions = [0, 1]
  %p = linalg.batch_matmul ins(%x, %w : tensor<1x4x32xi8>, tensor<1x32x20xi8>) outs(%f : tensor<1x4x20xi32>) -> tensor<1x4x20xi32>
  %o = tensor.empty() : tensor<1x4x20xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%p : tensor<1x4x20xi32>) outs(%o : tensor<1x4x20xi8>) {
  ^bb0(%a: i32, %out: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x4x20xi8>
  func.return %y : tensor<1x4x20xi8>
}
func.func @rows(%x: tensor<2x3x5xi32>, %b: tensor<5xi32>) -> tensor<2x3x5xi8> {
  %o = tensor.empty() : tensor<2x3x5xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (c)>, affine_map<(a, b, c) -> (a, b, c)>], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x, %b : tensor<2x3x5xi32>, tensor<5xi32>) outs(%o : tensor<2x3x5xi8>) {
  ^bb0(%a: i32, %c: i32, %out: i8):
    %s = arith.addi %a, %c : i32
    %t = arith.trunci %s : i32 to i8
    linalg.yield %t : i8
  } -> tensor<2x3x5xi8>
  func.return %y : tensor<2x3x5xi8>
}
func.func @pool(%x: tensor<1x16x4x4xi8>) -> tensor<1x16x2x2xi8> {
  %least = arith.constant -100 : i8
  %n = tensor.empty() : tensor<1x16x4x4xi8>
  %half = linalg.generic {indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, h, w)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x : tensor<1x16x4x4xi8>) outs(%n : tensor<1x16x4x4xi8>) {
  ^bb0(%a: i8, %out: i8):
    %c1 = arith.constant 1 : i32
    %i = arith.extsi %a : i8 to i32
    %s = arith.shrsi %i, %c1 : i32
    %t = arith.trunci %s : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x16x4x4xi8>
  %wide = tensor.pad %half low[0, 0, 0, 1] high[0, 0, 0, 0] {
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

// A product reads through a transpose whose dimensions of extent 1 are left out behind it.

// CHECK-LABEL: func.func @pixels
// CHECK:         [[F:%.*]] = packing.reshape %x : tensor<1x20x4x3xi8> to tensor<20x12xi8>
// CHECK:         linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d2, d0)>, {{.*}} ins([[F]], %w : tensor<20x12xi8>, tensor<20x8xi8>)
func.func @pixels(%x: tensor<1x20x4x3xi8>, %w: tensor<20x8xi8>) -> tensor<12x8xi32> {
  %c0 = arith.constant 0 : i32
  %f = tensor.collapse_shape %x [[0], [1], [2, 3]] : tensor<1x20x4x3xi8> into tensor<1x20x12xi8>
  %e = tensor.empty() : tensor<1x12x20xi8>
  %t = linalg.transpose ins(%f : tensor<1x20x12xi8>) outs(%e : tensor<1x12x20xi8>) permutation = [0, 2, 1]
  %r = tensor.collapse_shape %t [[0, 1], [2]] : tensor<1x12x20xi8> into tensor<12x20xi8>
  %g = tensor.empty() : tensor<12x8xi32>
  %z = linalg.fill ins(%c0 : i32) outs(%g : tensor<12x8xi32>) -> tensor<12x8xi32>
  %p = linalg.matmul ins(%r, %w : tensor<12x20xi8>, tensor<20x8xi8>) outs(%z : tensor<12x8xi32>) -> tensor<12x8xi32>
  func.return %p : tensor<12x8xi32>
}
