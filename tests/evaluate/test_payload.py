"""Direct execution of payloads: order of iterations, reductions, guards, padding, memory."""

from __future__ import annotations

import numpy as np
import pytest
from payload_programs import COPY, IDENTITY, copied, numbers, reduction, run, vector


def test_a_block_that_reads_what_it_wrote_before_runs_in_order() -> None:
    source = vector("""
  schedule.for %i = 0 to 5 {
    schedule.block "prefix" <spatial 5> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0)> : memref<6xi32>
      reads %x<(d0) -> (d0 + 1)> : memref<6xi32>
      writes %x<(d0) -> (d0 + 1)> : memref<6xi32> {
    ^bb0(%a: i32, %b: i32):
      %s = arith.addi %a, %b : i32
      schedule.yield %s : i32
    }
  }""")
    x = numbers(1, 2, 3, 4, 5, 6)
    assert run(source, x).tolist() == [1, 3, 6, 10, 15, 21]
    assert x.tolist() == [1, 2, 3, 4, 5, 6]


def test_an_update_in_place_happens_once_per_iteration() -> None:
    source = vector("""
  schedule.for %again = 0 to 3 {
    schedule.for %i = 0 to 6 {
      schedule.block "double" <spatial 6> = (d0) -> (d0)(%i)
        reads %x<(d0) -> (d0)> : memref<6xi32>
        writes %x<(d0) -> (d0)> : memref<6xi32> {
      ^bb0(%a: i32):
        %s = arith.addi %a, %a : i32
        schedule.yield %s : i32
      }
    }
  }""")
    assert run(source, numbers(0, 1, 2, 3, 4, 5)).tolist() == [0, 8, 16, 24, 32, 40]


def test_the_last_write_stays() -> None:
    source = copied("""
  schedule.for %i = 0 to 6 {
    schedule.for %j = 0 to 3 {
      schedule.block "last" <spatial 6, spatial 3> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %x<(d0, d1) -> (d1 + d0 floordiv 2)> : memref<6xi32>
        writes %out<(d0, d1) -> (d0)> : memref<6xi32> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }""")
    assert run(source, numbers(0, 1, 2, 3, 4, 5)).tolist() == [2, 2, 3, 3, 4, 4]


def test_iterations_that_meet_in_one_element_run_in_order() -> None:
    source = copied("""
  schedule.for %i = 0 to 4 {
    schedule.for %j = 0 to 3 {
      schedule.block "meet" <spatial 4, spatial 3> = (d0, d1) -> (d0, d1)(%i, %j)
        reads %x<(d0, d1) -> (d0)> : memref<6xi32>
        writes %out<(d0, d1) -> (d0 + d1)> : memref<6xi32> {
      ^bb0(%v: i32):
        schedule.yield %v : i32
      }
    }
  }""")
    assert run(source, numbers(10, 11, 12, 13, 14, 15)).tolist() == [10, 11, 12, 13, 13, 13]


def test_a_reduction_without_init_continues_in_the_buffer() -> None:
    x, start = np.arange(12, dtype=np.int32).reshape(4, 3), numbers(100, 200, 300, 400)
    assert run(reduction(""), x, start).tolist() == (start + x.sum(1)).tolist()


def test_a_reduction_with_init_starts_there() -> None:
    x = np.full((4, 3), 2**31 - 1, np.int32)
    found = run(reduction("", "init 7 : i32"), x, numbers(0, 0, 0, 0))
    wrapped = (3 * (2**31 - 1) + 7 + 2**31) % 2**32 - 2**31
    assert found.tolist() == [wrapped] * 4


def test_a_guarded_reduction_takes_the_points_that_hold() -> None:
    x = np.arange(12, dtype=np.int32).reshape(4, 3)
    guard = "where (d0, d1) : (d0 - 1 >= 0, 2 - d1 >= 0)"
    found = run(reduction(guard, "init 7 : i32"), x, numbers(100, 200, 300, 400))
    assert found.tolist() == [100 + 1 + 2, 200 + 4 + 5, 300 + 7 + 8, 400]


