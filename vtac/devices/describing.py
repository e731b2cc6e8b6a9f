"""What an agent says of a device, in a user's terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from vtac.devices.device import Device


def described(device: Device) -> Iterator[tuple[str, str]]:
    """What a device is, by name, as its agent said when it was asked last."""
    info = device.info
    yield "device", device.url
    yield "kind", _kind(device)
    yield from _configuration(device)
    yield "time", _time(info)
    yield "counters", ", ".join(_texts(info, "counters")) or "none: the design has none"
    free, whole = (_number(info.get(name)) for name in ("free_bytes", "memory_bytes"))
    yield "memory", f"{whole} bytes, the largest free block has {free}"
    yield "state", _state(info)
    yield "bitstreams", "; ".join(map(_bitstream, _mappings(info, "bitstreams"))) or "none"
    limits = info.get("limits")
    if isinstance(limits, dict):
        yield (
            "limits",
            ", ".join(f"{name} {_number(value)}" for name, value in cast("Mapping[str, object]", limits).items()),
        )


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _kind(device: Device) -> str:
    kind = device.info.get("kind")
    return f"{kind}: the interpreter" if device.is_simulator else f"{kind}, of the {device.info.get('design')} design"


def _configuration(device: Device) -> Iterator[tuple[str, str]]:
    config = device.config
    if config is not None:
        yield "configuration", str(config)
        yield "fields", ", ".join(f"{name} {value}" for name, value in config.to_fields().items())
    elif device.is_simulator:
        yield "configuration", "any: that of the program; sim:FILE is of one"
    else:
        yield "configuration", "none: no bitstream is loaded, vtac devices program URL BITSTREAM loads one"


def _time(info: Mapping[str, object]) -> str:
    """What seconds and cycles of runs are."""
    clock = info.get("clock_hz")
    if info.get("exact_time") is True:
        return "cycles are exact; seconds are this simulator's own"
    return (
        f"seconds of runs, on a clock of {clock / 1e6:g} MHz" if isinstance(clock, int) and clock else "seconds of runs"
    )


def _state(info: Mapping[str, object]) -> str:
    if info.get("lost"):
        return f"lost since {info['lost']}: vtac devices reset URL"
    holder = f"in use by {info['holder']}" if info.get("holder") else "free"
    return f"{holder}; {info.get('runs')} runs since the agent began"


def _bitstream(found: Mapping[str, object]) -> str:
    registers = found.get("registers")
    places = f", registers at {', '.join(map(str, cast('Sequence[object]', registers)))}" if registers else ""
    return f"{found.get('name')} ({found.get('design')}{places}) {found.get('sha256')}"


def _texts(info: Mapping[str, object], name: str) -> list[str]:
    found = info.get(name)
    return [str(one) for one in cast("Sequence[object]", found)] if isinstance(found, list) else []


def _mappings(info: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = info.get(name)
    return cast("list[Mapping[str, object]]", found) if isinstance(found, list) else []
