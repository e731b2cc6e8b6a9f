"""What can be chosen about a quantisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from vtac.errors import ModelError

Exponents: TypeAlias = Literal["squares", "extremes", "percentile", "mixed"]
Rounding: TypeAlias = Literal["half-up", "half-even", "down"]
ZeroPoints: TypeAlias = Literal["unpadded", "all", "none"]
Mantissas: TypeAlias = Literal["tried", "one", "free"]
WeightRounding: TypeAlias = Literal["least-squares", "nearest"]


@dataclass(frozen=True)
class Options:
    """The defaults are those that measured best.

    `zero_points` puts zero at -128 where values are never negative, so that they have 256 steps: for all values, for
    those that no convolution with padding reads, or for none. `exponents` are those of activations: of least squared
    error, the smallest that clip nothing, or that clip one element in 10,000; mixed ones are those of least squared
    error, but for values whose scale twice as large makes results better on some of the calibration data. `rounding` is
    that of requantisation. `weights` are rounded so that the error of the layer's results is least, or to the nearest
    step. `correct_bias` takes the mean error that weights make out of the bias. `per_feature` gives each feature its
    own scale of weights. `mantissas` of the scales of activations are one, or free (weights make up for them, so that
    shifts remain), or whichever of both is better on some of the calibration data. `equalise` brings channels between
    two products to like ranges, where the layers between allow it. `allow_host` lets the host compute, in float32, what
    has no integer form; `keep_float` names layers that it computes in any case.
    """

    zero_points: ZeroPoints = "all"
    exponents: Exponents = "squares"
    rounding: Rounding = "half-up"
    weights: WeightRounding = "least-squares"
    correct_bias: bool = True
    per_feature: bool = True
    mantissas: Mantissas = "tried"
    equalise: bool = True
    allow_host: bool = False
    keep_float: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, kind in (
            ("zero_points", ZeroPoints),
            ("exponents", Exponents),
            ("rounding", Rounding),
            ("weights", WeightRounding),
            ("mantissas", Mantissas),
        ):
            found = getattr(self, name)
            if found not in get_args(kind):
                raise ModelError(f"option {name} is {found!r}; one of {', '.join(get_args(kind))} is required")
