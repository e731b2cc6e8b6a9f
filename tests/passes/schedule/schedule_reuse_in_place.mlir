// RUN: vtac-opt %s -p schedule-reuse-in-place --split-input-file | filecheck %s
// RUN: vtac-opt %s -p schedule-reuse-in-place,schedule-reuse-in-place --split-input-file | filecheck %s

// `b` is what `a` was, and nobody reads `a` later: one buffer. `c` is written to an argument: it stays apart.

// CHECK-LABEL: func.func @chain
// CHECK-SAME: (%x: memref<4xi32>, %y: memref<4xi32> {schedule.result}) {
// CHECK-NEXT:   %a = memref.alloc() : memref<4xi32, "vta.acc">
// CHECK-NEXT:   schedule.for %i = 0 to 4 {
// CHECK-NEXT:     schedule.block "a" <spatial 4> = (d0) -> (d0)(%i)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<4xi32, "vta.acc"> {
// CHECK-NEXT:     ^bb0(%v: i32):
// CHECK-NEXT:       schedule.yield %v : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i_1 = 0 to 4 attributes {alu} {
// CHECK-NEXT:     schedule.block "b" <spatial 4> = (d0) -> (d0)(%i_1)
// CHECK-NEXT:       reads %a<(d0) -> (d0)> : memref<4xi32, "vta.acc">
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<4xi32, "vta.acc"> {
// CHECK-NEXT:     ^bb0(%v_1: i32):
// CHECK-NEXT:       %c = arith.constant 3 : i32
// CHECK-NEXT:       %s = arith.addi %v_1, %c : i32
// CHECK-NEXT:       schedule.yield %s : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i_2 = 0 to 4 {
// CHECK-NEXT:     schedule.block "c" <spatial 4> = (d0) -> (d0)(%i_2)
// CHECK-NEXT:       reads %a<(d0) -> (d0)> : memref<4xi32, "vta.acc">
// CHECK-NEXT:       writes %y<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:     ^bb0(%v_2: i32):
// CHECK-NEXT:       schedule.yield %v_2 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @chain(%x: memref<4xi32>, %y: memref<4xi32> {schedule.result}) {
  %a = memref.alloc() : memref<4xi32, "vta.acc">
  %b = memref.alloc() : memref<4xi32, "vta.acc">
  schedule.for %i = 0 to 4 {
    schedule.block "a" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %a<(d0) -> (d0)> : memref<4xi32, "vta.acc"> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  schedule.for %i = 0 to 4 attributes {alu} {
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %a<(d0) -> (d0)> : memref<4xi32, "vta.acc">
      writes %b<(d0) -> (d0)> : memref<4xi32, "vta.acc"> {
    ^bb0(%v: i32):
      %c = arith.constant 3 : i32
      %s = arith.addi %v, %c : i32
      schedule.yield %s : i32
    }
  }
  schedule.for %i = 0 to 4 {
    schedule.block "c" <spatial 4> = (d0) -> (d0)(%i)
      reads %b<(d0) -> (d0)> : memref<4xi32, "vta.acc">
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}

// -----

// `a` is larger and lives further out: each iteration of %o works in its own part of it.

// CHECK-LABEL: func.func @part_of_a_larger_one
// CHECK-SAME: (%x: memref<8xi32>, %y: memref<8xi32> {schedule.result}) {
// CHECK-NEXT:   %a = memref.alloc() : memref<8xi32, "vta.acc">
// CHECK-NEXT:   schedule.for %i = 0 to 8 {
// CHECK-NEXT:     schedule.block "a" <spatial 8> = (d0) -> (d0)(%i)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<8xi32>
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<8xi32, "vta.acc"> {
// CHECK-NEXT:     ^bb0(%v: i32):
// CHECK-NEXT:       schedule.yield %v : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %o = 0 to 2 {
// CHECK-NEXT:     schedule.for %i_1 = 0 to 4 attributes {alu} {
// CHECK-NEXT:       schedule.block "b" <spatial 2, spatial 4, spatial 2> = (d0, d1) -> (d0, d1, d0)(%o, %i_1)
// CHECK-NEXT:         reads %a<(d0, d1, d2) -> (((d0 * 4) + d1))> : memref<8xi32, "vta.acc">
// CHECK-NEXT:         writes %a<(d0, d1, d2) -> ((d1 + (d2 * 4)))> : memref<8xi32, "vta.acc"> {
// CHECK-NEXT:       ^bb0(%v_1: i32):
// CHECK-NEXT:         %c = arith.constant 3 : i32
// CHECK-NEXT:         %s = arith.addi %v_1, %c : i32
// CHECK-NEXT:         schedule.yield %s : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:     schedule.for %i_2 = 0 to 4 {
// CHECK-NEXT:       schedule.block "y" <spatial 2, spatial 4, spatial 2> = (d0, d1) -> (d0, d1, d0)(%o, %i_2)
// CHECK-NEXT:         reads %a<(d0, d1, d2) -> ((d1 + (d2 * 4)))> : memref<8xi32, "vta.acc">
// CHECK-NEXT:         writes %y<(d0, d1, d2) -> (((d0 * 4) + d1))> : memref<8xi32> {
// CHECK-NEXT:       ^bb0(%v_2: i32):
// CHECK-NEXT:         schedule.yield %v_2 : i32
// CHECK-NEXT:       }
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @part_of_a_larger_one(%x: memref<8xi32>, %y: memref<8xi32> {schedule.result}) {
  %a = memref.alloc() : memref<8xi32, "vta.acc">
  schedule.for %i = 0 to 8 {
    schedule.block "a" <spatial 8> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<8xi32>
      writes %a<(d0) -> (d0)> : memref<8xi32, "vta.acc"> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  schedule.for %o = 0 to 2 {
    %b = memref.alloc() : memref<4xi32, "vta.acc">
    schedule.for %i = 0 to 4 attributes {alu} {
      schedule.block "b" <spatial 2, spatial 4> = (d0, d1) -> (d0, d1)(%o, %i)
        reads %a<(d0, d1) -> (d0 * 4 + d1)> : memref<8xi32, "vta.acc">
        writes %b<(d0, d1) -> (d1)> : memref<4xi32, "vta.acc"> {
      ^bb0(%v: i32):
        %c = arith.constant 3 : i32
        %s = arith.addi %v, %c : i32
        schedule.yield %s : i32
      }
    }
    schedule.for %i = 0 to 4 {
      schedule.block "y" <spatial 2, spatial 4> = (d0, d1) -> (d0, d1)(%o, %i)
        reads %b<(d0, d1) -> (d1)> : memref<4xi32, "vta.acc">
        writes %y<(d0, d1) -> (d0 * 4 + d1)> : memref<8xi32> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  func.return
}

// -----

// `a` is read again after `b`: both stay.

// CHECK-LABEL: func.func @lives_on
// CHECK-SAME: (%x: memref<4xi32>, %y: memref<4xi32> {schedule.result}) {
// CHECK-NEXT:   %a = memref.alloc() : memref<4xi32, "vta.acc">
// CHECK-NEXT:   %b = memref.alloc() : memref<4xi32, "vta.acc">
// CHECK-NEXT:   schedule.for %i = 0 to 4 {
// CHECK-NEXT:     schedule.block "a" <spatial 4> = (d0) -> (d0)(%i)
// CHECK-NEXT:       reads %x<(d0) -> (d0)> : memref<4xi32>
// CHECK-NEXT:       writes %a<(d0) -> (d0)> : memref<4xi32, "vta.acc"> {
// CHECK-NEXT:     ^bb0(%v: i32):
// CHECK-NEXT:       schedule.yield %v : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i_1 = 0 to 4 attributes {alu} {
// CHECK-NEXT:     schedule.block "b" <spatial 4> = (d0) -> (d0)(%i_1)
// CHECK-NEXT:       reads %a<(d0) -> (d0)> : memref<4xi32, "vta.acc">
// CHECK-NEXT:       writes %b<(d0) -> (d0)> : memref<4xi32, "vta.acc"> {
// CHECK-NEXT:     ^bb0(%v_1: i32):
// CHECK-NEXT:       %c = arith.constant 3 : i32
// CHECK-NEXT:       %s = arith.addi %v_1, %c : i32
// CHECK-NEXT:       schedule.yield %s : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   schedule.for %i_2 = 0 to 4 {
// CHECK-NEXT:     schedule.block "c" <spatial 4> = (d0) -> (d0)(%i_2)
// CHECK-NEXT:       reads %a<(d0) -> (d0)> : memref<4xi32, "vta.acc">
// CHECK-NEXT:       reads %b<(d0) -> (d0)> : memref<4xi32, "vta.acc">
// CHECK-NEXT:       writes %y<(d0) -> (d0)> : memref<4xi32> {
// CHECK-NEXT:     ^bb0(%v_2: i32, %w: i32):
// CHECK-NEXT:       %s_1 = arith.addi %v_2, %w : i32
// CHECK-NEXT:       schedule.yield %s_1 : i32
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT:   func.return
// CHECK-NEXT: }

func.func @lives_on(%x: memref<4xi32>, %y: memref<4xi32> {schedule.result}) {
  %a = memref.alloc() : memref<4xi32, "vta.acc">
  %b = memref.alloc() : memref<4xi32, "vta.acc">
  schedule.for %i = 0 to 4 {
    schedule.block "a" <spatial 4> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<4xi32>
      writes %a<(d0) -> (d0)> : memref<4xi32, "vta.acc"> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  schedule.for %i = 0 to 4 attributes {alu} {
    schedule.block "b" <spatial 4> = (d0) -> (d0)(%i)
      reads %a<(d0) -> (d0)> : memref<4xi32, "vta.acc">
      writes %b<(d0) -> (d0)> : memref<4xi32, "vta.acc"> {
    ^bb0(%v: i32):
      %c = arith.constant 3 : i32
      %s = arith.addi %v, %c : i32
      schedule.yield %s : i32
    }
  }
  schedule.for %i = 0 to 4 {
    schedule.block "c" <spatial 4> = (d0) -> (d0)(%i)
      reads %a<(d0) -> (d0)> : memref<4xi32, "vta.acc">
      reads %b<(d0) -> (d0)> : memref<4xi32, "vta.acc">
      writes %y<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32, %w: i32):
      %s = arith.addi %v, %w : i32
      schedule.yield %s : i32
    }
  }
  func.return
}

// Each window of three rows in steps of two has an odd row of its own: the largest of its rows takes the place of that.

// CHECK-LABEL: func.func @steps
// CHECK-NEXT:    %a = memref.alloc() : memref<5x4x1x1xi32, "vta.acc">
// CHECK-NOT:     memref.alloc
// CHECK:         schedule.block "r"
// CHECK-NEXT:      reads %a<(d0, d1) -> (((d0 * 2) + 1), d1, 0, 0)>
// CHECK-NEXT:      reads %a<(d0, d1) -> ((d0 * 2), d1, 0, 0)>
// CHECK-NEXT:      writes %a<(d0, d1) -> (((d0 * 2) + 1), d1, 0, 0)>
// CHECK:         schedule.block "c"
// CHECK-NEXT:      reads %a<(d0, d1) -> (((d0 * 2) + 1), d1, 0, 0)>
// CHECK-NEXT:      reads %a<(d0, d1) -> (((d0 * 2) + 2), d1, 0, 0)>

// An even row is in two windows: it lives on.

// CHECK-LABEL: func.func @shared
// CHECK-NEXT:    %a = memref.alloc() : memref<5x4x1x1xi32, "vta.acc">
// CHECK-NEXT:    %b = memref.alloc() : memref<2x4x1x1xi32, "vta.acc">
func.func @steps(%x: memref<5x4x1x1xi32>, %y: memref<2x4x1x1xi32> {schedule.result}) {
  %a = memref.alloc() : memref<5x4x1x1xi32, "vta.acc">
  %b = memref.alloc() : memref<2x4x1x1xi32, "vta.acc">
  schedule.for %i = 0 to 5 {
    schedule.for %j = 0 to 4 {
      schedule.block "a" <spatial 5, spatial 4> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %x<(d0, d1) -> (d0, d1, 0, 0)> : memref<5x4x1x1xi32>
        writes %a<(d0, d1) -> (d0, d1, 0, 0)> : memref<5x4x1x1xi32, "vta.acc"> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  schedule.for %i = 0 to 2 attributes {alu} {
    schedule.for %j = 0 to 4 {
      schedule.block "r" <spatial 2, spatial 4> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %a<(d0, d1) -> (d0 * 2 + 1, d1, 0, 0)> : memref<5x4x1x1xi32, "vta.acc">
        reads %a<(d0, d1) -> (d0 * 2 + 0, d1, 0, 0)> : memref<5x4x1x1xi32, "vta.acc">
        writes %b<(d0, d1) -> (d0, d1, 0, 0)> : memref<2x4x1x1xi32, "vta.acc"> {
      ^bb0(%v: i32, %w: i32):
        %s = arith.maxsi %v, %w : i32
        schedule.yield %s : i32
      }
    }
  }
  schedule.for %i = 0 to 2 {
    schedule.for %j = 0 to 4 {
      schedule.block "c" <spatial 2, spatial 4> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %b<(d0, d1) -> (d0, d1, 0, 0)> : memref<2x4x1x1xi32, "vta.acc">
        reads %a<(d0, d1) -> (d0 * 2 + 2, d1, 0, 0)> : memref<5x4x1x1xi32, "vta.acc">
        writes %y<(d0, d1) -> (d0, d1, 0, 0)> : memref<2x4x1x1xi32> {
      ^bb0(%v: i32, %w: i32):
        %s = arith.maxsi %v, %w : i32
        schedule.yield %s : i32
      }
    }
  }
  func.return
}
func.func @shared(%x: memref<5x4x1x1xi32>, %y: memref<2x4x1x1xi32> {schedule.result}) {
  %a = memref.alloc() : memref<5x4x1x1xi32, "vta.acc">
  %b = memref.alloc() : memref<2x4x1x1xi32, "vta.acc">
  schedule.for %i = 0 to 5 {
    schedule.for %j = 0 to 4 {
      schedule.block "a" <spatial 5, spatial 4> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %x<(d0, d1) -> (d0, d1, 0, 0)> : memref<5x4x1x1xi32>
        writes %a<(d0, d1) -> (d0, d1, 0, 0)> : memref<5x4x1x1xi32, "vta.acc"> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  schedule.for %i = 0 to 2 attributes {alu} {
    schedule.for %j = 0 to 4 {
      schedule.block "r" <spatial 2, spatial 4> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %a<(d0, d1) -> (d0 * 2 + 0, d1, 0, 0)> : memref<5x4x1x1xi32, "vta.acc">
        reads %a<(d0, d1) -> (d0 * 2 + 2, d1, 0, 0)> : memref<5x4x1x1xi32, "vta.acc">
        writes %b<(d0, d1) -> (d0, d1, 0, 0)> : memref<2x4x1x1xi32, "vta.acc"> {
      ^bb0(%v: i32, %w: i32):
        %s = arith.maxsi %v, %w : i32
        schedule.yield %s : i32
      }
    }
  }
  schedule.for %i = 0 to 2 {
    schedule.for %j = 0 to 4 {
      schedule.block "c" <spatial 2, spatial 4> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %b<(d0, d1) -> (d0, d1, 0, 0)> : memref<2x4x1x1xi32, "vta.acc">
        reads %a<(d0, d1) -> (d0 * 2 + 1, d1, 0, 0)> : memref<5x4x1x1xi32, "vta.acc">
        writes %y<(d0, d1) -> (d0, d1, 0, 0)> : memref<2x4x1x1xi32> {
      ^bb0(%v: i32, %w: i32):
        %s = arith.maxsi %v, %w : i32
        schedule.yield %s : i32
      }
    }
  }
  func.return
}

// In a loop, what another block reads of the input before belongs to the same iteration: four rows of each. Where the
// next iteration reads a row of this one's (one row less), the result has a buffer of its own.

// CHECK-LABEL: func.func @pieces
// CHECK:         schedule.block "r"
// CHECK-NEXT:      reads %a<(d0, d1, d2, d3) -> ((((d0 * 4) + (d1 * 2)) + 1), d2, 0, 0)>
// CHECK-NEXT:      reads %c
// CHECK-NEXT:      writes %a
// CHECK-LABEL: func.func @next_piece
// CHECK:         schedule.block "r"
// CHECK-NEXT:      reads %a
// CHECK-NEXT:      reads %c
// CHECK-NEXT:      writes %b
func.func @pieces(%x: memref<8x4x1x1xi32>, %y: memref<4x4x1x1xi32> {schedule.result}) {
  %a = memref.alloc() : memref<8x4x1x1xi32, "vta.acc">
  schedule.for %i = 0 to 8 {
    schedule.for %j = 0 to 4 {
      schedule.block "a" <spatial 8, spatial 4> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %x<(d0, d1) -> (d0, d1, 0, 0)> : memref<8x4x1x1xi32>
        writes %a<(d0, d1) -> (d0, d1, 0, 0)> : memref<8x4x1x1xi32, "vta.acc"> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  schedule.for %p = 0 to 2 {
    %c = memref.alloc() : memref<4x4x1x1xi32, "vta.acc">
    %b = memref.alloc() : memref<2x4x1x1xi32, "vta.acc">
    schedule.for %i = 0 to 3 attributes {alu} {
      schedule.for %j = 0 to 4 {
        schedule.block "before" <spatial 2, spatial 3, spatial 4> = (d0, d1, d2) -> (d0, d1, d2)(%p, %i, %j)
          reads %a<(d0, d1, d2) -> (d0 * 4 + d1 + 0, d2, 0, 0)> : memref<8x4x1x1xi32, "vta.acc">
          writes %c<(d0, d1, d2) -> (d1, d2, 0, 0)> : memref<4x4x1x1xi32, "vta.acc"> {
        ^bb0(%v: i32):
          %n = arith.constant 1 : i32
          %s = arith.addi %v, %n : i32
          schedule.yield %s : i32
        }
      }
    }
    schedule.for %i = 0 to 2 attributes {alu} {
      schedule.for %j = 0 to 4 {
        schedule.block "r" <spatial 2, spatial 2, spatial 4> = (d0, d1, d2) -> (d0, d1, d2)(%p, %i, %j)
          reads %a<(d0, d1, d2) -> (d0 * 4 + d1 * 2 + 1, d2, 0, 0)> : memref<8x4x1x1xi32, "vta.acc">
          reads %c<(d0, d1, d2) -> (d1, d2, 0, 0)> : memref<4x4x1x1xi32, "vta.acc">
          writes %b<(d0, d1, d2) -> (d1, d2, 0, 0)> : memref<2x4x1x1xi32, "vta.acc"> {
        ^bb0(%v: i32, %w: i32):
          %n = arith.constant 2 : i32
          %t = arith.shrsi %v, %n : i32
          %s = arith.maxsi %t, %w : i32
          schedule.yield %s : i32
        }
      }
    }
    schedule.for %i = 0 to 2 {
      schedule.for %j = 0 to 4 {
        schedule.block "c" <spatial 2, spatial 2, spatial 4> = (d0, d1, d2) -> (d0, d1, d2)(%p, %i, %j)
          reads %b<(d0, d1, d2) -> (d1, d2, 0, 0)> : memref<2x4x1x1xi32, "vta.acc">
          writes %y<(d0, d1, d2) -> (d0 * 2 + d1, d2, 0, 0)> : memref<4x4x1x1xi32> {
        ^bb0(%v: i32):
          schedule.yield %v : i32
        }
      }
    }
  }
  func.return
}
func.func @next_piece(%x: memref<12x4x1x1xi32>, %y: memref<4x4x1x1xi32> {schedule.result}) {
  %a = memref.alloc() : memref<12x4x1x1xi32, "vta.acc">
  schedule.for %i = 0 to 12 {
    schedule.for %j = 0 to 4 {
      schedule.block "a" <spatial 12, spatial 4> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %x<(d0, d1) -> (d0, d1, 0, 0)> : memref<12x4x1x1xi32>
        writes %a<(d0, d1) -> (d0, d1, 0, 0)> : memref<12x4x1x1xi32, "vta.acc"> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }
  schedule.for %p = 0 to 2 {
    %c = memref.alloc() : memref<4x4x1x1xi32, "vta.acc">
    %b = memref.alloc() : memref<2x4x1x1xi32, "vta.acc">
    schedule.for %i = 0 to 3 attributes {alu} {
      schedule.for %j = 0 to 4 {
        schedule.block "before" <spatial 2, spatial 3, spatial 4> = (d0, d1, d2) -> (d0, d1, d2)(%p, %i, %j)
          reads %a<(d0, d1, d2) -> (d0 * 4 + d1 + 3, d2, 0, 0)> : memref<12x4x1x1xi32, "vta.acc">
          writes %c<(d0, d1, d2) -> (d1, d2, 0, 0)> : memref<4x4x1x1xi32, "vta.acc"> {
        ^bb0(%v: i32):
          %n = arith.constant 1 : i32
          %s = arith.addi %v, %n : i32
          schedule.yield %s : i32
        }
      }
    }
    schedule.for %i = 0 to 2 attributes {alu} {
      schedule.for %j = 0 to 4 {
        schedule.block "r" <spatial 2, spatial 2, spatial 4> = (d0, d1, d2) -> (d0, d1, d2)(%p, %i, %j)
          reads %a<(d0, d1, d2) -> (d0 * 4 + d1 * 2 + 5, d2, 0, 0)> : memref<12x4x1x1xi32, "vta.acc">
          reads %c<(d0, d1, d2) -> (d1, d2, 0, 0)> : memref<4x4x1x1xi32, "vta.acc">
          writes %b<(d0, d1, d2) -> (d1, d2, 0, 0)> : memref<2x4x1x1xi32, "vta.acc"> {
        ^bb0(%v: i32, %w: i32):
          %n = arith.constant 2 : i32
          %t = arith.shrsi %v, %n : i32
          %s = arith.maxsi %t, %w : i32
          schedule.yield %s : i32
        }
      }
    }
    schedule.for %i = 0 to 2 {
      schedule.for %j = 0 to 4 {
        schedule.block "c" <spatial 2, spatial 2, spatial 4> = (d0, d1, d2) -> (d0, d1, d2)(%p, %i, %j)
          reads %b<(d0, d1, d2) -> (d1, d2, 0, 0)> : memref<2x4x1x1xi32, "vta.acc">
          writes %y<(d0, d1, d2) -> (d0 * 2 + d1, d2, 0, 0)> : memref<4x4x1x1xi32> {
        ^bb0(%v: i32):
          schedule.yield %v : i32
        }
      }
    }
  }
  func.return
}