@pytest.mark.parametrize(
    ("op", "start", "expected"),
    [
        ("arith.maxsi", 6, [6, 9, 8, 6]),
        ("arith.minui", -1, [1, 2, 0, 3]),
        ("arith.muli", 1, [-30, -90, 0, -75]),
        ("arith.xori", 0, [5 ^ 1 ^ -6, 9 ^ 2 ^ -5, 8 ^ 0 ^ -4, 5 ^ 3 ^ -5]),
        ("arith.andi", -1, [5 & 1 & -6, 9 & 2 & -5, 8 & 0 & -4, 5 & 3 & -5]),
        ("arith.subi", 0, [0, -6, -4, -3]),
    ],
)
def test_reductions_by_other_operations(op: str, start: int, expected: list[int]) -> None:
    x = np.array([[5, 1, -6], [9, 2, -5], [8, 0, -4], [5, 3, -5]], np.int32)
    body = f"^bb0(%v: i32, %acc: i32):\n      %s = {op} %acc, %v : i32\n      schedule.yield %s : i32"
    assert run(reduction("", body=body), x, numbers(*[start] * 4)).tolist() == expected


def test_floats_add_up_in_the_order_of_the_loops() -> None:
    body = "^bb0(%v: f16, %acc: f16):\n      %s = arith.addf %acc, %v : f16\n      schedule.yield %s : f16"
    x = np.array([[2048, 1, 1], [1, 1, 2048], [0.1, 0.2, 0.3], [1, -1, 0]], np.float16)
    found = run(reduction("", "init 0.0 : f16", body, "f16"), x, np.zeros(4, np.float16))
    expected = np.zeros(4, np.float16)
    for column in range(3):
        expected = expected + x[:, column]
    assert found.tolist() == expected.tolist()
    assert found[0] == 2048 and found[1] == 2050


def test_a_padded_read_outside_gives_the_pad_value() -> None:
    source = copied(f"""
  schedule.for %i = 0 to 6 {{
    schedule.block "shift" <spatial 6> = (d0) -> (d0)(%i)
      reads %x<(d0) -> (d0 * 2 - 3), pad -9 : i32> : memref<6xi32>
      writes %out<(d0) -> (d0)> : memref<6xi32> {{
    {COPY}
    }}
  }}""")
    assert run(source, numbers(0, 1, 2, 3, 4, 5)).tolist() == [-9, -9, 1, 3, 5, -9]


def test_every_kind_of_loop_runs() -> None:
    source = copied(f"""
  schedule.for %a = 0 to 3 kind "cthread" {{
    schedule.for %b = 0 to 2 kind "vectorized" {{
      schedule.block "copy" <spatial 6> = (d0, d1) -> (d0 * 2 + d1)(%a, %b)
        reads %x{IDENTITY} : memref<6xi32>
        writes %out{IDENTITY} : memref<6xi32> {{
      {COPY}
      }}
    }}
  }}""")
    assert run(source, numbers(5, 4, 3, 2, 1, 0)).tolist() == [5, 4, 3, 2, 1, 0]


def test_global_constants_are_buffers() -> None:
    source = """
"memref.global"() {sym_name = "table", type = memref<4xi32>, sym_visibility = "private",
  initial_value = dense<[3, 1, 4, 1]> : tensor<4xi32>} : () -> ()
func.func @f(%out: memref<4xi32> {schedule.result}) {
  %t = memref.get_global @table : memref<4xi32>
  schedule.for %i = 0 to 4 {
    schedule.block "copy" <spatial 4> = (d0) -> (d0)(%i)
      reads %t<(d0) -> (d0)> : memref<4xi32>
      writes %out<(d0) -> (d0)> : memref<4xi32> {
    ^bb0(%v: i32):
      schedule.yield %v : i32
    }
  }
  func.return
}
"""
    assert run(source).tolist() == [3, 1, 4, 1]
