"""What the checker finds, and the list that collects it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

LISTED_PER_KIND = 64


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a stream is not proven clean.

    `first` and `second` are instruction indices, the earlier in the stream first; `second` is None
    when one instruction suffices, both when the stream as a whole is at fault. `buffer` is an SRAM
    (`inp`, `wgt`, `acc`, `uop`), `dram` or a token queue (`l2g`, `g2l`, `g2s`, `s2g`). `range` is half
    open: elements of an SRAM, byte addresses of `dram`; None for queues.
    """

    kind: str
    first: int | None
    second: int | None
    buffer: str | None
    range: tuple[int, int] | None
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


class Report:
    """Findings in the making. Lists at most `LISTED_PER_KIND` of a kind and says how many more there are."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many findings there are, those that are not listed among them."""
        return self._counts.total()

    def add(
        self,
        kind: str,
        message: str,
        first: int | None = None,
        second: int | None = None,
        *,
        buffer: str | None = None,
        span: tuple[int, int] | None = None,
    ) -> None:
        """Record a finding; the two instructions may come in either order."""
        self._counts[kind] += 1
        if self._counts[kind] > LISTED_PER_KIND:
            return
        if first is not None and second is not None and second < first:
            first, second = second, first
        self._findings.append(Finding(kind, first, second, buffer, span, message))

    def findings(self) -> list[Finding]:
        """The findings by instruction, those about the whole stream last."""
        ordered = sorted(self._findings, key=_place)
        for kind, count in self._counts.items():
            if count > LISTED_PER_KIND:
                last = max(number for number, finding in enumerate(ordered) if finding.kind == kind)
                note = f" ({count - LISTED_PER_KIND} more findings of this kind are not listed)"
                ordered[last] = replace(ordered[last], message=ordered[last].message + note)
        return ordered


def _place(finding: Finding) -> tuple[bool, int]:
    return finding.first is None, finding.first or 0
