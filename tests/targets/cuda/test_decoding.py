"""Few rows of queries, many heads that share keys, and a causal mask, as in decoding: one kernel, or why it is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import vtac
from vtac.dialects.wmma.attention import AttentionOp
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.passes.gpu.fuse_attention import FuseAttention
from vtac.passes.linalg.normalize_linalg import NormalizeLinalg
from vtac.pipelines import Runner
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.text.context import make_context
from vtac.workloads.attention import Array, softmax
from vtac.workloads.float_text import LEAST, FloatProgram
from vtac.workloads.tensor_text import Tensor

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))


@dataclass(frozen=True)
class Grouped:
    """Heads of keys and values, with `group` heads of queries each; keys beyond `row` + `diagonal` do not count."""

    heads: int
    group: int
    rows: int
    keys: int
    diagonal: int = 0
    row: str = "%row"
    element: str = "f16"
    columns: int = 16

    def text(self, *, earlier_most: bool = False) -> str:
        """One function; with `earlier_most` the maximum is that of scores before they are masked."""
        program, square = FloatProgram("grouped"), (self.heads, self.group, self.rows, self.keys)
        at = "h, g, i, j"
        q = program.argument("q", (*square[:3], 16), self.element)
        k = program.argument("k", (self.heads, self.keys, 16), self.element)
        v = program.argument("v", (self.heads, self.keys, self.columns), self.element)
        scores = program.product(Tensor("scores", square, "f32"), (q, "h, g, i, d"), (k, "h, j, d"), at)
        masked = program.map(Tensor("causal", square, "f32"), [(scores, at)], self._mask())
        weights = softmax(program, masked, self.element, "h, g, i")
        shape = (*square[:3], self.columns)
        mixed = program.product(Tensor("mixed", shape, "f32"), (weights, at), (v, "h, j, c"), "h, g, i, c")
        text = program.text(mixed)
        first = "ins(%causal :"
        return text.replace(first, "ins(%scores :", 1) if earlier_most else text

    def _mask(self) -> str:
        lines = [
            "%group = linalg.index 1 : index",
            "%row = linalg.index 2 : index",
            "%key = linalg.index 3 : index",
            "%zero = arith.constant 0 : index",
            f"%off = arith.constant {self.diagonal} : index",
            f"%last = arith.addi {self.row}, %off : index",
            "%counts = arith.cmpi sge, %last, %key : index",
            f"%least = arith.constant {LEAST} : f32",
            "%y = arith.select %counts, %a0, %least : f32",
        ]
        return "\n    ".join(lines)

    def inputs(self) -> list[Array]:
        """Normally distributed operands."""
        generator = np.random.default_rng(0)
        shapes = [(self.heads, self.group, self.rows, 16), (self.heads, self.keys, 16)]
        shapes.append((self.heads, self.keys, self.columns))
        return [generator.standard_normal(shape).astype(np.float16) for shape in shapes]

    def is_near(self, result: Array, arrays: list[Array]) -> bool:
        """Whether a result is within what rounding of weights may make of it."""
        q, k, v = (array.astype(np.float64) for array in arrays)
        rows = {"%row": np.arange(self.rows)[:, None], "%zero": 0, "%group": np.arange(self.group)[:, None, None]}
        counts = rows[self.row] + self.diagonal >= np.arange(self.keys)
        scores = np.where(counts, np.einsum("hgid,hjd->hgij", q, k), -np.inf)
        parts = np.exp(scores - scores.max(axis=-1, keepdims=True))
        expected = np.einsum("hgij,hjc->hgic", parts / parts.sum(axis=-1, keepdims=True), v)
        assert result.shape == expected.shape
        return bool(np.max(np.abs(result - expected)) <= 3 * 2**-11 * np.max(np.abs(v)))


TAKEN = {
    "more heads than rows": Grouped(3, 4, 3, 65),
    "as many heads as rows": Grouped(2, 3, 3, 20),
    "one row, its first key": Grouped(1, 2, 1, 65),
    "one row, some keys": Grouped(3, 4, 1, 47, diagonal=20),
    "one row, every key": Grouped(1, 4, 1, 33, diagonal=32),
    "one row, keys that there are not": Grouped(1, 4, 1, 33, diagonal=40),
    "one row, not named": Grouped(2, 4, 1, 33, diagonal=17, row="%zero"),
    "the same keys of many rows": Grouped(1, 2, 5, 47, diagonal=34, row="%zero"),
    "heads as rows": Grouped(1, 3, 20, 47, diagonal=1, row="%group"),
    "one of each": Grouped(1, 1, 1, 1),
    "one head, one row": Grouped(2, 1, 1, 37, diagonal=18),
}


def compiled(text: str, instructions: str) -> vtac.CudaNetwork:
    found = vtac.compile(f'module attributes {{wmma.instructions = "{instructions}"}} {{\n{text}}}\n', "cuda")
    assert isinstance(found, vtac.CudaNetwork)
    return found


@needs_compiler
@pytest.mark.parametrize("instructions", ["wmma", "mma.sync"])
@pytest.mark.parametrize("name", TAKEN)
def test_one_kernel_equals_float64(name: str, instructions: str) -> None:
    case, arrays = TAKEN[name], TAKEN[name].inputs()
    program = compiled(case.text(), instructions)
    assert [len(program.plan.steps), program.plan.scratch_bytes] == [1, 0]
    assert ("mma_m16n8k16_" in program.text) == (instructions == "mma.sync")
    assert case.is_near(program.run_on_cpu(arrays).outputs[0], arrays)


def fused(case: Grouped) -> tuple[AttentionOp, Array]:
    """The one operation, and what its level computes."""
    module = vtac.parse(case.text())
    Runner(make_context()).run_passes([NormalizeLinalg(), FuseAttention()], module)
    (found,) = [op for op in module.walk() if isinstance(op, AttentionOp)]
    result = evaluate(module, *case.inputs())
    assert isinstance(result, np.ndarray)
    return found, result


@pytest.mark.parametrize("name", TAKEN)
def test_its_level_equals_float64(name: str) -> None:
    assert TAKEN[name].is_near(fused(TAKEN[name])[1], TAKEN[name].inputs())


def test_heads_of_one_row_are_the_rows_of_a_block() -> None:
    (one, _), (three, _) = fused(TAKEN["one row, some keys"]), fused(TAKEN["more heads than rows"])
    assert [one.batch, one.extents[:2], one.diagonal] == [(3, 1), (4, 21), None]
    assert three.diagonal is not None
    assert [three.batch, three.extents[:2], three.diagonal.value.data] == [(3, 4), (3, 65), 0]


@needs_compiler
@pytest.mark.parametrize("name", ["more heads than rows", "one row, some keys"])
def test_a_key_more_is_seen(name: str) -> None:
    case = TAKEN[name]
    arrays = case.inputs()
    other = Grouped(case.heads, case.group, case.rows, case.keys, case.diagonal + 1)
    assert not case.is_near(compiled(other.text(), "mma.sync").run_on_cpu(arrays).outputs[0], arrays)


REFUSED = {
    "its mask by indices has to put -1e30 or less where key > row . d": Grouped(2, 4, 3, 33, row="%key"),
    "its mask by indices has to .* with a constant d of 0 or more": Grouped(1, 4, 1, 33, diagonal=-1),
    "heads of 16 and 24 features; multiples of 16 are required": Grouped(2, 4, 3, 33, columns=24),
    "heads of 16 and 1024 features do not fit": Grouped(2, 4, 3, 33, columns=1024),
    "it is no product of f16 or bf16 that is added up in f32": Grouped(2, 4, 3, 33, element="f32"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_not_fused_says_why(reason: str) -> None:
    with pytest.raises(CompileError, match=f"as attention: {reason}.*; no other kernel computes a mask by indices"):
        compiled(REFUSED[reason].text(), "wmma")


def test_a_softmax_of_other_scores_says_why() -> None:
    wanted = "another number than their maximum is subtracted; no other kernel computes a mask by indices: add one"
    with pytest.raises(CompileError, match=wanted):
        compiled(Grouped(2, 4, 3, 33).text(earlier_most=True), "wmma")
