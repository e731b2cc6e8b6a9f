"""Which combinations of values a sweep looks at, and which of them are machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import nan, prod
from typing import Literal

from vtac.errors import ConfigError, VtacError
from vtac.targets.vta.exploring.machines import DERIVED, DIMENSIONS, NAMES, Machine
from vtac.targets.vta.exploring.where import Where, WhereError
from vtac.text.reports import suggestion
from vtac.text.short import counted

DEFAULT = ("BLOCK", "inp_kib", "wgt_kib", "acc_kib")
"""What is swept when nothing is said: these, with the memories of one size against another as they are by default."""
_MOST_COMBINATIONS = 2_000_000
_SIDES = ("BLOCK_IN", "BLOCK_OUT")

NoMachine = Literal["instructions that do not encode", "tiles that cross a burst", "rows narrower than the bus"]
"""Why there is no hardware of a combination."""


def machine_of(values: Mapping[str, int], base: Machine) -> Machine | NoMachine:
    """A machine with these dimensions, the others those of `base`; why not, where the hardware does not exist.

    Instructions and micro-ops must encode. A tile must not cross a burst, and with BATCH above 1 a row must not be
    narrower than the bus: such hardware cannot be built, or stores wrongly.
    """
    fields: dict[str, int | None] = {}
    if "BATCH" in values:
        fields["log_batch"] = values["BATCH"].bit_length() - 1
    if "BLOCK" in values:
        fields |= {"log_block": values["BLOCK"].bit_length() - 1, "log_block_in": None, "log_block_out": None}
    for side in _SIDES:
        if side in values:
            other = _SIDES[1 - _SIDES.index(side)]
            kept = base.config.block_in if other == "BLOCK_IN" else base.config.block_out
            fields[f"log_{side.lower()}"] = values[side].bit_length() - 1
            fields.setdefault(f"log_{other.lower()}", kept.bit_length() - 1)
    for name in ("uop", "inp", "wgt", "acc"):
        if f"{name}_kib" in values:
            fields[f"log_{name}_buff_size"] = values[f"{name}_kib"].bit_length() + 9
    for name, field in _QUEUES.items():
        if name in values:
            fields[field] = values[name]
    timed = {
        field: values[name] // (8 if name == "bus_bits" else 1)
        for name, field in (_TIMED | _QUEUES).items()
        if name in values
    }
    try:
        found = Machine(replace(base.config, **fields), replace(base.timing, **timed))
    except ConfigError:
        return "instructions that do not encode"
    config, timing = found.config, found.timing
    if config.out_element_bytes > timing.burst_bytes:
        return "tiles that cross a burst"
    if config.batch > 1 and config.block_out < timing.bus_bytes:
        return "rows narrower than the bus"
    return found


_TIMED = {
    "bus_bits": "bus_bytes",
    "burst_beats": "burst_beats",
    "latency": "memory_latency",
}
_QUEUES = {"bursts": "outstanding_bursts", "queue_depth": "queue_depth"}
"""What both a configuration and a timing say."""


def swept(where: Where | None, vary: Sequence[str]) -> list[str]:
    """The dimensions that a condition names or that are given, in their order.

    Raises `VtacError` for other names, and for `BLOCK` beside one of its sides.
    """
    for name in vary:
        if name not in NAMES:
            hint = suggestion(name, NAMES) or f"; the names are {', '.join(NAMES)}"
            raise VtacError(f"nothing is called '{name}' that could be varied{hint}")
    named = {*vary, *(where.names if where is not None else ())}
    sides = [side for side in _SIDES if side in named]
    if sides and "BLOCK" in named:
        raise VtacError(
            f"BLOCK is both sides of a tile, and {sides[0]} is one of them: name BLOCK, or BLOCK_IN and BLOCK_OUT"
        )
    chosen = {part for name in named for part in DERIVED.get(name, (name,))} or set(DEFAULT)
    if sides and "BLOCK" in chosen:
        chosen = chosen - {"BLOCK"} | set(_SIDES)
    return [name for name in DIMENSIONS if name in chosen]


def untried(where: Where) -> str:
    """Which numbers a condition asks for that a dimension is never tried at, in words; empty where there are none."""
    for name, value in where.asked():
        values = DIMENSIONS.get(name)
        if values is not None and value not in values:
            return f"{_tried(name)}, not at {value:,}"
    return ""


def said_of_values(where: Where | None, vary: Sequence[str]) -> str:
    """At which values the dimensions of a sweep are tried, in words."""
    return f"no combination of what is tried meets it; {', '.join(map(_tried, swept(where, vary)))}"


def _tried(name: str) -> str:
    *most, last = (f"{one:,}" for one in DIMENSIONS[name])
    return f"{name} is tried at {', '.join(most)} and {last}"


def said_of_illegal(illegal: Mapping[NoMachine, int]) -> str:
    """How many combinations are no machines and why, in words."""
    reasons = ", ".join(f"{count:,} for {why}" for why, count in illegal.items())
    return f"{counted(sum(illegal.values()), 'combination')} of values cannot be built: {reasons}"


def combinations(where: Where | None, vary: Sequence[str], base: Machine) -> Iterator[Machine | NoMachine]:
    """What is swept, in order: machines, and why there is none of a combination that meets the condition all the same.

    Raises `VtacError` for more combinations than can be looked at.
    """
    names = swept(where, vary)
    total = prod(len(DIMENSIONS[name]) for name in names)
    if total > _MOST_COMBINATIONS:
        raise VtacError(
            f"{', '.join(names)} have {total:,} combinations; at most {_MOST_COMBINATIONS:,} are looked at: "
            "name fewer of them"
        )
    for choice in product(*(DIMENSIONS[name] for name in names)):
        chosen = dict(zip(names, choice, strict=True))
        found = machine_of(chosen, base)
        if isinstance(found, Machine):
            values, is_asked = found.values, where is None or where.holds(found.values)
        else:
            values = _values_of(chosen, base)
            is_asked = where is None or _would_hold(where, values)
        if is_asked and (where is not None or vary or _is_balanced(values)):
            yield found


def machines(where: Where | None, vary: Sequence[str], base: Machine) -> Iterator[Machine]:
    """The machines among the combinations, in order. Raises as `combinations` does."""
    return (one for one in combinations(where, vary, base) if isinstance(one, Machine))


def _values_of(chosen: Mapping[str, int], base: Machine) -> dict[str, float]:
    """What conditions ask of a combination of which there is no machine, by the names of `Machine.values`."""
    values = {**base.values, **chosen}
    if "BLOCK" in chosen:
        values |= dict.fromkeys(_SIDES, values["BLOCK"])
    sides = values["BLOCK_IN"], values["BLOCK_OUT"]
    values["BLOCK"] = sides[0] if sides[0] == sides[1] else nan
    values["sram_kib"] = sum(values[name] for name in DERIVED["sram_kib"])
    values["multipliers"] = values["BATCH"] * sides[0] * sides[1]
    return values


def _would_hold(where: Where, values: Mapping[str, float]) -> bool:
    """Whether a condition holds of what is no machine; one that cannot be worked out there does not."""
    try:
        return where.holds(values)
    except WhereError:
        return False


def _is_balanced(values: Mapping[str, float]) -> bool:
    """INP, WGT and ACC stand as in the default configuration: 1 to 8 to 4."""
    inp, wgt, acc = (values[f"{name}_kib"] for name in ("inp", "wgt", "acc"))
    return (wgt, acc) == (8 * inp, 4 * inp)
