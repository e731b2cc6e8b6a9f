// RUN: vtac-opt %s -p vta-rotate-buffers --split-input-file --verify-diagnostics | filecheck %s
// RUN: vtac-opt %s -p vta-rotate-buffers,vta-rotate-buffers --split-input-file --verify-diagnostics | filecheck %s

// Iterations are counted over both loops: 3 of the inner one for each of the outer one, so that two copies
// alternate by (k + o) mod 2. A buffer of one tile has its second copy one tile behind.

// CHECK-LABEL: func.func @turns
// CHECK:         [[TURN:%.*]] = affine.apply affine_map<(d0, d1) -> (((d1 + d0) mod 2))>
// CHECK:         %a = memref.alloc() {vta.turns = 2 : i64} : memref<2x1x1x16xi8, "vta.inp">
// CHECK-NEXT:    [[PLACE:%.*]] = affine.apply affine_map<(d0) -> (d0)> ([[TURN]])
// CHECK-NEXT:    vta.load_2d inp %x, %a {{.*}}sram = [[PLACE]]
func.func @turns(%x: memref<1x1x16xi8>) {
  schedule.for %o = 0 to 2 {
    schedule.for %k = 0 to 3 {
      %a = memref.alloc() {vta.copies = 2 : i64} : memref<1x1x16xi8, "vta.inp">
      vta.load_2d inp %x, %a [dram = 0, x_size = 1, y_size = 1, x_stride = 1, x_pad_before = 0, y_pad_before = 0, x_pad_after = 0, y_pad_after = 0, sram = 0] : memref<1x1x16xi8>, memref<1x1x16xi8, "vta.inp">
    }
  }
  func.return
}

// -----

// Where nothing repeats there is one copy, which still shares its space with no other buffer.

// CHECK-LABEL: func.func @once
// CHECK:         memref.alloc() {vta.turns = 1 : i64} : memref<1x1x16xi8, "vta.inp">
func.func @once() {
  %a = memref.alloc() {vta.copies = 2 : i64} : memref<1x1x16xi8, "vta.inp">
  func.return
}

// -----

func.func @block(%x: memref<1x1x16xi8>) {
  schedule.for %k = 0 to 2 {
    %a = memref.alloc() {vta.copies = 2 : i64} : memref<1x1x16xi8, "vta.inp">
    schedule.for %j = 0 to 16 {
      // expected-error @+1 {{vta-rotate-buffers: 'a' is used by schedule.block; only vta operations can use a buffer with copies: run the conversions to vta first}}
      schedule.block "copy" <spatial 16> = (d0) -> (d0)(%j)
        reads %x<(d0) -> (0, 0, d0)> : memref<1x1x16xi8>
        writes %a<(d0) -> (0, 0, d0)> : memref<1x1x16xi8, "vta.inp"> {
      ^bb0(%y: i8):
        schedule.yield %y : i8
      }
    }
  }
  func.return
}
