"""What front doors return: a graph that can be quantised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from vtac.models.given import Given
from vtac.models.graph import Graph
from vtac.models.quantiser.options import Exponents, Mantissas, Options, Rounding, WeightRounding, ZeroPoints
from vtac.models.quantiser.quantise import quantise
from vtac.models.quantiser.quantised import QuantisedModel
from vtac.progress import Progress

Sample: TypeAlias = NDArray[Any] | tuple[NDArray[Any], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Model(Graph):
    """A trained model of floats. `given` is what integers stand for where it was quantised before, by layer."""

    given: Mapping[str, Given] = field(default_factory=dict[str, Given])

    def quantize(
        self,
        calibration: NDArray[Any] | Iterable[Sample] = (),
        *,
        zero_points: ZeroPoints = "all",
        exponents: Exponents = "squares",
        rounding: Rounding = "half-up",
        weights: WeightRounding = "least-squares",
        correct_bias: bool = True,
        per_feature: bool = True,
        mantissas: Mantissas = "tried",
        equalise: bool = True,
        allow_host: bool = False,
        keep_float: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> QuantisedModel:
        """Integers for the VTA, at scales chosen on calibration data.

        An array (its first dimension counts samples), a list of arrays, or any iterable of tuples
        with an array for each input; it is gone through once, one item at a time. A model that was quantised before
        keeps its scales of values; where it has all of them, calibration data may be left out.
        `vtac.models.quantiser.options.Options` says what can be chosen. With `allow_host` the host computes layers that
        have no integer form in float32; they are refused otherwise. `keep_float` names layers that it computes in any
        case. `progress` is called with what is done next,
        how many steps are done and how many there are.
        """
        items = [cast(Sample, calibration)] if isinstance(calibration, np.ndarray) else calibration
        kept = (keep_float,) if isinstance(keep_float, str) else tuple(keep_float)
        options = Options(
            zero_points=zero_points,
            exponents=exponents,
            rounding=rounding,
            weights=weights,
            correct_bias=correct_bias,
            per_feature=per_feature,
            mantissas=mantissas,
            equalise=equalise,
            allow_host=allow_host,
            keep_float=kept,
        )
        samples = (item if isinstance(item, tuple) else (item,) for item in items)
        return quantise(self, samples, options, progress, self.given)
