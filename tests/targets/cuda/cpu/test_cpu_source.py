"""Shared declarations become the runtime's arrays; the rest of the text stays as it is."""

from __future__ import annotations

import pytest
from cuda_kernels import pipelined_matmul

from vtac.dialects.gpu_hardware import SHAPES
from vtac.errors import KernelTextError
from vtac.targets.cuda.cpu.source import host_program, known_fragments, rewrite_shared


def test_static_array() -> None:
    text = rewrite_shared("  __shared__ half a[2][128 * 40];\n  x = 1;")
    assert "typedef half a_storage[2][128 * 40]; a_storage& a = " in text
    assert 'vtac::static_shared(0, sizeof(a_storage), alignof(a_storage), "a", {sizeof(half), 2, {2, 128 * 40}' in text
    assert text.endswith("\n  x = 1;")


@pytest.mark.parametrize(
    "declaration",
    [
        "extern __shared__ unsigned char smem[];",
        "extern __shared__ __align__(128) unsigned char smem[];",
        "extern __align__(128) __shared__ unsigned char smem[];",
        "alignas(16) extern __shared__ unsigned char smem[];",
    ],
)
def test_dynamic_array(declaration: str) -> None:
    assert rewrite_shared(declaration).startswith("unsigned char* const smem = reinterpret_cast<unsigned char*>(")


def test_slots_differ_and_lines_stay() -> None:
    text = "__shared__ float a[4];\n__shared__ alignas(16)\n  int flags[2]\n [3];\nend"
    rewritten = rewrite_shared(text)
    assert "static_shared(0," in rewritten
    assert "static_shared(1," in rewritten
    assert rewritten.count("\n") == text.count("\n")


def test_comments_and_strings_are_left_alone() -> None:
    text = '// __shared__ half a[3];\n/* __shared__ */ const char* s = "__shared__";\n'
    assert rewrite_shared(text) == text


def test_the_program_keeps_the_text() -> None:
    sample = pipelined_matmul()
    program = host_program(sample.text, sample.launch)
    unchanged = [line for line in sample.text.splitlines() if "__shared__" not in line]
    assert all(line in program for line in unchanged)


@pytest.mark.parametrize("declaration", ["__shared__ half a[4], b[4];", "__shared__ int n = 3;", "__shared__ half* p;"])
def test_other_declarations_are_refused_with_their_line(declaration: str) -> None:
    with pytest.raises(
        KernelTextError, match=r"kernel\.cu:2: cannot run `.*` on the CPU: a shared declaration must be"
    ):
        rewrite_shared(f"\n  {declaration}\n")


def test_fragments_are_those_of_the_record() -> None:
    """Nothing in the headers says which shapes there are; the program does."""
    text = known_fragments()
    assert "exists<matrix_a, 8, 32, 16, signed char> = true;" in text
    assert "exists<accumulator, 16, 16, 8, float> = true;" in text
    assert "exists<accumulator, 16, 16, 8, half> = true;" not in text
    assert text.count("exists<matrix_a") == text.count("exists<matrix_b") == sum(map(len, SHAPES.values()))
