// RUN: vtac-opt %s --split-input-file --verify-diagnostics

func.func @use_before_definition(%a: i32) {
  // expected-error @+1 {{operand #0 (%late) of 'arith.addi' does not dominate this use: it is defined after this use}}
  %early = arith.addi %late, %a : i32
  // expected-note @+1 {{the operand is defined here}}
  %late = arith.addi %a, %a : i32
  func.return
}

// -----

func.func @own_result(%a: i32) {
  // expected-error @+1 {{it is the operation's own result}}
  %0 = arith.addi %0, %a : i32
  func.return
}

// -----

func.func @block_that_does_not_dominate(%condition: i1, %a: i32) -> i32 {
  "cf.cond_br"(%condition)[^left, ^right] <{operandSegmentSizes = array<i32: 1, 0, 0>}> : (i1) -> ()
^left:
  %only_left = arith.addi %a, %a : i32
  cf.br ^join
^right:
  cf.br ^join
^join:
  // expected-error @below {{it is defined in a block that does not dominate this one}}
  func.return %only_left : i32
}

// -----

// A definition in the entry block dominates every block, also around a loop.
func.func @loop(%condition: i1, %a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  cf.br ^body
^body:
  %1 = arith.addi %0, %a : i32
  "cf.cond_br"(%condition)[^body, ^exit] <{operandSegmentSizes = array<i32: 1, 0, 0>}> : (i1) -> ()
^exit:
  func.return %1 : i32
}

// -----

// An unreachable predecessor changes nothing, and nothing is wrong in an unreachable block.
func.func @unreachable(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  cf.br ^exit
^never:
  %1 = arith.addi %2, %a : i32
  %2 = arith.addi %1, %a : i32
  cf.br ^exit
^exit:
  func.return %0 : i32
}

// -----

// Order is free in a module's body.
"test.op"(%0) : (i32) -> ()
%0 = "test.op"() : () -> i32
