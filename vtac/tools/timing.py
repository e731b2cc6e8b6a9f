"""How long each phase of a run took, as a table on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class PhaseTimer:
    """Collects wall time per named phase, in the order in which the phases ran."""

    phases: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Times the statements inside it as phase `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.phases.append((name, time.perf_counter() - start))

    def print_table(self) -> None:
        """Prints milliseconds and shares of the total on stderr."""
        total = sum(seconds for _, seconds in self.phases) or 1.0
        print(f"{'ms':>10} {'share':>6}  phase", file=sys.stderr)
        for name, seconds in [*self.phases, ("total", total)]:
            print(f"{seconds * 1e3:10.2f} {seconds / total:6.1%}  {name}", file=sys.stderr)
