// RUN: vtac-opt %s -p 'apply-schedule' | filecheck %s
// RUN: vtac-opt %s -p 'apply-schedule,apply-schedule' | filecheck %s

// Scripts run in order, each on the function it names, and are gone afterwards.
// CHECK-LABEL: func.func @f
// CHECK-NEXT: schedule.for %i_outer = 0 to 2 kind "cthread" {
// CHECK-NEXT:   schedule.for %i_inner = 0 to 7 {
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
// CHECK-LABEL: func.func @g
// CHECK-NEXT: schedule.for %i = 0 to 14 kind "unrolled" {
func.func @g(%x: memref<14xi32>, %y: memref<14xi32>) {
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
// CHECK-NOT: schedule.script
schedule.script @f {
  %y = schedule.get_block "y"
  %i = schedule.get_loop %y "i"
  %o, %n = schedule.split %i factor 7
}
schedule.script @g {
  %y = schedule.get_block "y"
  %i = schedule.get_loop %y "i"
  schedule.unroll %i
}
schedule.script @f {
  %y = schedule.get_block "y"
  %o = schedule.get_loop %y "i_outer"
  schedule.bind %o, "cthread"
}
