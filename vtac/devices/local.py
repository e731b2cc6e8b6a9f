"""Accelerators of this machine by name: simulators, models, boards."""

from __future__ import annotations

import argparse
from pathlib import Path

from vtac.devices.agent.backend import Backend
from vtac.devices.agent.faults import Refusal
from vtac.devices.simulator import DEFAULT_BYTES, Simulator
from vtac.devices.urls import require_whole
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError, DeviceError


def open_backend(name: str | None, options: argparse.Namespace | None) -> Backend:
    """The accelerator that `sim`, `sim:FILE`, `model:BOARD`, `rtl:DIR` or `board:BOARD` names, with an agent's options.

    Raises `Refusal`.
    """
    try:
        require_whole(name or "sim")
    except DeviceError as error:
        raise Refusal("url", str(error)) from None
    kind, _, rest = (name or "sim").partition(":")
    if kind == "sim":
        return _simulator(rest, getattr(options, "memory", None))
    if kind == "model":
        return _model(rest)
    if kind == "board":
        from vtac.devices.agent.boards import open_board

        return open_board(name, options)
    if kind == "rtl":
        from vtac.devices.rtl.backend import Rtl
        from vtac.devices.rtl.surroundings import Surroundings

        folder, _, surroundings = rest.partition("?")
        return Rtl(Path(folder), Surroundings.parse(surroundings))
    raise Refusal("url", f"an agent has no device '{name}'", "name sim, model:BOARD, rtl:DIR or board:BOARD")


def _model(rest: str) -> Backend:
    """`BOARD`, or `BOARD:FILE` for a board with that configuration."""
    from vtac.devices.models.opening import model_board

    name, _, file = rest.partition(":")
    return model_board(name, _config(file))[0]


def _config(file: str) -> VTAConfig | None:
    try:
        return VTAConfig.from_json(file) if file else None
    except ConfigError as error:
        raise Refusal("configuration", str(error)) from None


def _simulator(config: str, memory: str | None) -> Simulator:
    if memory is not None and not memory.isdigit():
        raise Refusal("memory", f"a simulator's memory is {memory!r}; its bytes are required, such as 1000000000")
    found = _config(config)
    return Simulator(None if found is None else found.to_fields(), int(memory) if memory else DEFAULT_BYTES)
