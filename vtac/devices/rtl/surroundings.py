"""What is around a design: how its memory answers, and which part of a run is written as a waveform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from vtac.devices.agent.faults import Refusal

CHANNELS = ("ar", "r", "aw", "w", "b")
"""Read address, read data, write address, write data, write response: as bench.cpp takes their stalls."""
_MOST_PERCENT = 95
_LIMITS = {
    "latency": 1 << 16,
    "stall_percent": _MOST_PERCENT,
    **{f"stall_{channel}": _MOST_PERCENT for channel in CHANNELS},
    "seed": 1 << 62,
    "from": 1 << 31,
    "to": 1 << 31,
}


@dataclass(frozen=True, slots=True)
class Window:
    """A waveform in a file, around the instructions from `first` to `last`; None is the last of all."""

    file: Path
    first: int = 0
    last: int | None = None

    def query(self) -> str:
        """As it stands behind the `?` of a URL."""
        last = "" if self.last is None else f"&to={self.last}"
        return f"vcd={quote(str(self.file))}&from={self.first}{last}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Cycles to the first beat of a read; how often each of `CHANNELS` is not ready, by chance that `seed` draws."""

    latency: int = 16
    stalls: tuple[int, ...] = (0,) * len(CHANNELS)
    seed: int = 0
    window: Window | None = None

    def __str__(self) -> str:
        """How memory answers."""
        stalls = [f"{channel} {percent} %" for channel, percent in zip(CHANNELS, self.stalls, strict=True) if percent]
        return ", ".join(
            [f"latency {self.latency}", *([f"stalls {' '.join(stalls)} by {self.seed}"] if stalls else [])]
        )

    @staticmethod
    def parse(text: str) -> Surroundings:
        """`latency=200&stall_percent=30&stall_w=0&seed=1&vcd=FILE&from=10&to=12`. Raises `Refusal`."""
        given: dict[str, int] = {}
        file = ""
        for part in filter(None, text.split("&")):
            name, _, value = part.partition("=")
            if name == "vcd" and value:
                file = unquote(value)
                continue
            if name not in _LIMITS or not (value.isascii() and value.isdigit()) or int(value[:20]) > _LIMITS[name]:
                bounds = ", ".join(f"{key} up to {most}" for key, most in _LIMITS.items())
                raise Refusal("rtl", f"'{part}' says nothing of a design's memory", f"give {bounds}, vcd=FILE")
            given[name] = int(value)
        stalls = tuple(given.get(f"stall_{channel}", given.get("stall_percent", 0)) for channel in CHANNELS)
        window = _window(file, given)
        return Surroundings(given.get("latency", 16), stalls, given.get("seed", 0), window)


def _window(file: str, given: dict[str, int]) -> Window | None:
    first, last = given.get("from", 0), given.get("to")
    if not file and ("from" in given or "to" in given):
        raise Refusal(
            "rtl", "from and to choose instructions of a waveform, and no file is named", "give vcd=FILE, too"
        )
    if last is not None and last < first:
        raise Refusal(
            "rtl", f"a waveform from instruction {first} to {last} has none", "give a first one before the last"
        )
    return Window(Path(file), first, last) if file else None
