// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt | filecheck %s

// What -one-shot-bufferize prints between tensors and buffers, of which elements lie anywhere.

// CHECK: func.func @between
func.func @between(%t: tensor<4x?xi32>, %u: tensor<*xi8>) -> tensor<4x?xi32> {
  // CHECK: %b = bufferization.to_buffer %t : tensor<4x?xi32> to memref<4x?xi32, strided<[?, ?], offset: ?>>
  %b = bufferization.to_buffer %t : tensor<4x?xi32> to memref<4x?xi32, strided<[?, ?], offset: ?>>
  // CHECK: %c = bufferization.to_buffer %u read_only {note} : tensor<*xi8> to memref<*xi8>
  %c = bufferization.to_buffer %u read_only {note} : tensor<*xi8> to memref<*xi8>
  // CHECK: %d = bufferization.to_tensor %b restrict writable : memref<4x?xi32, strided<[?, ?], offset: ?>> to tensor<4x?xi32>
  %d = bufferization.to_tensor %b restrict writable : memref<4x?xi32, strided<[?, ?], offset: ?>> to tensor<4x?xi32>
  // CHECK: %e = bufferization.to_tensor %b {note} : memref<4x?xi32, strided<[?, ?], offset: ?>> to tensor<4x?xi32>
  %e = bufferization.to_tensor %b {note} : memref<4x?xi32, strided<[?, ?], offset: ?>> to tensor<4x?xi32>
  func.return %d : tensor<4x?xi32>
}
