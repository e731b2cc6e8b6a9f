"""Tilings of products that were measured on a device: what its times say goes before what its roofs say.

A file has a line of JSON for each measurement, as `benchmarks/tensor_cores.py --record` writes them. Lines of programs
without a tiling of the space, such as the vendor's library, say nothing here; nor do wrong results, and times of runs
whose cache was flushed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import cast

from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.errors import CompileError, ScheduleError
from vtac.files.reading import read_regular
from vtac.targets.cuda.schedules.padded_shares import ALL_TAPS
from vtac.targets.cuda.schedules.product_clusters import alone
from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling, tilings

_MOST_BYTES = 64 << 20
_OF_BOXES = ("boxes", "producers", "cluster", "shares_columns")
"""What records of tilings without boxes may leave out."""
_ESTIMATED = "taps"
"""What of a product's size is for estimates only: it follows from the rest of a program, and is not compared."""


@dataclass(frozen=True)
class MeasuredTiling:
    """One tiling of one product on one device: the median of its times, in milliseconds."""

    size: ProductSize
    tiling: ProductTiling
    device: str
    architecture: str
    milliseconds: float


class Measurements:
    """What was measured, to be asked for the fastest tiling of a product."""

    def __init__(self, records: Iterable[MeasuredTiling]) -> None:
        self.records = tuple(records)

    def fastest(self, sizes: Sequence[ProductSize], architecture: GpuArchitecture | None) -> ProductTiling | None:
        """The tiling of least time that was measured of a product on an architecture; None where none was.

        `sizes` are those of the product as each kind of instructions takes it. Raises `ScheduleError` where devices
        differ, as a compiler knows the architecture only, or the tiling is none of the product's.
        """
        if architecture is None:
            return None
        known = [replace(one, taps=ALL_TAPS) for one in sizes]
        found = [one for one in self.records if one.size in known and one.architecture == architecture.name]
        if not found:
            return None
        devices = sorted({one.device for one in found})
        if len(devices) > 1:
            raise ScheduleError(
                f"measurements of a product on {architecture.name} are of {len(devices)} devices, "
                f"{' and '.join(devices)}: give those of the one that the program is for"
            )
        best = min(found, key=lambda one: one.milliseconds)
        tiling = best.tiling
        if alone(replace(tiling, group=1)) not in set(tilings(best.size, architecture)):
            raise ScheduleError(
                f"the tiling that was measured as the fastest, {tiling}, has no room in a block of "
                f"{architecture.name}: measure again, the space of tilings has changed"
            )
        return tiling


def read_measurements(path: str | Path) -> Measurements:
    """The measurements of tilings in a file. Raises `CompileError` that names the line of what is none."""
    lines = read_regular(Path(path), _MOST_BYTES).decode(errors="replace").splitlines()
    found = [_record(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    return Measurements(one for one in found if one is not None)


def _record(line: str, place: str) -> MeasuredTiling | None:
    try:
        row: object = json.loads(line)
    except ValueError:
        raise CompileError("a line of measurements is no JSON object", place) from None
    if not isinstance(row, dict):
        raise CompileError("a line of measurements is no JSON object", place)
    entries = cast("dict[str, object]", row)
    tiling, size = entries.get("tiling"), entries.get("product")
    if tiling is None or size is None or entries.get("flushed") or not entries.get("is_right"):
        return None
    median = entries.get("median")
    if not isinstance(median, float | int) or median <= 0:
        raise CompileError(f"'median' of a measurement is {median!r}; milliseconds are required", place)
    return MeasuredTiling(
        ProductSize(**_numbers(size, ProductSize, place)),  # pyright: ignore[reportArgumentType]
        ProductTiling(**_numbers(tiling, ProductTiling, place)),  # pyright: ignore[reportArgumentType]
        str(entries.get("device")),
        str(entries.get("architecture")),
        float(median),
    )


def _numbers(given: object, kind: type[ProductSize | ProductTiling], place: str) -> Mapping[str, object]:
    """The fields of a record: whole numbers, several of them, or marks."""
    names = [field.name for field in fields(kind) if field.name != _ESTIMATED]
    entries = dict(cast("dict[str, object]", given)) if isinstance(given, dict) else {}
    entries.pop(_ESTIMATED, None)
    found = {name: _number(entries[name]) for name in names if name in entries}
    required = {name for name in names if name not in _OF_BOXES}
    if set(entries) - set(names) or required - set(found) or None in found.values():
        raise CompileError(f"a measurement has {given}; numbers for {', '.join(names)} are required", place)
    return found


def _number(value: object) -> object:
    if isinstance(value, int):
        return value
    several = cast("Sequence[object]", value) if isinstance(value, list) else ()
    return tuple(cast("Sequence[int]", several)) if several and all(isinstance(one, int) for one in several) else None
