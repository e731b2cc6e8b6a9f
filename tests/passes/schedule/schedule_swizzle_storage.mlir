// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p schedule-swizzle-storage | filecheck %s
// RUN: vtac-opt %s --split-input-file --verify-diagnostics -p schedule-swizzle-storage,schedule-swizzle-storage | filecheck %s

// The wanted swizzle becomes a layout with the pitch of the rows.

// CHECK-LABEL: func.func @layouts
// CHECK-NEXT:    memref.alloc() {mma.layout = #mma.layout<swizzle 128 pitch 128>} : memref<128x64xf16, "shared">
// CHECK-NEXT:    memref.alloc() {mma.layout = #mma.layout<swizzle 64 pitch 256>} : memref<32x256xi8, "shared">
// CHECK-NEXT:    memref.alloc() : memref<128x64xf16, "shared">
// CHECK-NEXT:    memref.alloc() {mma.layout = #mma.layout<swizzle 16 pitch 128 panels 128>} : memref<128x64xf16, "shared">
func.func @layouts() {
  %a = memref.alloc() {mma.swizzle = 128 : i64} : memref<128x64xf16, "shared">
  %b = memref.alloc() {mma.swizzle = 64 : i64} : memref<32x256xi8, "shared">
  %c = memref.alloc() : memref<128x64xf16, "shared">
  %d = memref.alloc() {mma.swizzle = 16 : i64, mma.panels} : memref<128x64xf16, "shared">
  func.return
}

// -----

func.func @short_rows() {
  // expected-error @+1 {{swizzle of 'a', 128x32 f16: a pitch of 64 bytes with a swizzle of 128: rows have to be whole multiples of the bytes that change places}}
  %a = memref.alloc() {mma.swizzle = 128 : i64} : memref<128x32xf16, "shared">
  func.return
}

// -----

func.func @part_of_a_period() {
  // expected-error @+1 {{swizzle of 'a', 12x64 f16: 1,536 bytes; the orders of its chunks begin anew every 1024, so that must divide it}}
  %a = memref.alloc() {mma.swizzle = 128 : i64} : memref<12x64xf16, "shared">
  func.return
}
