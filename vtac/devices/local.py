"""Accelerators of this machine by name: simulators, models, boards."""

from __future__ import annotations

import argparse

from vtac.devices.agent.backend import Backend
from vtac.devices.agent.faults import Refusal
from vtac.devices.simulator import DEFAULT_BYTES, Simulator
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError


def open_backend(name: str | None, options: argparse.Namespace | None) -> Backend:
    """The accelerator that `sim`, `sim:FILE`, `model:BOARD` or `board:BOARD` names, with an agent's options.

    Raises `Refusal`.
    """
    kind, _, rest = (name or "sim").partition(":")
    if kind == "sim":
        return _simulator(rest, getattr(options, "memory", None))
    raise Refusal("url", f"an agent has no device '{name}'", "name sim, model:BOARD or board:BOARD")


def _simulator(config: str, memory: str | None) -> Simulator:
    if memory is not None and not memory.isdigit():
        raise Refusal("memory", f"a simulator's memory is {memory!r}; its bytes are required, such as 1000000000")
    try:
        fields = VTAConfig.from_json(config).to_fields() if config else {}
    except ConfigError as error:
        raise Refusal("configuration", str(error)) from None
    return Simulator(dict(fields), int(memory) if memory else DEFAULT_BYTES)
