"""The sizes that the fp16 convolution's program and its schedules share."""

from __future__ import annotations

TILE = 16
"""Rows and columns of a tile of any operand."""
VECTOR = 8
"""Halves that one 16-byte copy moves."""
