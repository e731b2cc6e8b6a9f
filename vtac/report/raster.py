"""A drawing as a PNG image, without a graphics library."""

from __future__ import annotations

import struct
import zlib
from math import ceil

import numpy as np
from numpy.typing import NDArray

from vtac.report.drawing import Drawing, Line, Rectangle, Text
from vtac.report.glyphs import BASELINE, text_mask

SCALE = 2
"""Image pixels per pixel of the drawing."""

Image = NDArray[np.uint8]


def _colour(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _fill(image: Image, shape: Rectangle) -> None:
    """Paints a rectangle; of a pixel that it covers in part along x, that part: nothing looks wider than it is."""
    top, bottom = round(shape.y * SCALE), round((shape.y + shape.height) * SCALE)
    left, right = max(shape.x * SCALE, 0.0), min((shape.x + shape.width) * SCALE, float(image.shape[1]))
    first, last = int(left), ceil(right)
    if last <= first:
        return
    columns = np.arange(first, last)
    covered = np.minimum(columns + 1, right) - np.maximum(columns, left)
    window = image[max(top, 0) : max(top + 1, bottom), first:last]
    shares = np.clip(covered, 0, 1)[None, :, None]
    window[:] = np.rint(window * (1 - shares) + np.array(_colour(shape.colour)) * shares)


def _stroke(image: Image, shape: Line) -> None:
    steps = 2 + int(SCALE * max(abs(shape.x2 - shape.x1), abs(shape.y2 - shape.y1)))
    columns = np.linspace(shape.x1 * SCALE, shape.x2 * SCALE, steps).astype(np.int64)
    rows = np.linspace(shape.y1 * SCALE, shape.y2 * SCALE, steps).astype(np.int64)
    inside = (columns >= 0) & (columns < image.shape[1]) & (rows >= 0) & (rows < image.shape[0])
    image[rows[inside], columns[inside]] = _colour(shape.colour)


def _write(image: Image, shape: Text) -> None:
    zoom = 3 if shape.size > 12 else SCALE
    mask = text_mask(shape.text).repeat(zoom, axis=0).repeat(zoom, axis=1)
    shift = {"start": 0, "middle": mask.shape[1] // 2, "end": mask.shape[1]}[shape.anchor]
    top, left = max(0, round(shape.y * SCALE) - BASELINE * zoom), max(0, round(shape.x * SCALE) - shift)
    window = image[top : top + mask.shape[0], left : left + mask.shape[1]]
    window[mask[: window.shape[0], : window.shape[1]]] = _colour(shape.colour)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _text(keyword: bytes, text: str) -> bytes:
    """A text of the image in UTF-8, not compressed, in no language; nothing for an empty one."""
    return _chunk(b"iTXt", keyword + bytes(5) + text.encode()) if text else b""


def png(drawing: Drawing) -> bytes:
    """The drawing as a PNG file, true colour, twice as large as the drawing, its title and description as texts."""
    image = np.full((drawing.height * SCALE, drawing.width * SCALE, 3), 255, np.uint8)
    for shape in drawing.shapes:
        match shape:
            case Rectangle():
                _fill(image, shape)
            case Line():
                _stroke(image, shape)
            case Text():
                _write(image, shape)
    height, width, _ = image.shape
    # Each row of a PNG is led by the number of its filter; 0 is none.
    rows = np.concatenate((np.zeros((height, 1), np.uint8), image.reshape(height, -1)), axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    told = _text(b"Title", drawing.title) + _text(b"Description", drawing.description)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + told + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
