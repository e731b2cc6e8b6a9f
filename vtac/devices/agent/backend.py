"""An accelerator as an agent sees it."""

from __future__ import annotations

from typing import Callable, Dict, Protocol

from vtac.devices.agent.region import Region

Counters = Callable[[], Dict[str, int]]
"""What the accelerator counted in a run; asked for when somebody wants to know."""


class Launch:
    """`count` instructions at an address, and what they were compiled for.

    `fields` is that configuration, as `vta_config.json` states it; `relaxed` lets a simulator execute what hardware
    does not; `timeout` is in seconds.
    """

    def __init__(self, address: int, count: int, fields: dict[str, object], timeout: float, *, relaxed: bool) -> None:
        self.address = address
        self.count = count
        self.fields = fields
        self.timeout = timeout
        self.relaxed = relaxed


class Backend(Protocol):
    """Memory, launch and counters of one accelerator.

    `design` is `simulator`, `chisel` or `hls`; `fields` the configuration as `vta_config.json` states it, empty where
    no bitstream is loaded and of a simulator that takes any; `clock_hz` is 0 where time is not the accelerator's.
    """

    kind: str
    design: str
    fields: dict[str, object]
    clock_hz: int
    counter_names: list[str]
    exact_time: bool
    """Whether the counters hold cycles that are the same in every run."""
    region: Region

    def launch(self, launch: Launch) -> Counters:
        """Execute instructions to the end.

        Raises `DeviceLost` where the accelerator's state is not known afterwards, such as after a time-out, and
        `Refusal` where it is.
        """
        ...

    def reset(self) -> None:
        """Bring it into the state after power-on, memory aside. Raises `Refusal` where nothing can."""
        ...

    def bitstreams(self) -> list[dict[str, object]]:
        """What can be loaded: `name`, `sha256` and `design` of each."""
        ...

    def program(self, sha256: str) -> None:
        """Load the bitstream with this digest. Raises `Refusal` where there is none."""
        ...

    def close(self) -> None: ...
