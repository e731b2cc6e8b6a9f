"""Bitstreams that lie beside an agent, each with a side file, and how they are loaded.

Nothing in the FPGA says what is in it. So a bitstream is known by its SHA-256, and `NAME.json` beside `NAME.bit` says
what it is: `{"sha256": ..., "design": "hls" or "chisel", "clock_hz": ..., "config": {fields of vta_config.json}}`.
`NAME.hwh`, where it lies there too, says where the blocks of the HLS design have their registers.
"""

from __future__ import annotations

import hashlib
import json
import os
from importlib import import_module
from typing import Any, Protocol, cast

from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.handoff import HANDOFF_BYTES, Windows, windows_of
from vtac.devices.agent.streams import element_bytes

_ENDINGS = (".bit", ".bin", ".rbf")
_MOST_BYTES = 1 << 28
_SIDE_BYTES = 1 << 16


class Bitstream:
    """One that can be loaded; `windows` are the addresses of its registers where a handoff says them."""

    def __init__(
        self,
        name: str,
        sha256: str,
        design: str,
        clock_hz: int,
        fields: dict[str, object],
        windows: Windows | None = None,
    ) -> None:
        self.name = name
        self.sha256 = sha256
        self.design = design
        self.clock_hz = clock_hz
        self.fields = fields
        self.windows = windows

    def shown(self) -> dict[str, object]:
        said = {} if self.windows is None else {"registers": [f"0x{base:x}" for base in self.windows]}
        return {"name": self.name, "sha256": self.sha256, "design": self.design, "clock_hz": self.clock_hz, **said}


class Bitstreams(Protocol):
    """Where bitstreams lie."""

    def known(self) -> list[Bitstream]:
        """All that have a side file."""
        ...

    def load(self, bitstream: Bitstream) -> None:
        """Load one into the FPGA. Raises `Refusal`."""
        ...


class Loader(Protocol):
    """What writes a bitstream into the FPGA."""

    def __call__(self, path: str, data: bytes) -> None:
        """Load the file's bytes. Raises `OSError` and `RuntimeError`."""
        ...


class Folder:
    """Bitstreams of a folder. Names come from the folder, never from a client."""

    def __init__(self, path: str, loader: Loader) -> None:
        self._path = path
        self._loader = loader

    def known(self) -> list[Bitstream]:
        try:
            names = sorted(os.listdir(self._path))
        except OSError as error:
            raise Refusal("bitstream", f"cannot read the folder {self._path}: {error.strerror}") from None
        return [
            self._described(name, has_handoff=f"{name[:-4]}.hwh" in names)
            for name in names
            if name.endswith(_ENDINGS) and f"{name[:-4]}.json" in names
        ]

    def load(self, bitstream: Bitstream) -> None:
        path = os.path.join(self._path, bitstream.name)
        try:
            data = _read(path, _MOST_BYTES)
            if hashlib.sha256(data).hexdigest() != bitstream.sha256:
                raise Refusal(
                    "bitstream",
                    f"{bitstream.name} has another SHA-256 than its side file says",
                    "copy both to the board again",
                )
            self._loader(path, data)
        except (OSError, RuntimeError, ImportError) as error:
            raise Refusal("bitstream", f"cannot load {bitstream.name}: {error}", "see the board's kernel log") from None

    def _described(self, name: str, *, has_handoff: bool) -> Bitstream:
        side = f"{name[:-4]}.json"
        try:
            found: object = json.loads(_read(os.path.join(self._path, side), _SIDE_BYTES).decode("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise Refusal("bitstream", f"cannot read the side file {side}: {error}", "mend it on the board") from None
        fields = cast("dict[str, object]", found if isinstance(found, dict) else {})
        config, clock = fields.get("config"), fields.get("clock_hz")
        sha256, design = fields.get("sha256"), fields.get("design")
        if not isinstance(config, dict) or not isinstance(clock, int) or design not in ("hls", "chisel"):
            raise Refusal("bitstream", f"the side file {side} needs config, clock_hz and design, hls or chisel")
        if not isinstance(sha256, str):
            raise Refusal("bitstream", f"the side file {side} needs the sha256 of {name}")
        element_bytes(cast("dict[str, object]", config))
        windows = self._windows(f"{name[:-4]}.hwh", str(design)) if has_handoff else None
        return Bitstream(name, sha256, str(design), clock, cast("dict[str, object]", config), windows)

    def _windows(self, name: str, design: str) -> Windows:
        if design != "hls":
            raise Refusal(
                "bitstream",
                f"{name} lies beside a bitstream of the {design} design, whose registers are fixed",
                "move it",
            )
        try:
            return windows_of(_read(os.path.join(self._path, name), HANDOFF_BYTES), name)
        except OSError as error:
            raise Refusal("bitstream", f"cannot read {name}: {error}", "mend it on the board") from None


class NoBitstreams:
    """An agent without a folder."""

    def known(self) -> list[Bitstream]:
        return []

    def load(self, bitstream: Bitstream) -> None:
        raise Refusal("bitstream", f"{bitstream.name} is not here")


def load_by_pynq(path: str, data: bytes) -> None:
    """Load with pynq, which converts a .bit."""
    del data
    pynq: Any = import_module("pynq")
    pynq.Bitstream(path).download()


def load_by_manager(path: str, data: bytes) -> None:
    """Load with the kernel's FPGA manager, which takes .bin and .rbf as they are."""
    name = f"vtac-{hashlib.sha256(data).hexdigest()[:16]}{path[-4:]}"
    with open(f"/lib/firmware/{name}", "wb") as firmware:
        firmware.write(data)
    for file, text in (("flags", "0"), ("firmware", name)):
        place = f"/sys/class/fpga_manager/fpga0/{file}"
        if file == "firmware" or os.path.exists(place):
            with open(place, "w", encoding="ascii") as manager:
                manager.write(text)


def _read(path: str, most: int) -> bytes:
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"more than {most} bytes")
    return data
