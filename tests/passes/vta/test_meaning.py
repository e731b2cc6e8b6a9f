"""Programs in the files of passes to the VTA compute the same under the rest of the pipeline as before the pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from vtac.evaluate import evaluate
from vtac.evaluate.numbers import Array
from vtac.text.context import make_context
from vtac.text.source import parse
from vtac.tools.registry import pass_factories

HERE = Path(__file__).parent
UNITS = ("convert-dma-to-vta", "convert-gemm-to-vta", "convert-alu-to-vta")
TOKENS = ("vta-group-stages", "vta-insert-dependences")
REST = ("schedule-inject-virtual-threads", "vta-rotate-buffers", "vta-place-buffers", "convert-schedule-to-scf")


def program(file: str, name: str) -> ModuleOp:
    """One function of a pass's file, in a module of its own."""
    text = (HERE / f"{file}.mlir").read_text(encoding="utf-8")
    start = text.index(f"func.func @{name}(")
    return parse(text[start : text.index("\n}\n", start) + 3])


def lowered(module: ModuleOp, passes: Sequence[str]) -> ModuleOp:
    for name in passes:
        pass_factories()[name]()().apply(make_context(), module)
        module.verify()
    return module


def numbers(*shape: int, dtype: type[np.generic] = np.int32) -> Array:
    return np.random.default_rng(0).integers(-100, 100, shape).astype(dtype)


def same(one: Array | tuple[Array, ...], other: Array | tuple[Array, ...]) -> bool:
    return all(map(np.array_equal, one, other)) if isinstance(one, tuple) else np.array_equal(one, other)


@pytest.mark.parametrize(
    ("file", "name", "arrays"),
    [
        ("convert_dma_to_vta", "tile", [numbers(3, 4, 1, 16)]),
        ("convert_dma_to_vta", "padded", [numbers(2, 3, 2, 1, 16)]),
        ("convert_alu_to_vta", "chain", [numbers(2, 3, 1, 16)]),
        ("convert_alu_to_vta", "survives", [numbers(2, 1, 16)]),
        ("convert_gemm_to_vta", "product", [numbers(2, 1, 16, dtype=np.int8), numbers(3, 2, 16, 16, dtype=np.int8)]),
    ],
)
@pytest.mark.parametrize("first", range(len(UNITS)))
def test_units(file: str, name: str, arrays: list[Array], first: int) -> None:
    """The three conversions are independent of each other's order."""
    units = UNITS[first:] + UNITS[:first]
    before, after = program(file, name), lowered(program(file, name), (*units, *TOKENS, *REST))
    assert same(evaluate(before, *arrays), evaluate(after, *arrays))


@pytest.mark.parametrize("file", ["vta_group_stages", "schedule_inject_virtual_threads"])
def test_stages_and_threads(file: str) -> None:
    """Threads before tokens or after them."""
    for passes in ((*TOKENS, *REST), (REST[0], *TOKENS, *REST[1:])):
        assert_adds_three(lowered(program(file, "threads"), passes))


def test_tokens() -> None:
    assert_adds_three(lowered(program("vta_insert_dependences", "add"), ("vta-insert-dependences", *REST)))


def assert_adds_three(module: ModuleOp) -> None:
    """The program adds 3 to each of 64 numbers, and truncates."""
    data = np.arange(64, dtype=np.int32).reshape(4, 1, 16)
    assert same(evaluate(module, data), (data + 3).astype(np.int8))
