"""The report on a quantised model: a table, a record for machines, a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from vtac.lazily import text_by
from vtac.models.quantiser.histogram import Histogram
from vtac.models.quantiser.scales import Scale


@dataclass(frozen=True)
class LayerLine:
    """One line: the layers that are computed together under the first one's name.

    `where` is `VTA`, or the host with the reason, or what the layer is a part of. `alone_db` is the SQNR with inputs as
    the float model has them, `sqnr_db` with all that went before. `bits_lost` is what the median channel would gain by
    a scale of its own; `bound` the largest magnitude that an accumulator can have; `shifts` the least and the largest.
    """

    name: str
    op: str
    where: str
    scale: Scale | None
    source: Scale | None
    low: float
    high: float
    clipped: float
    alone_db: float
    sqnr_db: float
    bits_lost: float
    bound: int | None
    shifts: tuple[int, int] | None
    macs: int
    cycles: int
    bytes: int
    seen: Histogram | None = None
    value: str = ""
    """What the program calls the layer."""

    @property
    def exponents(self) -> str:
        """Of inputs and results: `-7 -> -5`."""
        ends = [str(one.exponent) for one in (self.source, self.scale) if one is not None]
        return " -> ".join(ends)


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """`str()` is a table; accuracies are None without labels."""

    model: str
    samples: int
    lines: tuple[LayerLine, ...]
    accuracy_float: float | None
    accuracy_int8: float | None
    agreement: float
    sqnr_db: float
    streams: int
    cycles: int
    choices: tuple[str, ...]

    @property
    def macs_on_vta(self) -> float:
        """The share of multiply-accumulates that the VTA does."""
        total = sum(line.macs for line in self.lines)
        return sum(line.macs for line in self.lines if line.where.startswith("VTA")) / total if total else 0.0

    @property
    def worst(self) -> tuple[LayerLine, ...]:
        """The three layers that lose most by themselves."""
        computing = [line for line in self.lines if isfinite(line.alone_db)]
        return tuple(sorted(computing, key=lambda line: line.alone_db)[:3])

    def to_json(self) -> dict[str, object]:
        """As a record; what is infinite is None."""
        with_labels = {"accuracy_float": self.accuracy_float, "accuracy_int8": self.accuracy_int8}
        return {
            **(with_labels if self.accuracy_float is not None else {}),
            "agreement": self.agreement,
            "sqnr_db": finite(self.sqnr_db),
            "macs_on_vta": self.macs_on_vta,
            "streams": self.streams,
            "cycles": self.cycles,
            "layers": [_record(line, self.cycles) for line in self.lines],
        }

    to_html = text_by("vtac.models.report.page", "page")
    """A page without scripts: the table, SQNR along the network, histograms with their grid."""
    _repr_html_ = text_by("vtac.models.report.page", "part")
    """The same in a notebook."""

    def __repr__(self) -> str:
        return f"<Report {self.totals()[0]}>"

    def __str__(self) -> str:
        names = max(5, *(len(line.name) for line in self.lines))
        ops = max(9, *(len(line.op) for line in self.lines))
        heads = f"{'operation':<{ops}}{'exponents':>12}{'zero':>6}{'range':>18}{'clipped':>9}{'alone':>7}{'all':>7}"
        rows = [f"{'layer':<{names}}  {heads}{'lost':>6}{'bound':>7}{'cycles':>11}{'share':>7}{'bytes':>11}  where"]
        for line in self.lines:
            zero = str(line.scale.zero) if line.scale is not None else ""
            bound = f"2^{line.bound.bit_length()}" if line.bound is not None else ""
            rows.append(
                f"{line.name:<{names}}  {line.op:<{ops}}{line.exponents:>12}{zero:>6}"
                f"{f'{line.low:.3g} to {line.high:.3g}':>18}{line.clipped:>9.2%}{line.alone_db:>7.1f}"
                f"{line.sqnr_db:>7.1f}{line.bits_lost:>6.1f}{bound:>7}{line.cycles:>11,}"
                f"{line.cycles / max(1, self.cycles):>7.1%}{line.bytes:>11,}  {line.where}"
            )
        return "\n".join([*rows, "", *self.totals(), "", *self.advice()]) + "\n"

    def totals(self) -> list[str]:
        """What holds for the whole model, a line each."""
        accuracy = (
            f"accuracy {self.accuracy_int8:.1%} in int8, {self.accuracy_float:.1%} in float; "
            if self.accuracy_int8 is not None and self.accuracy_float is not None
            else ""
        )
        return [
            f"{self.model}, {self.samples} samples: {accuracy}the first choice agrees in {self.agreement:.1%}; "
            f"SQNR of results {self.sqnr_db:.1f} dB",
            f"{self.cycles:,} cycles, {self.macs_on_vta:.1%} of the multiply-accumulates on the VTA, "
            f"{self.streams} stream{'s' if self.streams != 1 else ''}",
            *self.choices,
        ]

    def advice(self) -> list[str]:
        """The worst three layers, and what to try."""
        return ["what loses most by itself, and what to try:", *(f"  {_advice(line)}" for line in self.worst)]


def finite(number: float) -> float | None:
    """A number as JSON has it: None for infinities and no numbers."""
    return number if isfinite(number) else None


def _record(line: LayerLine, cycles: int) -> Mapping[str, object]:
    return {
        "name": line.name,
        "value": line.value or line.name,
        "op": line.op,
        "where": line.where,
        "sqnr_db": finite(line.sqnr_db),
        "alone_db": finite(line.alone_db),
        "clipped": line.clipped,
        "range": [line.low, line.high],
        "exponent": None if line.scale is None else line.scale.exponent,
        "zero_point": None if line.scale is None else line.scale.zero,
        "input_exponent": None if line.source is None else line.source.exponent,
        "shifts": None if line.shifts is None else list(line.shifts),
        "bits_lost": line.bits_lost,
        "accumulator_bound": line.bound,
        "macs": line.macs,
        "cycles": line.cycles,
        "share": line.cycles / max(1, cycles),
        "bytes": line.bytes,
    }


def _advice(line: LayerLine) -> str:
    tries: list[str] = []
    if line.clipped > 0.001:
        tries.append(f"{line.clipped:.1%} is clipped: more calibration data, or exponents='extremes'")
    if line.bits_lost >= 2:
        tries.append(f"the median channel loses {line.bits_lost:.1f} bits: equal ranges of channels in training")
    if line.scale is not None and line.scale.zero == 0 and line.low >= 0:
        tries.append("nothing is negative: zero_points='all'")
    return f"{line.name} ({line.alone_db:.1f} dB): {'; '.join(tries) or 'more calibration data'}"


def described(ops: Sequence[str]) -> str:
    """Operations that are computed together."""
    return " + ".join(ops)
