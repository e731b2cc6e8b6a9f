"""What machines are called: all of their parts, or those in which the machines of a sweep differ."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.targets.vta.exploring.machines import Machine

_MEMORIES = ("uop", "inp", "wgt", "acc")
_USUAL = {"bus_bits": 64, "burst_beats": 16, "bursts": 16, "latency": 16, "queue_depth": 512}


def full_name(machine: Machine) -> str:
    """`1x16 uop 32 inp 32 wgt 256 acc 128 KiB`, and what of the bus is unlike the default.

    A tile is BATCHxBLOCK, or BATCHxBLOCK_INxBLOCK_OUT where the sides differ.
    """
    parts = _parts(machine)
    return _joined(parts, [name for name in parts if name not in _USUAL or machine.values[name] != _USUAL[name]])


def short_names(machines: Sequence[Machine]) -> tuple[list[str], str]:
    """The parts of each machine in which they differ, and those that all have; of one machine the first are all."""
    parts = [_parts(machine) for machine in machines]
    if len(parts) < 2:
        return [full_name(machine) for machine in machines], ""
    apart = [name for name in parts[0] if len({one[name] for one in parts}) > 1]
    usual = [name for name, value in _USUAL.items() if machines[0].values[name] == value]
    common = [name for name in parts[0] if name not in apart and name not in usual]
    return [_joined(one, apart) for one in parts], _joined(parts[0], common)


def _parts(machine: Machine) -> dict[str, str]:
    rows, *sides = machine.tiles
    tile = "x".join(map(str, (rows, *dict.fromkeys(sides))))
    memories = {name: f"{name} {machine.values[f'{name}_kib']:g}" for name in _MEMORIES}
    return {"tile": tile, **memories, **{name: f"{name} {machine.values[name]:g}" for name in _USUAL}}


def _joined(parts: dict[str, str], names: Sequence[str]) -> str:
    held = [parts[name] for name in names if name in _MEMORIES]
    first = [parts[name] for name in names if name == "tile"] + ([f"{' '.join(held)} KiB"] if held else [])
    return ", ".join([" ".join(first), *(parts[name] for name in names if name in _USUAL)]).removeprefix(", ")
