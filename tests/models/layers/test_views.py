"""Layers that move elements."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.errors import ModelError
from vtac.models.layers.views import Concat, Flatten, Reshape, Slice, Transpose

DATA = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
NAMED = ("y", ("x",))


def test_views_keep_every_element() -> None:
    np.testing.assert_array_equal(Reshape(*NAMED, (4, -1)).compute(DATA), DATA.reshape(4, 6))
    np.testing.assert_array_equal(Flatten(*NAMED).compute(DATA), DATA.reshape(2, 12))
    assert Flatten(*NAMED, 3).output_shape((2, 3, 4)) == (24, 1)
    np.testing.assert_array_equal(Transpose(*NAMED, (2, 0, 1)).compute(DATA), DATA.transpose(2, 0, 1))


def test_slices_put_together_are_the_whole() -> None:
    parts = [Slice(*NAMED, 1, start, stop) for start, stop in ((0, 1), (1, 3))]
    whole = Concat("y", ("a", "b"), 1)
    np.testing.assert_array_equal(whole.compute(*(part.compute(DATA) for part in parts)), DATA)
    assert whole.output_shape(*(part.output_shape(DATA.shape) for part in parts)) == DATA.shape
    np.testing.assert_array_equal(Slice(*NAMED, -1, 1, 4, 2).compute(DATA), DATA[..., 1::2])


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ModelError, match=r"layer 'y' \(reshape\): 2x3x4 as \(5, -1\); required: the same number"):
        Reshape(*NAMED, (5, -1)).output_shape(DATA.shape)
    with pytest.raises(ModelError, match=r"its shape is \(-1, -1\); required: extents of 1 or more, and at most one"):
        Reshape(*NAMED, (-1, -1))
    with pytest.raises(ModelError, match=r"its order is \(0, 0, 1\); required: each dimension once"):
        Transpose(*NAMED, (0, 0, 1))
    with pytest.raises(ModelError, match="it takes 1 to 5 of 3; required: a range inside of its input"):
        Slice(*NAMED, 1, 1, 5).output_shape(DATA.shape)
    with pytest.raises(ModelError, match="its inputs are 2x3x4, 2x3x5; required: equal shapes but for dimension 1"):
        Concat("y", ("a", "b")).output_shape((2, 3, 4), (2, 3, 5))
