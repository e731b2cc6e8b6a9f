"""What front doors return: a graph that can be quantised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from vtac.models.graph import Graph
from vtac.models.quantiser.quantise import QuantisedModel, quantise

Sample: TypeAlias = NDArray[Any] | tuple[NDArray[Any], ...]


class Model(Graph):
    """A trained float model."""

    def quantize(self, calibration: NDArray[Any] | Iterable[Sample], *, zero_points: bool = True) -> QuantisedModel:
        """Integers for the VTA, at scales chosen on calibration data.

        An array (its first dimension counts samples), a list of arrays, or any iterable of tuples
        with an array for each input; it is gone through once, one item at a time.
        `zero_points` puts zero at -128 where activations leave nothing negative, so that they have 256 steps.
        """
        items = [cast(Sample, calibration)] if isinstance(calibration, np.ndarray) else calibration
        return quantise(self, (item if isinstance(item, tuple) else (item,) for item in items), zero_points=zero_points)
