"""What of a program the VTA computes: numbers for programs, and one line for people."""

from __future__ import annotations

from typing import TypedDict

from vtac.text.short import counted

_MOST_NAMES = 4
_QUANTISE = "the VTA computes in int8: quantise the model"


class Summary(TypedDict):
    """Contractions are sums of products in the source; a MAC is one product of them; names are of operations."""

    contractions: int
    contractions_on_vta: int
    macs: int
    macs_on_vta: int
    streams: int
    host_operations: list[str]


def work_line(summary: Summary, *, floats: int = 0) -> str:
    """The summary as one line; `floats` of the contractions are of floating point."""
    total, done = summary["contractions"], summary["contractions_on_vta"]
    if total and not done:
        remark = f"; {_QUANTISE}" if floats == total else ""
        return f"0 of {counted(total, 'contraction')}, 0 % of MACs on the VTA{remark or _beside(summary)}"
    share = _percent(summary["macs_on_vta"], summary["macs"])
    what = f"{done:,} of {counted(total, 'contraction')} ({share} of MACs) on the VTA" if total else "no contractions"
    return f"{what}, {_streams(summary['streams'])}{_beside(summary)}"


def _streams(count: int) -> str:
    return "one stream" if count == 1 else "all on the host" if count == 0 else counted(count, "stream")


def _beside(summary: Summary) -> str:
    """What the host computes."""
    names = summary["host_operations"]
    if not names:
        return ""
    different = list(dict.fromkeys(names))
    more = f", {len(different) - _MOST_NAMES} more" if len(different) > _MOST_NAMES else ""
    return f"; the host computes {counted(len(names), 'operation')} ({', '.join(different[:_MOST_NAMES])}{more})"


def _percent(part: int, whole: int) -> str:
    """A share that is 0 or 100 % only where it is exactly that."""
    if part in (0, whole):
        return "100 %" if part else "0 %"
    return f"{min(99.9, max(0.1, 100 * part / whole)):.1f} %"
