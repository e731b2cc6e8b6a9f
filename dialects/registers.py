"""Registers: what operations of several dialects say of them."""

from __future__ import annotations

from xdsl.traits import OpTrait


class InRegisters(OpTrait):
    """The operation declares an array that lies in the registers of warps, be it of fragments or of tiles."""
