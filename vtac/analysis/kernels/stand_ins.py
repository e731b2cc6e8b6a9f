"""Numbers that may stand for a size that is known when a program runs. Needs no xDSL: saved programs know them, too."""

from __future__ import annotations

_TILES = 256
"""What each is a multiple of, so that it is no reason to guard a tile."""
PRIMES = (59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131)
"""Factors by which numbers that come from one are known."""
STAND_INS = tuple(_TILES * prime for prime in PRIMES)


def prime_of(size: int) -> int:
    """The prime that tells numbers which come from a stand-in."""
    return size // _TILES
