"""i8 operands of the ALU: loaded as inputs, added by GEMM with a diagonal weight tile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operand_programs import Term, joined
from plain_programs import CLAMP, SMALL_BLOCK, PlainConv, run_against_numpy

from vtac.dialects.hardware import VTAConfig

CONFIGS = pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])

shapes = st.tuples(st.integers(1, 5), st.integers(1, 40), st.integers(1, 5), st.integers(1, 5))
terms = st.builds(
    Term,
    st.sampled_from(["same", "same", "channel", "row", "image"]),
    st.sampled_from(["i8", "i8", "i8", "i32", "i16"]),
    st.integers(0, 8),
    st.sampled_from(["addi", "addi", "subi", "maxsi", "minsi"]),
)
configs = st.sampled_from([VTAConfig(), SMALL_BLOCK])


def _legal(term: Term) -> Term:
    """Only i8 can be subtracted, and only by a factor that a weight holds."""
    if term.joins == "subi" and (term.element != "i8" or term.shift > 7):
        return Term(term.dims, term.element, term.shift, "addi")
    return term


@settings(max_examples=60, derandomize=True, deadline=None)
@given(shapes, st.lists(terms, min_size=1, max_size=4), st.booleans(), configs)
def test_joined_operands(result: tuple[int, int, int, int], others: list[Term], conv: bool, config: VTAConfig) -> None:
    batch, features, height, width = result
    layer = PlainConv(batch, 20, height, width, features, (1, 1)) if conv else None
    first = [] if conv else [Term(shift=3)]
    text = joined([*first, *(_legal(term) for term in others)], result, CLAMP, layer)
    run_against_numpy(text, config)
