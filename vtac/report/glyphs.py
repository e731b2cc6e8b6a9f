"""A small bitmap font: the letters, digits and signs of a timeline, 5 x 8 pixels each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, BASELINE = 5, 8, 7
ADVANCE = WIDTH + 1

# Forty bits each, row by row from the top left; the last row is below the baseline.
_BITS = {
    "a": 0x001C17C5E0, "b": 0x843D18C7C0, "c": 0x001D0845C0, "d": 0x085F18C5E0, "e": 0x001D1FC1C0,
    "f": 0x323C842100, "g": 0x001F18BC2E, "h": 0x843D18C620, "i": 0x20184211C0, "j": 0x100C210A4C,
    "k": 0x84254C5240, "l": 0x61084211C0, "m": 0x00355AD6A0, "n": 0x003D18C620, "o": 0x001D18C5C0,
    "p": 0x003D18FA10, "q": 0x001F18BC21, "r": 0x002D984200, "s": 0x001F0707C0, "t": 0x423C8424C0,
    "u": 0x002318CDA0, "v": 0x002318A880, "w": 0x00231AD540, "x": 0x0022A22A20, "y": 0x002318BC2E,
    "z": 0x003E2223E0, "0": 0x74675CC5C0, "1": 0x23084211C0, "2": 0x74426443E0, "3": 0x744260C5C0,
    "4": 0x11952F8840, "5": 0xFC3C10C5C0, "6": 0x743D18C5C0, "7": 0xF844442100, "8": 0x7462E8C5C0,
    "9": 0x7462F085C0, ".": 0x0000003180, ",": 0x0000003088, ":": 0x0318063000, "%": 0xCE44444E60,
    "(": 0x1110841040, ")": 0x4104211100, "-": 0x0001F00000, "+": 0x0109F21000, "/": 0x0844444200,
    "_": 0x000000001F, "=": 0x003E0F8000, " ": 0,
}  # fmt: skip
_BOX = 0xFC6318C7E0


def text_mask(text: str) -> NDArray[np.bool_]:
    """The pixels of a text, shape (8, 6 x characters). Capitals show as small letters, other signs as a box."""
    mask = np.zeros((HEIGHT, ADVANCE * len(text)), np.bool_)
    for place, character in enumerate(text.lower()):
        bits = f"{_BITS.get(character, _BOX):040b}"
        glyph = np.array([bit == "1" for bit in bits], np.bool_).reshape(HEIGHT, WIDTH)
        mask[:, ADVANCE * place : ADVANCE * place + WIDTH] = glyph
    return mask
