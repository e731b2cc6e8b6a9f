"""Shrinking a failing case while its signature stays the same."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from fuzz.case import FuzzTarget, Payload
from fuzz.isolation import isolated
from fuzz.outcome import Outcome, UnfitError

T = TypeVar("T")


def reduce_case(
    target: FuzzTarget, payload: Payload, signature: str, budget: int = 600, seconds: float = 120.0
) -> tuple[Payload, int]:
    """The smallest case found within `budget` trials that fails with the same signature, and the trials used.

    No trial starts after `seconds`, so that what hangs is not tried for hours.
    """
    trials, end = 0, time.monotonic() + seconds
    tried = {json.dumps(payload)}
    smaller = True
    while smaller and trials < budget and time.monotonic() < end:
        smaller = False
        for candidate in target.shrink(payload):
            text = json.dumps(candidate)
            if text in tried:
                continue
            tried.add(text)
            trials += 1
            if _fails_alike(target, candidate, signature):
                payload, smaller = candidate, True
                break
            if trials >= budget or time.monotonic() >= end:
                break
    return payload, trials


def _fails_alike(target: FuzzTarget, candidate: Payload, signature: str) -> bool:
    def work() -> Outcome:
        try:
            return target.judge(candidate)
        except UnfitError as error:
            return Outcome("refused", detail=str(error))

    return isolated(work).signature == signature


def without_chunks(items: Sequence[T]) -> Iterator[list[T]]:
    """The items without one of their chunks: halves first, then quarters, down to single ones."""
    size = max(len(items) // 2, 1)
    while items and size:
        for start in range(0, len(items), size):
            yield [*items[:start], *items[start + size :]]
        size //= 2


def smaller_numbers(number: int, least: int = 1) -> Iterator[int]:
    """Numbers between `least` and `number`, from the smallest."""
    for candidate in dict.fromkeys((least, number // 2, number - 1)):
        if least <= candidate < number:
            yield candidate
