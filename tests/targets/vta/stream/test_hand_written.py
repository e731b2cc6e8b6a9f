"""Programs written by hand at the vta level: what they issue, by hand and by independent arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hand_written import BUFFER, CALL, KERNEL, load, loop, program
from hypothesis import given, settings
from hypothesis import strategies as st

import vtac
from vtac.targets.vta.isa import Load, decode
from vtac.targets.vta.stream.build import build_program


def _loads(text: str) -> list[tuple[int, int]]:
    """SRAM and DRAM tiles of the loads of a program, the latter from the first buffer on."""
    built = build_program(vtac.parse(text))
    first = built.buffers[0].address // built.config.inp_element_bytes
    found = [one for one in decode(built.instructions, built.config) if isinstance(one, Load) and one.x_size]
    return [(load.sram_base, load.dram_base - first) for load in found]


_AROUND = (
    "{}",
    "%t = arith.constant true\nscf.if %t {{\n{}\n}}",
    loop("BODY").replace("{", "{{").replace("}", "}}").replace("BODY", "{}"),
)


@pytest.mark.parametrize("around", _AROUND)
def test_a_kernel_called_anywhere_gives_its_caller_what_it_stores(around: str) -> None:
    built = vtac.compile(program(around.format(CALL), KERNEL), acc_8bit=True)
    data = np.arange(64 * 16, dtype=np.int8).reshape(64, 1, 16)
    np.testing.assert_array_equal(built(data, np.zeros_like(data)), data)
    assert [(call.reads, call.writes) for call in built.stream.kernels] == [(("a",), ("c",))]


def test_a_result_stored_through_a_view_is_given_back() -> None:
    part = "memref<32x1x16xi8, strided<[16, 16, 1], offset: 512>>"
    view = (
        f"%v = memref.reinterpret_cast %c to offset: [512], sizes: [32, 1, 16], strides: [16, 16, 1] : {BUFFER} to "
        f"{part}\n"
        "vta.alu add imm 1 loops [] micro [32] (d0) -> (d0, d0)\n"
        f"vta.store_2d out %v [sram = 0, dram = 0, x_size = 32, y_size = 1, x_stride = 32] : {part}"
    )
    built = build_program(vtac.parse(program(view)))
    assert [(buffer.name, buffer.role) for buffer in built.results] == [("c", "output")]


def _wrapped(number: int, bits: int) -> int:
    half = 1 << bits - 1
    return (number + half) % (2 * half) - half


_OPERATIONS = {"addi": int.__add__, "subi": int.__sub__, "muli": int.__mul__, "maxsi": max, "minsi": min}


@settings(max_examples=60)
@given(
    bits=st.sampled_from([1, 3, 8, 32, 64]),
    steps=st.lists(st.tuples(st.sampled_from(sorted(_OPERATIONS)), st.integers(0, 9), st.integers(0, 9)), max_size=8),
    starts=st.lists(st.integers(-(1 << 70), 1 << 70), min_size=3, max_size=3),
)
def test_integers_of_the_host_wrap_at_their_width(
    bits: int, steps: list[tuple[str, int, int]], starts: list[int]
) -> None:
    values = [_wrapped(start, bits) for start in starts]
    lines = [f"%v{n} = arith.constant {value} : i{bits}" for n, value in enumerate(values)]
    for name, first, second in steps:
        left, right = first % len(values), second % len(values)
        lines.append(f"%v{len(values)} = arith.{name} %v{left}, %v{right} : i{bits}")
        values.append(_wrapped(_OPERATIONS[name](values[left], values[right]), bits))
    last = len(values) - 1
    lines += [f"%t = arith.cmpi slt, %v{last}, %v0 : i{bits}", f"scf.if %t {{\n{load(7)}\n}}", load(9)]
    expected = [(0, 7)] if values[last] < values[0] else []
    assert _loads(program("\n".join(lines))) == [*expected, (0, 9)]


def test_flags_are_compared_as_signed_numbers() -> None:
    body = """
    %yes = arith.constant true
    %no = arith.constant false
    %more = arith.cmpi sgt, %yes, %no : i1
    %less = arith.cmpi slt, %yes, %no : i1
    scf.if %more {{
      {0}
    }}
    scf.if %less {{
      {1}
    }}"""
    assert _loads(program(body.format(load(1), load(2)))) == [(0, 2)]
