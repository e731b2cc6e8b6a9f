"""The reductions of affine.parallel, by the names that MLIR has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation

from vtac.evaluate.extrema import larger, smaller
from vtac.evaluate.numbers import Array, rounded
from vtac.evaluate.refusals import refused

_REDUCED: Mapping[str, Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]] = MappingProxyType(
    {
        "addf": np.add,
        "addi": np.add,
        "mulf": np.multiply,
        "muli": np.multiply,
        "andi": np.bitwise_and,
        "ori": np.bitwise_or,
        "xori": np.bitwise_xor,
        "maxs": np.maximum,
        "mins": np.minimum,
        "maxu": np.maximum,
        "minu": np.minimum,
        "maximumf": larger,
        "minimumf": smaller,
        "maxnumf": np.fmax,
        "minnumf": np.fmin,
    }
)


def reduced_by(op: Operation, kind: str, total: Array | None, term: Array) -> Array:
    """What is reduced so far, None for nothing, and one more.

    Raises `EvaluationError` for `assign`, whose result depends on the order.
    """
    if kind not in _REDUCED:
        raise refused(f"'{op.name}' reduces by '{kind}': what is left depends on the order of its iterations", op)
    if total is None:
        return term
    if not kind.endswith("u"):
        return rounded(_REDUCED[kind](total, term), op.results[0].type)
    left, right = (_unsigned(one) for one in (total, term))
    return _REDUCED[kind](left, right).view(total.dtype)


def _unsigned(value: NDArray[Any]) -> NDArray[Any]:
    return value if value.dtype.kind == "b" else value.view(f"u{value.dtype.itemsize}")
