"""Buffers in memory: copies, views, globals, and what is read before it is written."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.evaluate import EvaluationError, evaluate
from vtac.text.source import parse

GLOBALS = """
memref.global "private" constant @table : memref<4xi32> = dense<[1, 2, 3, 4]>
memref.global "private" @kept : memref<4xi32> = dense<0>
memref.global "private" @open : memref<4xi32> = uninitialized
memref.global "private" @elsewhere : memref<4xi32>
"""


def run(body: str, *arrays: np.ndarray, head: str, returns: str = "") -> object:
    return evaluate(parse(f"{GLOBALS}func.func @f({head}) {returns} {{{body}\n}}\n"), *arrays)


def test_copies_through_casts_and_globals() -> None:
    body = """
  %t = memref.get_global @table : memref<4xi32>
  %k = memref.get_global @kept : memref<4xi32>
  %open = memref.cast %k : memref<4xi32> to memref<?xi32>
  memref.copy %t, %open : memref<4xi32> to memref<?xi32>
  %again = memref.get_global @kept : memref<4xi32>
  memref.copy %again, %m : memref<4xi32> to memref<4xi32>
  return"""
    assert np.array_equal(run(body, np.zeros(4, np.int32), head="%m: memref<4xi32>"), [1, 2, 3, 4])  # pyright: ignore[reportArgumentType]


def test_views_share_the_elements_of_their_buffer() -> None:
    body = """
  %c1 = arith.constant 1 : index
  %z = arith.constant 0 : i32
  %s = memref.subview %m[%c1, 0] [2, 2] [1, 2] : memref<4x4xi32> to memref<2x2xi32, strided<[4, 2], offset: ?>>
  linalg.fill ins(%z : i32) outs(%s : memref<2x2xi32, strided<[4, 2], offset: ?>>)
  %row = memref.subview %m[3, 0] [1, 4] [1, 1] : memref<4x4xi32> to memref<4xi32, strided<[1], offset: 12>>
  %e = memref.expand_shape %row [[0, 1]] output_shape [2, 2]
      : memref<4xi32, strided<[1], offset: 12>> into memref<2x2xi32, strided<[2, 1], offset: 12>>
  memref.store %z, %e[%c1, %c1] : memref<2x2xi32, strided<[2, 1], offset: 12>>
  %flat = memref.reinterpret_cast %m to offset: [1], sizes: [2], strides: [2]
      : memref<4x4xi32> to memref<2xi32, strided<[2], offset: 1>>
  memref.store %z, %flat[%c1] : memref<2xi32, strided<[2], offset: 1>>
  return"""
    given = np.arange(1, 17, dtype=np.int32).reshape(4, 4)
    wanted = given.copy()
    wanted[1:3, ::2] = 0
    wanted[3, 3] = wanted[0, 3] = 0
    assert np.array_equal(run(body, given, head="%m: memref<4x4xi32>"), wanted)  # pyright: ignore[reportArgumentType]


def test_a_buffer_of_an_extent_that_is_computed() -> None:
    body = """
  %c0 = arith.constant 0 : index
  %a = memref.alloc(%n) : memref<?xi32>
  %d = memref.dim %a, %c0 : memref<?xi32>
  %r = memref.rank %a : memref<?xi32>
  %s = arith.addi %d, %r : index
  return %s : index"""
    assert run(body, np.array(5), head="%n: index", returns="-> index") == 6
    with pytest.raises(EvaluationError, match=r"gets the extents \[-2\], of which none may be negative"):
        run(body, np.array(-2), head="%n: index", returns="-> index")


def test_functions_write_the_buffers_that_they_are_given() -> None:
    source = """
func.func private @clear(%x: memref<2xi32>, %v: i32) -> i32 {
  linalg.fill ins(%v : i32) outs(%x : memref<2xi32>)
  return %v : i32
}
func.func @f(%m: memref<2xi32>, %other: memref<2xi32>, %v: i32) -> i32 {
  %r = call @clear(%m, %v) : (memref<2xi32>, i32) -> i32
  return %r : i32
}
"""
    arrays = (np.ones(2, np.int32), np.ones(2, np.int32), np.array(7, np.int32))
    written, returned = evaluate(parse(source), *arrays)
    assert written.tolist() == [7, 7]
    assert (returned.shape, returned.item()) == ((), 7)


REFUSED = {
    "a constant that is written": (
        "%t = memref.get_global @table : memref<4xi32>\n  memref.copy %m, %t : memref<4xi32> to memref<4xi32>",
        "'memref.copy' writes 'table', which is constant",
    ),
    "contents that are elsewhere": (
        "%t = memref.get_global @elsewhere : memref<4xi32>",
        "global 'elsewhere' has no contents to read: give it an initial value",
    ),
    "an element that nothing has written": (
        "%i = arith.constant 2 : index\n  %t = memref.get_global @open : memref<4xi32>\n"
        "  %x = memref.load %t[%i] : memref<4xi32>",
        r"'memref.load' reads 'open' at \[2\], which nothing has written",
    ),
    "what is copied before it is written": (
        "%a = memref.alloc() : memref<4xi32>\n  memref.copy %a, %m : memref<4xi32> to memref<4xi32>",
        "'m': what is copied into it was not written everywhere",
    ),
    "a buffer that is gone": (
        "%a = memref.alloc() : memref<4xi32>\n  memref.dealloc %a : memref<4xi32>\n"
        "  memref.copy %a, %m : memref<4xi32> to memref<4xi32>",
        "'a' of type memref<4xi32> has no contents here",
    ),
    "a cast to another extent": (
        "%a = memref.cast %m : memref<4xi32> to memref<?xi32>\n  %b = memref.cast %a : memref<?xi32> to memref<5xi32>",
        r"'memref.cast' to memref<5xi32> of a buffer whose shape is \[4\]",
    ),
    "a view beyond its buffer": (
        "%i = arith.constant 3 : index\n  %a = memref.subview %m[%i] [2] [1] : memref<4xi32> to "
        "memref<2xi32, strided<[1], offset: ?>>",
        "dimension 0 takes 2 elements from 3 in steps of 1; it has 4",
    ),
    "a reinterpretation beyond its buffer": (
        "%a = memref.reinterpret_cast %m to offset: [0], sizes: [2], strides: [3] : memref<4xi32> to "
        "memref<2xi32, strided<[3]>>\n  %b = memref.reinterpret_cast %m to offset: [2], sizes: [2], "
        "strides: [3] : memref<4xi32> to memref<2xi32, strided<[3], offset: 2>>",
        "reaches 2 to 5 of the 4 elements",
    ),
}


@pytest.mark.parametrize(("body", "message"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_meaning_is_refused(body: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        run(f"\n  {body}\n  return", np.zeros(4, np.int32), head="%m: memref<4xi32>")
