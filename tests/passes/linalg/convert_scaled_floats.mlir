// RUN: vtac-opt %s -p convert-scaled-floats | filecheck %s
// RUN: vtac-opt %s -p convert-scaled-floats,convert-scaled-floats | filecheck %s

// Dequantised, added at the finer scale, rounded half to even: x is at 2^-5 and y at 2^-4.

// CHECK-LABEL: func.func @residual
// CHECK-NOT:   f32
// CHECK:       linalg.generic {{.*}} ins(%x, %y : tensor<4x16xi8>, tensor<4x16xi8>)
// CHECK:         arith.shli %{{.*}}, %{{.*}} : i32
// CHECK:         arith.addi
// CHECK:       linalg.generic
// CHECK:         [[A:%.*]] = arith.addi %{{.*}}, [[HALF:%.*]] : i32
// CHECK:         [[EVEN:%.*]] = arith.shrsi [[A]], [[TWO:%.*]] : i32
// CHECK:         [[B:%.*]] = arith.addi [[A]], [[HALF]] : i32
// CHECK:         [[ODD:%.*]] = arith.shrsi [[B]], [[TWO]] : i32
// CHECK:         arith.addi [[EVEN]], [[ODD]] : i32
// CHECK:         arith.maxsi
// CHECK:         arith.minsi
// CHECK:         arith.trunci %{{.*}} : i32 to i8
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @residual(%x: tensor<4x16xi8>, %y: tensor<4x16xi8>) -> tensor<4x16xi8> {
  %e = tensor.empty() : tensor<4x16xf32>
  %o = tensor.empty() : tensor<4x16xi8>
  %sx = arith.constant 3.125000e-02 : f32
  %sy = arith.constant 6.250000e-02 : f32
  %low = arith.constant -1.280000e+02 : f32
  %high = arith.constant 1.270000e+02 : f32
  %fx = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x16xi8>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%a: i8, %out: f32):
    %f = arith.sitofp %a : i8 to f32
    %g = arith.mulf %f, %sx : f32
    linalg.yield %g : f32
  } -> tensor<4x16xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%fx, %y : tensor<4x16xf32>, tensor<4x16xi8>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%a: f32, %b: i8, %out: f32):
    %f = arith.sitofp %b : i8 to f32
    %g = arith.mulf %f, %sy : f32
    %h = arith.addf %a, %g : f32
    linalg.yield %h : f32
  } -> tensor<4x16xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%sum : tensor<4x16xf32>) outs(%o : tensor<4x16xi8>) {
  ^bb0(%a: f32, %out: i8):
    %f = arith.divf %a, %sy : f32
    %g = math.roundeven %f : f32
    %h = arith.maximumf %g, %low : f32
    %i = arith.minimumf %h, %high : f32
    %j = arith.fptosi %i : f32 to i8
    linalg.yield %j : i8
  } -> tensor<4x16xi8>
  func.return %q : tensor<4x16xi8>
}

// A product of floats per channel, its bias, and rounding by as many bits as each channel has.

// CHECK-LABEL: func.func @per_channel
// CHECK:       [[BIAS:%.*]] = arith.constant dense<[4, -8]> : tensor<2xi32>
// CHECK:       [[START:%.*]] = linalg.broadcast ins([[BIAS]]:tensor<2xi32>) outs(%{{.*}}:tensor<3x2xi32>) dimensions = [0]
// CHECK:       linalg.matmul ins(%x, %w : tensor<3x4xi8>, tensor<4x2xi8>) outs([[START]] : tensor<3x2xi32>)
// CHECK:       arith.constant dense<[4, 16]> : tensor<2xi32>
// CHECK:       arith.constant dense<[4, 6]> : tensor<2xi32>
// CHECK:       arith.shrsi
// CHECK-NOT:   f32
func.func @per_channel(%x: tensor<3x4xi8>, %w: tensor<4x2xi8>) -> tensor<3x2xi8> {
  %ws = arith.constant dense<[1.250000e-01, 3.125000e-02]> : tensor<2xf32>
  %b = arith.constant dense<[5.000000e-01, -2.500000e-01]> : tensor<2xf32>
  %low = arith.constant -1.280000e+02 : f32
  %high = arith.constant 1.270000e+02 : f32
  %ex = tensor.empty() : tensor<3x4xf32>
  %ew = tensor.empty() : tensor<4x2xf32>
  %ey = tensor.empty() : tensor<3x2xf32>
  %o = tensor.empty() : tensor<3x2xi8>
  %fx = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x4xi8>) outs(%ex : tensor<3x4xf32>) {
  ^bb0(%a: i8, %out: f32):
    %f = arith.sitofp %a : i8 to f32
    linalg.yield %f : f32
  } -> tensor<3x4xf32>
  %fw = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d1)>, #id], iterator_types = ["parallel", "parallel"]} ins(%w, %ws : tensor<4x2xi8>, tensor<2xf32>) outs(%ew : tensor<4x2xf32>) {
  ^bb0(%a: i8, %s: f32, %out: f32):
    %f = arith.sitofp %a : i8 to f32
    %g = arith.mulf %f, %s : f32
    linalg.yield %g : f32
  } -> tensor<4x2xf32>
  %start = linalg.broadcast ins(%b : tensor<2xf32>) outs(%ey : tensor<3x2xf32>) dimensions = [0]
  %y = linalg.matmul ins(%fx, %fw : tensor<3x4xf32>, tensor<4x2xf32>) outs(%start : tensor<3x2xf32>) -> tensor<3x2xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<3x2xf32>) outs(%o : tensor<3x2xi8>) {
  ^bb0(%a: f32, %out: i8):
    %g = math.roundeven %a : f32
    %h = arith.maximumf %g, %low : f32
    %i = arith.minimumf %h, %high : f32
    %j = arith.fptosi %i : f32 to i8
    linalg.yield %j : i8
  } -> tensor<3x2xi8>
  func.return %q : tensor<3x2xi8>
}

// A scale that is no power of two stays, and so does what nobody wants as integers.

// CHECK-LABEL: func.func @stays
// CHECK:       arith.mulf
// CHECK:       math.roundeven
// CHECK:       arith.sitofp
func.func @stays(%x: tensor<4x16xi8>) -> (tensor<4x16xi8>, tensor<4x16xf32>) {
  %e = tensor.empty() : tensor<4x16xf32>
  %o = tensor.empty() : tensor<4x16xi8>
  %s = arith.constant 3.000000e-01 : f32
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x16xi8>) outs(%o : tensor<4x16xi8>) {
  ^bb0(%a: i8, %out: i8):
    %f = arith.sitofp %a : i8 to f32
    %g = arith.mulf %f, %s : f32
    %h = math.roundeven %g : f32
    %j = arith.fptosi %h : f32 to i8
    linalg.yield %j : i8
  } -> tensor<4x16xi8>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x16xi8>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%a: i8, %out: f32):
    %f = arith.sitofp %a : i8 to f32
    linalg.yield %f : f32
  } -> tensor<4x16xf32>
  func.return %q, %y : tensor<4x16xi8>, tensor<4x16xf32>
}
