"""Attributes of the wgmma dialect."""

from __future__ import annotations

from vtac.dialects.declared import Declared, declare, integer

IN_FLIGHT = declare(
    Declared(
        "wgmma.in_flight",
        integer(0),
        ("schedule.for", "scf.for"),
        "groups of wgmma that a step of the loop leaves under way when the next one begins",
    )
)
