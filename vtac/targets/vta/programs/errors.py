"""Errors in using a compiled program."""

from __future__ import annotations

from vtac.errors import VtacError


class ProgramError(VtacError):
    """A program called, saved or loaded in a way it does not allow."""
