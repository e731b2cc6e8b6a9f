"""The interpreter as an accelerator: exact results, cycles of the timing model."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from time import monotonic

import numpy as np

from vtac.devices.agent.backend import Counters, Launch
from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.region import PlainRegion, Region
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError, ExecutionError
from vtac.targets.vta.cycles.simulate import count_cycles
from vtac.targets.vta.isa import WORD_BYTES
from vtac.targets.vta.machine import COUNTER_NAMES, execute

DEFAULT_BYTES = 1 << 30
"""Memory of a simulator; pages that nobody touches cost nothing."""


class Simulator:
    """An accelerator that is the interpreter; `fields` make it one of that configuration, none one of any."""

    kind = "sim"
    design = "simulator"
    clock_hz = 0
    exact_time = True

    def __init__(self, fields: Mapping[str, object] | None = None, nbytes: int = DEFAULT_BYTES) -> None:
        self.fields: dict[str, object] = dict(fields or {})
        self.counter_names = [*COUNTER_NAMES, "cycles"]
        self._memory = mmap.mmap(-1, nbytes)
        self.region: Region = PlainRegion(0, memoryview(self._memory))
        self._image = np.frombuffer(self._memory, np.uint8)

    def launch(self, launch: Launch) -> Counters:
        """Execute, under the rules of the hardware unless relaxed."""
        try:
            config = VTAConfig.from_fields(launch.fields)
        except ConfigError as error:
            raise Refusal("configuration", str(error)) from None
        instructions = self._image[launch.address : launch.address + launch.count * WORD_BYTES].tobytes()
        end = monotonic() + launch.timeout

        def check_time(_done: int, _count: int) -> None:
            if monotonic() > end:
                raise Refusal("timeout", f"the run was ended after {launch.timeout:g} s", "allow it more time")

        try:
            found = execute(instructions, self._image, config, strict=not launch.relaxed, progress=check_time)
        except ExecutionError as error:
            raise Refusal(error.kind, str(error)) from None
        counted = {name: value for name, value in found.items() if isinstance(value, int)}
        return lambda: {**counted, "cycles": count_cycles(instructions, config)}

    def reset(self) -> None:
        """A simulator is as new for every run."""

    def bitstreams(self) -> list[dict[str, object]]:
        return []

    def program(self, sha256: str) -> None:
        del sha256
        raise Refusal("bitstream", "a simulator has no bitstream", "open it with the configuration that is wanted")

    def close(self) -> None:
        """Its memory goes with it."""
