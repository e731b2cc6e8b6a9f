"""One program, one module and one parser from several threads at once: the same results as from one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import numpy as np
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp

import vtac
from vtac.evaluate import evaluate

_T = TypeVar("_T")

THREADS = 4
KIND = "tensor<1x16x4x4xi8>"
TEXT = f"""func.func @f(%a: {KIND}, %b: {KIND}) -> {KIND} {{
  %e = tensor.empty() : {KIND}
  %s = linalg.max ins(%a, %b : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  func.return %s : {KIND}
}}
"""


def _at_once(work: Callable[[int], _T]) -> list[_T]:
    """What `work` gives in each thread; all start together."""
    start = Barrier(THREADS)

    def begin(number: int) -> _T:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def _array(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.random.default_rng(seed).integers(-128, 128, (1, 16, 4, 4), np.int64).astype(np.int8)


def test_one_program() -> None:
    program = vtac.compile(TEXT)
    for round_number in range(4):
        pairs = [(_array(8 * round_number + n), _array(100 + 8 * round_number + n)) for n in range(THREADS)]
        found = _at_once(lambda number, pairs=pairs: program(*pairs[number]))
        for result, (a, b) in zip(found, pairs, strict=True):
            assert (np.asarray(result) == np.maximum(a, b)).all()
    assert program.stats["cycles"] == program.cycles


def test_one_module_compiled_and_executed() -> None:
    module = vtac.parse(TEXT)
    before = str(module)
    expected = vtac.compile(module).disassemble()
    a, b = _array(1), _array(2)

    def work(number: int) -> tuple[str, bool]:
        if number % 2:
            return expected, bool((np.asarray(evaluate(module, a, b)) == np.maximum(a, b)).all())
        return vtac.compile(module).disassemble(), True

    assert _at_once(work) == [(expected, True)] * THREADS
    assert str(module) == before


def test_resources_belong_to_the_text_that_holds_them() -> None:
    """xDSL keeps them in a store of the process, by keys that texts share."""

    def text(number: int) -> str:
        data = f"0x01000000{bytes([number]).hex() * 16}"
        return (
            "func.func @f() -> tensor<16xi8> {\n  %c = arith.constant dense_resource<k> : tensor<16xi8>\n"
            "  return %c : tensor<16xi8>\n}\n"
            f'{{-#\n  dialect_resources: {{\n    builtin: {{\n      k: "{data}"\n    }}\n  }}\n#-}}\n'
        )

    def work(number: int) -> bool:
        return all(_contents(vtac.parse(text(number))) == [bytes([number]) * 16] for _ in range(20))

    assert _at_once(work) == [True] * THREADS


def _contents(module: ModuleOp) -> list[bytes]:
    constants = [op.value for op in module.walk() if isinstance(op, ConstantOp)]
    return [value.data.data for value in constants if isinstance(value, DenseIntOrFPElementsAttr)]
