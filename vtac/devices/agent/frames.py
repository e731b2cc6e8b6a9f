"""Messages on a stream of bytes: 16 bytes of sizes, a JSON header, and a payload.

The sizes are `VTA1`, the header's length (32 bits) and the payload's (64 bits), big-endian. Both are limited before
anything is received; a payload is received into the memory that it is for.
"""

from __future__ import annotations

import json
import struct
from typing import Protocol, cast

from vtac.devices.agent.faults import Disconnected, Refusal

MAGIC = b"VTA1"
MAX_HEADER = 64 << 10
MAX_PAYLOAD = 64 << 20
PIECE = 1 << 20
"""Bytes that are moved at once."""

_SIZES = struct.Struct(">4sIQ")


class Stream(Protocol):
    """Bytes to and from the other end. Methods raise `Disconnected`, also where the time for them has passed."""

    def receive_into(self, view: memoryview) -> None:
        """Fill the whole view."""
        ...

    def send(self, data: bytes | memoryview) -> None: ...

    def within(self, seconds: float) -> None:
        """From now on, all that is received and sent has to be done in this time."""
        ...

    def close(self) -> None: ...


def send_frame(stream: Stream, header: dict[str, object], payload: memoryview | None = None) -> None:
    """Send a message; a header that is too long is a mistake of the caller and raises `Refusal`."""
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    if len(text) > MAX_HEADER:
        raise Refusal("frame", f"a header of {len(text)} bytes; at most {MAX_HEADER} are sent", "send less at once")
    stream.send(_SIZES.pack(MAGIC, len(text), 0 if payload is None else payload.nbytes) + text)
    if payload is not None:
        for begin in range(0, payload.nbytes, PIECE):
            stream.send(payload[begin : begin + PIECE])


def receive_header(stream: Stream) -> tuple[dict[str, object], int]:
    """The next message's header, and the size of the payload that follows.

    Raises `Disconnected`, and `Refusal` for what is no message or larger than the limits; nothing of the
    connection can be trusted then, and it is to be closed.
    """
    sizes = bytearray(_SIZES.size)
    stream.receive_into(memoryview(sizes))
    magic, header_bytes, payload_bytes = cast("tuple[bytes, int, int]", _SIZES.unpack(sizes))
    if magic != MAGIC:
        raise Refusal("frame", "what arrived is no message of a vtac client", "connect with vtac")
    if header_bytes > MAX_HEADER or payload_bytes > MAX_PAYLOAD:
        raise Refusal(
            "frame",
            f"a message of {header_bytes} + {payload_bytes} bytes; at most {MAX_HEADER} + {MAX_PAYLOAD} are received",
            "send smaller pieces",
        )
    text = bytearray(header_bytes)
    stream.receive_into(memoryview(text))
    return _parsed(text), payload_bytes


def _parsed(text: bytearray) -> dict[str, object]:
    try:
        found: object = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refusal("frame", "a header that is no JSON", "connect with vtac") from None
    if not isinstance(found, dict):
        raise Refusal("frame", "a header that is no JSON object", "connect with vtac")
    return cast("dict[str, object]", found)


def discard(stream: Stream, nbytes: int) -> None:
    """Receive a payload that nobody wants, so that the next message can be read."""
    scratch = memoryview(bytearray(min(nbytes, PIECE)))
    while nbytes:
        step = min(nbytes, PIECE)
        stream.receive_into(scratch[:step])
        nbytes -= step


class PipeStream:
    """A stream over two file objects without buffers of their own, such as pipes."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def receive_into(self, view: memoryview) -> None:
        while view.nbytes:
            got = self._reader.readinto(view[:PIECE])
            if not got:
                raise Disconnected
            view = view[got:]

    def send(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        try:
            while rest.nbytes:
                sent = self._writer.write(rest[:PIECE])
                rest = rest[sent or 0 :]
            self._writer.flush()
        except (BrokenPipeError, ValueError):
            raise Disconnected from None

    def within(self, seconds: float) -> None:
        """A pipe ends with the process at its other end, which is waited for."""

    def close(self) -> None:
        for end in (self._writer, self._reader):
            try:
                end.close()
            except OSError:
                continue


class Reader(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...
    def close(self) -> None: ...


class Writer(Protocol):
    def write(self, data: memoryview, /) -> int | None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...
