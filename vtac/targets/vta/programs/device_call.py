"""A call of a stream, as programs of one or several make them."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.targets.vta.programs.work import Work


@dataclass(frozen=True, slots=True)
class DeviceCall:
    """A call of a device program, the layer that it computes, and what that takes at least."""

    device: str
    layer: str
    work: Work | None = None
