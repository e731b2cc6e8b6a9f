"""What the execution of payloads refuses: unwritten elements, indices outside, ops of other levels, other arrays."""

from __future__ import annotations

import numpy as np
import pytest
from payload_programs import COPY, IDENTITY, copied, numbers, reduction, run, vector
from programs import elementwise_payload

from vtac.evaluate import EvaluationError, blocks, evaluate_payload
from vtac.text.source import parse


def scratch(writes: int, *, inside: bool) -> str:
    """A buffer of 6 whose first elements are written, in an outer loop's first iteration when allocated outside."""
    allocation = "%t = memref.alloc() : memref<6xi32>"
    outer, inner = ("", allocation) if inside else (allocation, "")
    return copied(f"""
  {outer}
  schedule.for %o = 0 to 2 {{
    {inner}
    schedule.for %i = 0 to {writes} {{
      schedule.block "fill" <spatial 2, spatial 6> = (d0, d1) -> (d0, d1)(%o, %i)
        where (d0, d1) : (d0 * -1 >= 0)
        reads %x<(d0, d1) -> (d1)> : memref<6xi32>
        writes %t<(d0, d1) -> (d1)> : memref<6xi32> {{
      {COPY}
      }}
    }}
    schedule.for %i = 0 to 6 {{
      schedule.block "drain" <spatial 6> = (d0) -> (d0)(%i)
        reads %t{IDENTITY} : memref<6xi32>
        writes %out{IDENTITY} : memref<6xi32> {{
      {COPY}
      }}
    }}
  }}""")


def test_a_buffer_keeps_what_was_written() -> None:
    assert run(scratch(6, inside=False), numbers(1, 2, 3, 4, 5, 6)).tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("points", [1, 3, 1 << 19])
def test_an_unwritten_read_names_block_buffer_and_index(points: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "POINTS_AT_ONCE", points)
    with pytest.raises(EvaluationError, match=r"block 'drain' reads 't' at \[4\], which nothing has written"):
        run(scratch(4, inside=False), numbers(1, 2, 3, 4, 5, 6))


def test_an_allocation_in_a_loop_is_new_each_time() -> None:
    with pytest.raises(EvaluationError, match=r"block 'drain' reads 't' at \[0\], which nothing has written"):
        run(scratch(6, inside=True), numbers(1, 2, 3, 4, 5, 6))


def test_a_reduction_into_an_unwritten_buffer_is_refused() -> None:
    source = reduction("").replace("%out: memref<4xi32>", "%out: memref<4xi32> {schedule.result}")
    with pytest.raises(EvaluationError, match=r"block 'reduce' reads 'out' at \[0\], which nothing has written"):
        run(source, np.zeros((4, 3), np.int32))


def test_a_result_must_be_written_wholly() -> None:
    source = copied(f"""
  schedule.for %i = 0 to 4 {{
    schedule.block "copy" <spatial 4> = (d0) -> (d0)(%i)
      reads %x{IDENTITY} : memref<6xi32>
      writes %out{IDENTITY} : memref<6xi32> {{
    {COPY}
    }}
  }}""")
    with pytest.raises(EvaluationError, match=r"result 'out': nothing has written its element \[4\]"):
        run(source, numbers(1, 2, 3, 4, 5, 6))


def shifted(reads: str, writes: str, guard: str = "") -> str:
    return copied(f"""
  schedule.for %i = 0 to 6 {{
    schedule.block "shift" <spatial 6> = (d0) -> (d0)(%i)
      {guard}
      reads %x<(d0) -> ({reads})> : memref<6xi32>
      writes %out<(d0) -> ({writes})> : memref<6xi32> {{
    {COPY}
    }}
  }}""")


def test_indices_outside_are_refused_and_never_wrap() -> None:
    x = numbers(1, 2, 3, 4, 5, 6)
    with pytest.raises(EvaluationError, match=r"block 'shift' reads 'x' at \[-1\], outside of its shape \[6\]"):
        run(shifted("d0 - 1", "d0"), x)
    with pytest.raises(EvaluationError, match=r"block 'shift' writes 'out' at \[6\], outside of its shape \[6\]"):
        run(shifted("d0", "d0 + 1"), x)


def test_a_guard_keeps_indices_inside() -> None:
    source = shifted("d0 - 1", "d0", "where (d0) : (d0 - 1 >= 0)")
    with pytest.raises(EvaluationError, match=r"result 'out': nothing has written its element \[0\]"):
        run(source, numbers(1, 2, 3, 4, 5, 6))


def test_a_variable_outside_of_its_domain_is_refused() -> None:
    source = shifted("d0 floordiv 2", "d0 floordiv 2").replace("<spatial 6>", "<spatial 5>")
    with pytest.raises(EvaluationError, match=r"block 'shift' runs at \[5\], outside of its domain \[5\]"):
        run(source, numbers(1, 2, 3, 4, 5, 6))


def test_another_op_is_refused_with_its_location() -> None:
    source = vector("  %c = arith.constant 0 : index\n  %v = memref.load %x[%c] : memref<6xi32>")
    with pytest.raises(EvaluationError, match=r"<string>:4:8: cannot execute 'memref\.load' in a payload"):
        evaluate_payload(parse(source), [numbers(1, 2, 3, 4, 5, 6)])


_BETWEEN = (
    r"'vta\.sync' beside schedule loops, or buffers without a place, is IR from within lower-to-vta, which is neither "
    r"executed nor gone on from: take that of a phase among input, payload, scheduled, blocked, vta"
)


def test_hardware_ops_among_schedule_loops_are_refused() -> None:
    source = vector(f"""
  "vta.sync"() : () -> ()
  schedule.for %i = 0 to 6 {{
    schedule.block "copy" <spatial 6> = (d0) -> (d0)(%i)
      reads %x{IDENTITY} : memref<6xi32>
      writes %x{IDENTITY} : memref<6xi32> {{
    {COPY}
    }}
  }}""")
    with pytest.raises(EvaluationError, match=_BETWEEN):
        run(source, numbers(1, 2, 3, 4, 5, 6))


def test_arrays_must_be_the_parameters_without_results() -> None:
    source = elementwise_payload("i8", "%r = arith.addi %a, %b : i8\nschedule.yield %r : i8")
    x = np.zeros(4, np.int8)
    with pytest.raises(EvaluationError, match=r"'f' takes 2 arrays \(x, y\); 3 were given"):
        run(source, x, x, x)
