"""Products and convolutions for tensor cores: default schedules, edited ones, and the text run on the CPU."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

import vtac
from fuzz.case import Json, Payload
from fuzz.outcome import MismatchError, Outcome
from fuzz.reduction import smaller_numbers, without_chunks
from fuzz.targets.script import draw_edits, edited
from vtac.errors import ToolMissingError
from vtac.targets.cuda.schedules import default_schedule

_MATMUL = """#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> ({b})>
#c = affine_map<(m, n, k) -> (m, n)>
func.func @product(%a: tensor<{m}x{k}x{t}>, %b: tensor<{rows}x{columns}x{t}>) -> tensor<{m}x{n}x{acc}> {{
  %zero = arith.constant {zero} : {acc}
  %empty = tensor.empty() : tensor<{m}x{n}x{acc}>
  %init = linalg.fill ins(%zero : {acc}) outs(%empty : tensor<{m}x{n}x{acc}>) -> tensor<{m}x{n}x{acc}>
  %c = linalg.generic {{indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}}
      ins(%a, %b : tensor<{m}x{k}x{t}>, tensor<{rows}x{columns}x{t}>) outs(%init : tensor<{m}x{n}x{acc}>) {{
  ^bb0(%x: {t}, %y: {t}, %s: {acc}):
    %xw = arith.{extend} %x : {t} to {acc}
    %yw = arith.{extend} %y : {t} to {acc}
    %p = arith.{multiply} %xw, %yw : {acc}
    %r = arith.{add} %s, %p : {acc}
    linalg.yield %r : {acc}
  }} -> tensor<{m}x{n}x{acc}>
  func.return %c : tensor<{m}x{n}x{acc}>
}}
"""
_FLOATS = {"acc": "f32", "zero": "0.0", "extend": "extf", "multiply": "mulf", "add": "addf"}
_INTEGERS = {"acc": "i32", "zero": "0", "extend": "extsi", "multiply": "muli", "add": "addi"}


class CudaTarget:
    name = "cuda"
    features = ("odd", "transposed", "integers", "edits", "many", "run")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        extents = [1, 7, 13, 16, 24, 33, 40, 64, 96] if "odd" in features else [16, 32, 64, 128]
        payload: Payload = {
            "m": random.choice(extents),
            "n": random.choice(extents),
            "k": random.choice(extents),
            "transposed": "transposed" in features,
            "type": "i8" if "integers" in features else "f16",
            "edits": [],
            "run": "run" in features and random.random() < 0.3,
        }
        if "edits" in features:
            script = str(default_schedule(vtac.parse(_text(payload))))
            payload["edits"] = cast(Json, draw_edits(random, script, "many" in features))
        return payload

    def judge(self, payload: Payload) -> Outcome:
        text = _text(payload)
        script = None
        if payload["edits"]:
            script = edited(str(default_schedule(vtac.parse(text))), cast("list[list[int]]", payload["edits"])) + "\n"
        try:
            program = vtac.compile(text, "cuda", schedule=script)
        except vtac.VtacError as error:
            if not payload["edits"]:
                raise MismatchError("default schedule", f"refused: {error}") from None
            return Outcome("refused", detail=str(error))
        if payload["run"]:
            arrays = _arrays(payload)
            try:
                found = np.asarray(program(*arrays))
            except ToolMissingError:
                return Outcome("accepted")
            _compare(payload, arrays, found)
        reach = sorted(set(re.findall(r"schedule\.\w+", script or "")))
        return Outcome("accepted", reach=(*reach, *(["text on the CPU"] if payload["run"] else [])))

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for edits in without_chunks(cast("list[Json]", payload["edits"])):
            yield {**payload, "edits": edits}
        for name in ("m", "n", "k"):
            for smaller in smaller_numbers(cast(int, payload[name])):
                yield {**payload, name: smaller}


def matmul_text(m: int, n: int, k: int, element: str = "f16", *, transposed: bool = False) -> str:
    """A product of two matrices; the second as it is or transposed."""
    rows, columns, b = (n, k, "n, k") if transposed else (k, n, "k, n")
    words = _INTEGERS if element == "i8" else _FLOATS
    return _MATMUL.format(m=m, n=n, k=k, rows=rows, columns=columns, b=b, t=element, **words)


def _text(payload: Payload) -> str:
    m, n, k = (cast(int, payload[name]) for name in "mnk")
    return matmul_text(m, n, k, cast(str, payload["type"]), transposed=bool(payload["transposed"]))


def _arrays(payload: Payload) -> list[NDArray[Any]]:
    rng = np.random.default_rng(0)
    m, n, k = (cast(int, payload[name]) for name in "mnk")
    shapes = [(m, k), (n, k) if payload["transposed"] else (k, n)]
    if payload["type"] == "i8":
        return [rng.integers(-128, 128, shape).astype(np.int8) for shape in shapes]
    return [rng.integers(-8, 9, shape).astype(np.float16) for shape in shapes]


def _compare(payload: Payload, arrays: list[NDArray[Any]], found: NDArray[Any]) -> None:
    """Integers of f16 are small enough that sums are exact: equality is required."""
    first, second = (array.astype(np.float64) for array in arrays)
    want = first @ (second.T if payload["transposed"] else second)
    if not np.array_equal(found.astype(np.float64), want):
        raise MismatchError("CUDA text on the CPU against numpy", f"{int((found != want).sum())} of {want.size} differ")


TARGET = CudaTarget()
