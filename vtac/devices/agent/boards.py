"""Boards by name."""

from __future__ import annotations

import argparse

from vtac.devices.agent.backend import Backend
from vtac.devices.agent.faults import Refusal


def open_board(name: str | None, options: argparse.Namespace) -> Backend:
    """The accelerator of this machine. Raises `Refusal`."""
    del options
    raise Refusal("url", f"there is no board '{name}'")
