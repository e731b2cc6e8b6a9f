"""Payloads of one or two blocks on small vectors, and what their execution gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.evaluate import evaluate
from vtac.evaluate.numbers import Array
from vtac.text.source import parse

IDENTITY = "<(d0) -> (d0)>"


def vector(body: str) -> str:
    """A function on one i32 vector %x, updated in place."""
    return f"\nfunc.func @f(%x: memref<6xi32>) {{\n{body}\n  func.return\n}}\n"


def copied(body: str) -> str:
    """A function from the i32 vector %x to the result %out."""
    kind = "memref<6xi32>"
    return f"\nfunc.func @f(%x: {kind}, %out: {kind} {{schedule.result}}) {{\n{body}\n  func.return\n}}\n"


def run(source: str, *arrays: Array) -> Array:
    result = evaluate(parse(source), *arrays)
    assert isinstance(result, np.ndarray)
    return result


def numbers(*values: int) -> NDArray[np.int32]:
    return np.array(values, np.int32)


COPY = """^bb0(%v: i32):
      schedule.yield %v : i32"""
SUM = """^bb0(%v: i32, %acc: i32):
      %s = arith.addi %acc, %v : i32
      schedule.yield %s : i32"""


def reduction(domain: str, init: str = "", body: str = SUM, element: str = "i32") -> str:
    return f"""
func.func @f(%x: memref<4x3x{element}>, %out: memref<4x{element}>) {{
  schedule.for %k = 0 to 3 {{
    schedule.for %i = 0 to 4 {{
      schedule.block "reduce" <spatial 4, reduction 3> = (d0, d1) -> (d1, d0)(%k, %i)
        {domain}
        reads %x<(d0, d1) -> (d0, d1)> : memref<4x3x{element}>
        writes %out<(d0, d1) -> (d0)> : memref<4x{element}>
        {init} {{
      {body}
      }}
    }}
  }}
  func.return
}}
"""
