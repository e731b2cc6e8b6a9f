"""Times of kernels on a borrowed GPU: contenders in turn, records as JSON, and an end in time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median

from vtac.errors import LaunchError

Sample = Callable[[], float]
"""Takes one time, in milliseconds."""


@dataclass
class Budget:
    """Seconds that may be used; what would take longer than is left is not begun."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    start: float = field(init=False)

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise LaunchError(f"a budget of {self.seconds} seconds: a positive number is required")
        self.start = self.clock()

    @property
    def left(self) -> float:
        """Seconds that are left; negative when more were used."""
        return self.seconds - (self.clock() - self.start)

    def allows(self, seconds: float) -> bool:
        """Whether so many seconds are left."""
        return self.left >= seconds


@dataclass(frozen=True)
class Measurement:
    """One program, or a vendor's, on one workload: its times, its error, and what it is made of.

    `milliseconds` are samples of one run each; `operations` are multiplications and additions of the workload. A
    program that was not compiled here has no registers, shared memory or blocks. `product` and `tiling` are the fields
    of the `ProductSize` and the `ProductTiling` of a program whose tiling is one of the space: default schedules read
    them.
    """

    workload: str
    program: str
    device: str
    architecture: str
    compiler: str
    output: str
    flushed: bool
    operations: int
    milliseconds: tuple[float, ...]
    max_error: float
    allowed_error: float
    registers: int | None = None
    shared_bytes: int | None = None
    resident_blocks: int | None = None
    product: Mapping[str, object] | None = None
    tiling: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        if not self.milliseconds or min(self.milliseconds) <= 0:
            raise LaunchError(
                f"{self.program} on {self.workload}: times of {list(self.milliseconds)} are no measurement"
            )

    @property
    def median(self) -> float:
        """The median time in milliseconds."""
        return median(self.milliseconds)

    @property
    def tera_operations(self) -> float:
        """10^12 operations in a second, at the median."""
        return self.operations / self.median / 1e9

    @property
    def is_right(self) -> bool:
        """Whether the error is within what is allowed."""
        return self.max_error <= self.allowed_error

    def to_json(self) -> str:
        """One line of JSON: the fields, and what follows from them."""
        derived = {"median": self.median, "tera_operations": self.tera_operations, "is_right": self.is_right}
        return json.dumps({**asdict(self), **derived})


def in_turns(contenders: Mapping[str, Sample], rounds: int, budget: Budget) -> dict[str, tuple[float, ...]]:
    """Times of all contenders, one of each per round, so that clocks and heat are alike for all.

    Rounds end early where the longest so far would not fit what is left of the budget; the first is always whole.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    longest = 0.0
    for _ in range(rounds):
        before = budget.left
        if longest and not budget.allows(longest):
            break
        for name, sample in contenders.items():
            times[name].append(sample())
        longest = max(longest, before - budget.left)
    return {name: tuple(found) for name, found in times.items()}
