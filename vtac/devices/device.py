"""A device: memory, launch and counters, as requests to its agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from vtac.closing import Closing
from vtac.devices.agent.frames import MAX_PAYLOAD
from vtac.devices.channels import Channel, Header
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError, DeviceError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from vtac.targets.vta.programs.program import Program

_PIECE = MAX_PAYLOAD >> 2
"""Bytes of one message."""
_KEPT_BYTES = 4096
"""Smaller contents are sent each time: asking costs as much."""
Bytes = NDArray[np.uint8]


class Device(Closing):
    """One client's hold on a device.

    `info` is what the agent said of it when it was opened: `kind`, `design` (simulator, chisel or hls), `fields` (its
    configuration), `clock_hz`, `counters`, `exact_time`, `memory_bytes`, `limits` and more.
    Methods raise `DeviceError`.
    """

    def __init__(self, url: str, channel: Channel) -> None:
        self.url = url
        self._channel = channel
        self.info: Mapping[str, object] = channel.request({"do": "query"})
        self.closed = False

    def __repr__(self) -> str:
        return f"<Device {self.url}: {self.info.get('kind')}>"

    @property
    def config(self) -> VTAConfig | None:
        """The device's configuration; None of a simulator that takes any, and where no bitstream is loaded.

        Raises `DeviceError` for one that no record can be.
        """
        fields = cast("dict[str, object]", self.info.get("fields") or {})
        try:
            return VTAConfig.from_fields(fields, f"{self.url}: configuration") if fields else None
        except ConfigError as error:
            raise DeviceError(str(error), "configuration") from None

    @property
    def is_simulator(self) -> bool:
        return self.info.get("design") == "simulator"

    def query(self) -> Mapping[str, object]:
        """What the agent says now; `info` becomes that."""
        self.info = self._request({"do": "query"})
        return self.info

    def counters(self, stream: int | None = None) -> dict[str, int]:
        """What the device counted in this client's last run, or in the last one of a prepared stream."""
        which: Header = {} if stream is None else {"stream": stream}
        found = self._request({"do": "counters", **which}).get("counters")
        counted = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        return {name: value for name, value in counted.items() if isinstance(value, int)}

    def reset(self) -> None:
        """Bring the accelerator into the state after power-on."""
        self._request({"do": "reset"})

    def program(self, sha256: str) -> None:
        """Load a bitstream that lies beside the agent, by its SHA-256; what was loaded before cannot run any more."""
        self._request({"do": "program", "sha256": sha256})
        self.query()

    def close(self) -> None:
        """Give back all that the client holds."""
        if not self.closed:
            self.closed = True
            self._channel.close()

    def allocate(self, nbytes: int, alignment: int) -> tuple[int, int]:
        """A block of zeros: its number and address."""
        reply = self._request({"do": "allocate", "nbytes": nbytes, "alignment": alignment})
        return _integer(reply, "block"), _integer(reply, "address")

    def free(self, block: int) -> None:
        """Give a block back, with the streams that were prepared on it."""
        self._request({"do": "free", "block": block})

    def write(self, block: int, offset: int, data: Bytes) -> None:
        """Bytes to a block."""
        for begin in range(0, data.nbytes, _PIECE):
            piece = data[begin : begin + _PIECE]
            self._request({"do": "write", "block": block, "offset": offset + begin}, _view(piece))

    def place(self, block: int, offset: int, data: Bytes) -> None:
        """Bytes to a block that other runs and clients will need too: they are sent where the agent lacks them."""
        from hashlib import sha256

        for begin in range(0, data.nbytes, _PIECE):
            piece = data[begin : begin + _PIECE]
            if piece.nbytes < _KEPT_BYTES:
                self.write(block, offset + begin, piece)
                continue
            where: Header = {"block": block, "offset": offset + begin}
            digest = sha256(_view(piece)).hexdigest()
            if self._request({"do": "place", **where, "digest": digest}).get("found") is not True:
                self._request({"do": "write", **where, "keep": digest}, _view(piece))

    def read(self, block: int, offset: int, nbytes: int) -> Bytes:
        """Bytes of a block."""
        data = np.empty(nbytes, np.uint8)
        for begin in range(0, nbytes, _PIECE):
            piece = data[begin : begin + _PIECE]
            header: Header = {"do": "read", "block": block, "offset": offset + begin, "nbytes": piece.nbytes}
            self._request(header, into=_view(piece))
        return data

    def prepare(self, block: int, program: Program, instructions: bytes) -> int:
        """Have a stream judged, which may touch that block only; its number."""
        header: Header = {"do": "prepare", "block": block, "fields": program.config.to_fields()}
        reply = self._request({**header, "relaxed": program.simulator_only}, memoryview(instructions))
        return _integer(reply, "stream")

    def run(self, stream: int, timeout: float | None = None) -> float:
        """Run a prepared stream; the seconds that it took the device."""
        reply = self._request({"do": "run", "stream": stream, **({} if timeout is None else {"timeout": timeout})})
        seconds = reply.get("seconds")
        return seconds if isinstance(seconds, float) else 0.0

    def _request(self, header: Header, payload: memoryview | None = None, into: memoryview | None = None) -> Header:
        if self.closed:
            raise DeviceError(f"the device {self.url} is closed: open it again", "closed")
        return self._channel.request(header, payload, into)


def _view(data: Bytes) -> memoryview:
    """The bytes of a contiguous array."""
    return memoryview(cast("Buffer", data)).cast("B")


def _integer(reply: Header, name: str) -> int:
    value = reply.get(name)
    if not isinstance(value, int):
        raise DeviceError(f"the agent's reply lacks '{name}': install the agent of this vtac", "protocol")
    return value
