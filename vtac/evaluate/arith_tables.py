"""Operations of arith whose meaning numpy has, by name."""

from __future__ import annotations

import numpy as np

INTEGER_UFUNCS: dict[str, np.ufunc] = {
    "arith.addi": np.add,
    "arith.subi": np.subtract,
    "arith.muli": np.multiply,
    "arith.maxsi": np.maximum,
    "arith.minsi": np.minimum,
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
}

UNSIGNED_UFUNCS: dict[str, np.ufunc] = {"arith.maxui": np.maximum, "arith.minui": np.minimum}

BOOLEAN_UFUNCS: dict[str, np.ufunc] = {
    "arith.addi": np.logical_xor,
    "arith.subi": np.logical_xor,
    "arith.muli": np.logical_and,
    "arith.maxsi": np.logical_and,
    "arith.minsi": np.logical_or,
}
"""On i1, whose true is -1 as a signed number, where they differ from numpy's on bool."""

FLOAT_UFUNCS: dict[str, np.ufunc] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
}

PREDICATES: tuple[tuple[np.ufunc, bool], ...] = (
    (np.equal, True),
    (np.not_equal, True),
    (np.less, True),
    (np.less_equal, True),
    (np.greater, True),
    (np.greater_equal, True),
    (np.less, False),
    (np.less_equal, False),
    (np.greater, False),
    (np.greater_equal, False),
)
"""`arith.cmpi`'s predicates in the order of its attribute; whether each compares as signed."""

FLOAT_PREDICATES: dict[int, tuple[np.ufunc, bool]] = {
    1: (np.equal, False),
    2: (np.greater, False),
    3: (np.greater_equal, False),
    4: (np.less, False),
    5: (np.less_equal, False),
    6: (np.not_equal, False),
    8: (np.equal, True),
    9: (np.greater, True),
    10: (np.greater_equal, True),
    11: (np.less, True),
    12: (np.less_equal, True),
    13: (np.not_equal, True),
}
"""`arith.cmpf`'s predicates that compare, and what each says when an operand is no number."""
