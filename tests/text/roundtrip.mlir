// RUN: vtac-opt %s | filecheck %s
// RUN: vtac-opt %s | vtac-opt | filecheck %s
// RUN: vtac-opt %s --print-op-generic | vtac-opt - | filecheck %s
// RUN: vtac-opt %s --print-op-generic | filecheck %s --check-prefix GENERIC

// CHECK: func.func @double(%[[A:.*]]: i32) -> i32
// CHECK-NEXT: %[[SUM:.*]] = arith.addi %[[A]], %[[A]] : i32
// CHECK-NEXT: func.return %[[SUM]] : i32
// GENERIC: "arith.addi"
func.func @double(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  func.return %0 : i32
}
