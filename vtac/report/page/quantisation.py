"""The section of a quantised model: what each layer's integers cost it, from the record of its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, cast, runtime_checkable

from vtac.errors import VtacError
from vtac.report.page.section import Section
from vtac.report.page.summary import Figure
from vtac.report.page.templating import percent, render

_NUMBERS = ("sqnr_db", "alone_db", "clipped", "bits_lost", "accumulator_bound", "cycles", "bytes")


@runtime_checkable
class HasRecord(Protocol):
    """The report of a quantised model, as `quantised.report()` gives it."""

    def to_json(self) -> dict[str, object]: ...


Record = Mapping[str, object]


def quantisation_section(report: HasRecord | Record) -> Section:
    """Layers with their exponents, what is clipped and lost. Raises `VtacError` for what is no such record."""
    record = report.to_json() if isinstance(report, HasRecord) else report
    layers = record.get("layers")
    if not isinstance(layers, Sequence) or isinstance(layers, str):
        raise VtacError(
            "no report of a quantised model: it has no 'layers'; give what vtac quantize --report R.json wrote"
        )
    rows = [_row(layer) for layer in cast("Sequence[object]", layers)]
    html = render("quantisation.html", figures=list(_figures(record)), rows=rows)
    return Section("quantisation", "Quantisation", html)


def _figures(record: Record) -> Sequence[Figure]:
    shares = {
        "accuracy_int8": ("accuracy in integers", "with the labels given"),
        "accuracy_float": ("accuracy in floats", "with the labels given"),
        "agreement": ("agreement", "the first choice is that of the floats"),
        "macs_on_vta": ("on the VTA", "of multiply-accumulates"),
    }
    found = [
        Figure(what, percent(value), remark)
        for name, (what, remark) in shares.items()
        if (value := _number(record, name)) is not None
    ]
    noise = _number(record, "sqnr_db")
    return [*found, *([Figure("SQNR", f"{noise:.1f} dB", "of the results")] if noise is not None else [])]


def _row(layer: object) -> dict[str, object]:
    """A layer as a row of the table; numbers that are missing, or infinite, are None."""
    if not isinstance(layer, Mapping):
        raise VtacError(f"no report of a quantised model: {type(layer).__name__} stands for a layer")
    record = cast(Record, layer)
    texts = {name: str(record.get(name, "")) for name in ("name", "op", "where")}
    texts["value"] = str(record.get("value", texts["name"]))
    exponent = record.get("exponent")
    return {
        **texts,
        "exponent": "" if exponent is None else str(exponent),
        **{name: _number(record, name) for name in _NUMBERS},
    }


def _number(record: Record, name: str) -> float | None:
    value = record.get(name)
    return float(value) if isinstance(value, int | float) else None
