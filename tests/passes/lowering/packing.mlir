// RUN: vtac-opt %s -p convert-linalg-to-schedule | filecheck %s

// packing.pack and packing.unpack are copies whose loops run over the packed tensor: incomplete tiles are filled with
// zeros on the way in, and guarded on the way out.

func.func @incomplete(%x: tensor<10x20xf16>) -> tensor<10x20xf16> {
  %p = packing.pack %x dims [1, 0] tiles [8, 4] order [1, 0] : tensor<10x20xf16> to tensor<3x3x8x4xf16>
  %y = packing.unpack %p dims [1, 0] tiles [8, 4] order [1, 0] : tensor<3x3x8x4xf16> to tensor<10x20xf16>
  func.return %y : tensor<10x20xf16>
}

// CHECK-LABEL: func.func @incomplete
// CHECK: schedule.block "p" <spatial 3, spatial 3, spatial 8, spatial 4>
// CHECK-NEXT: reads %x<(d0, d1, d2, d3) -> (((d1 * 4) + d3), ((d0 * 8) + d2)), pad 0.000000e+00 : f16> : memref<10x20xf16>
// CHECK-NEXT: writes %p<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK: schedule.block "y" <spatial 3, spatial 3, spatial 8, spatial 4>
// CHECK-NEXT: where (d0, d1, d2, d3) : ((((d0 * -8) + (d2 * -1)) + 19) >= 0, (((d1 * -4) + (d3 * -1)) + 9) >= 0)
// CHECK-NEXT: reads %p<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-NEXT: writes %y<(d0, d1, d2, d3) -> (((d1 * 4) + d3), ((d0 * 8) + d2))>

func.func @whole(%x: tensor<16x32xi8>) -> tensor<4x2x16x4xi8> {
  %p = packing.pack %x dims [1, 0] tiles [16, 4] order [0, 1] : tensor<16x32xi8> to tensor<4x2x16x4xi8>
  func.return %p : tensor<4x2x16x4xi8>
}

// CHECK-LABEL: func.func @whole
// CHECK: reads %x<(d0, d1, d2, d3) -> (((d0 * 4) + d3), ((d1 * 16) + d2))> : memref<16x32xi8>
