"""What counts as the right result."""

from __future__ import annotations

import numpy as np

from vtac.targets.cuda.comparison import compare


def test_floats_may_differ_by_their_tolerance() -> None:
    expected = np.array([1000.0, -2.0], np.float64)
    assert compare(np.array([1000.5, -2.0], np.float32), expected).correct
    found = compare(np.array([1002.0, -2.0], np.float32), expected)
    assert (found.correct, found.max_error, found.magnitude) == (False, 2.0, 1000.0)
    assert str(found) == "2 elements, largest error 2 of 1000 (allowed 1)"


def test_integers_are_equal_or_wrong() -> None:
    expected = np.array([7, -100000], np.int32)
    assert compare(expected.copy(), expected).correct
    assert not compare(expected + 1, expected).correct


def test_only_what_was_written_counts() -> None:
    expected = np.array([1.0, 2.0])
    found = np.array([1.0, np.nan])
    assert compare(found, expected, np.array([True, False])).correct
    assert not compare(found, expected).correct


def test_nothing_compared_is_not_correct() -> None:
    assert not compare(np.zeros(2), np.zeros(2), np.zeros(2, np.bool_)).correct


def test_an_infinite_result_does_not_excuse_the_others() -> None:
    expected = np.array([np.inf, 1.0])
    assert compare(np.array([np.inf, 1.0], np.float32), expected).correct
    assert not compare(np.array([np.inf, 2.0], np.float32), expected).correct
    assert not compare(np.array([3.0, 1.0], np.float32), expected).correct
    assert not compare(np.array([np.inf, 1.0], np.float32), np.array([2.0, 1.0])).correct
