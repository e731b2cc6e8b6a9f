"""Numbers along an axis: no two alike, each exact, none longer than it must be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.report.ticks import tick_labels


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 250, 500], ["0", "250", "500"]),
        ([0.2 * 3, 0.2 * 4, 1], ["0.6", "0.8", "1"]),
        ([500_000, 1e6, 1.5e6], ["500,000", "1 M", "1.5 M"]),
        ([3_000_001, 3_000_002], ["3,000,001", "3,000,002"]),
        ([12_345e6, 12_346e6], ["12,345 M", "12,346 M"]),
        ([-0.0, -2.5, -5], ["0", "-2.5", "-5"]),
        ([52437], ["52,437"]),
        ([], []),
    ],
)
def test_numbers_are_written_short(values: list[float], labels: list[str]) -> None:
    assert tick_labels(values) == labels


@settings(max_examples=300)
@given(st.integers(0, 10**9), st.integers(1, 10**7), st.sampled_from([1, 0.1, 0.001, 1000]), st.integers(2, 9))
def test_evenly_spaced_numbers_have_labels_of_their_own(first: int, step: int, unit: float, count: int) -> None:
    values = [(first + number * step) * unit for number in range(count)]
    labels = tick_labels(values)
    assert len(set(labels)) == count
    read = [float(text.removesuffix(" M").replace(",", "")) * (1e6 if text.endswith("M") else 1) for text in labels]
    assert read == pytest.approx(values, abs=step * unit / 500)
