// RUN: vtac-opt %s -p 'convert-linalg-to-schedule,apply-schedule' --split-input-file --verify-diagnostics

// A refusal names the directive's place.
func.func @f(%x: memref<14xi32>, %y: memref<14xi32>) {
  schedule.for %i = 0 to 14 {
    schedule.block "y" <spatial 14> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<14xi32>
      writes %y<(d0) -> (d0)> : memref<14xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}
schedule.script @f {
  %y = schedule.get_block "y"
  %i = schedule.get_loop %y "i"
  // expected-error @+1 {{split: factor 4 does not divide loop 'i' (extent 14): 2 iterations would remain; choose a divisor (1, 2, 7, 14), or a tail strategy: guard or peel}}
  %o, %n = schedule.split %i factor 4
}

// -----

// Only a function of the module can be scheduled.
func.func @f(%x: memref<14xi32>) {
  func.return
}
func.func @g(%x: memref<14xi32>) {
  func.return
}
// expected-error @+1 {{no function 'h' to schedule; functions here: f, g}}
schedule.script @h {
  %y = schedule.get_block "y"
}

// -----

// A script holds directives only.
func.func @f(%x: memref<14xi32>) {
  func.return
}
schedule.script @f {
  // expected-error @+1 {{'arith.constant' is not a directive}}
  %c = arith.constant 3 : i32
}

// -----

// get_loops names every loop.
func.func @f(%x: memref<14xi32>, %y: memref<14xi32>) {
  schedule.for %i = 0 to 14 {
    schedule.block "y" <spatial 14> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<14xi32>
      writes %y<(d0) -> (d0)> : memref<14xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}
schedule.script @f {
  %y = schedule.get_block "y"
  // expected-error @+1 {{get_loops: block 'y' stands in 1 loops, the directive names 2; name 1 results}}
  %i, %j = schedule.get_loops %y : !schedule.loop, !schedule.loop
}
