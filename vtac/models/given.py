"""What the integers of a value stand for, where a model says so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Given:
    """An integer q of eight signed bits stands for (q - zero) * size."""

    size: float
    zero: int
