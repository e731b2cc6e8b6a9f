"""One client of an accelerator: its blocks, its streams, its requests.

A client writes and reads memory of its own blocks, and has streams launched that were judged before. What it launches
is the agent's copy, which no client can write: neither by a request nor by another stream.
"""

from __future__ import annotations

import time
from typing import Callable, Optional, Protocol, Tuple

from vtac.devices.agent.backend import Counters, Launch
from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.fields import Header, digest, flag, integer, mapping, number
from vtac.devices.agent.region import ADDRESS_END, Block
from vtac.devices.agent.service import Service
from vtac.devices.agent.streams import MAX_INSTRUCTIONS, WORD_BYTES, check_stream, layout

PROTOCOL = 1
Reply = Tuple[Header, Optional[memoryview]]
_ALIGNMENT_END = 1 << 24
_STREAM_ALIGNMENT = 4096


class Payload(Protocol):
    """The bytes behind a request's header."""

    nbytes: int

    def into(self, view: memoryview) -> None:
        """Receive all of them; the view has their size."""
        ...


class _Stream:
    """A stream that was judged, in the agent's own block."""

    def __init__(self, copy: Block, block: int, fields: Header, generation: int, *, relaxed: bool) -> None:
        self.copy = copy
        self.block = block
        self.fields = fields
        self.generation = generation
        self.relaxed = relaxed
        self.counters: Counters | None = None


class Session:
    """Requests of one client, one after the other."""

    def __init__(self, service: Service, name: str) -> None:
        self.name = name
        self._service = service
        self._blocks: dict[int, Block] = {}
        self._streams: dict[int, _Stream] = {}
        self._next = 1
        self._counters: Counters | None = None
        self._requests: dict[str, Callable[[Header, Payload], Reply]] = {
            "query": self._query,
            "allocate": self._allocate,
            "free": self._free,
            "write": self._write,
            "place": self._place,
            "read": self._read,
            "prepare": self._prepare,
            "discard": self._discard,
            "run": self._run,
            "counters": self._count,
            "reset": self._reset,
            "program": self._program,
        }

    def handle(self, header: Header, payload: Payload) -> Reply:
        """Do what a request asks for. Raises `Refusal`."""
        name = header.get("do")
        request = self._requests.get(name) if isinstance(name, str) else None
        if request is None:
            raise Refusal("request", f"there is no such request: one of {', '.join(self._requests)} is required")
        if payload.nbytes and name not in ("write", "prepare"):
            raise Refusal("request", f"'{name}' takes no payload")
        return request(header, payload)

    def close(self) -> None:
        """Give back what the client holds."""
        with self._service.guard:
            for block in [*self._blocks.values(), *(stream.copy for stream in self._streams.values())]:
                self._service.heap.free(block)
        self._blocks.clear()
        self._streams.clear()

    def _query(self, _header: Header, _payload: Payload) -> Reply:
        service, backend = self._service, self._service.backend
        with service.guard:
            free = service.heap.largest_free
        return {
            "protocol": PROTOCOL,
            "kind": backend.kind,
            "design": backend.design,
            "fields": backend.fields,
            "clock_hz": backend.clock_hz,
            "counters": backend.counter_names,
            "exact_time": backend.exact_time,
            "memory_bytes": backend.region.view.nbytes,
            "free_bytes": free,
            "limits": service.limits.fields(),
            "bitstreams": backend.bitstreams(),
            "lost": service.lost,
            "holder": service.turns.holder,
            "runs": service.runs,
        }, None

    def _allocate(self, header: Header, _payload: Payload) -> Reply:
        nbytes = integer(header, "nbytes", 1, ADDRESS_END)
        alignment = integer(header, "alignment", 1, _ALIGNMENT_END)
        if len(self._blocks) >= self._service.limits.blocks:
            raise Refusal("blocks", f"a client has at most {self._service.limits.blocks} blocks", "close a program")
        block = self._new_block(nbytes, alignment)
        number = self._new_number()
        self._blocks[number] = block
        return {"block": number, "address": block.address}, None

    def _free(self, header: Header, _payload: Payload) -> Reply:
        number, block = self._block(header)
        for stream in [key for key, stream in self._streams.items() if stream.block == number]:
            self._drop(stream)
        del self._blocks[number]
        self._give_back(block)
        return {}, None

    def _write(self, header: Header, payload: Payload) -> Reply:
        offset, view = self._range(header, payload.nbytes)
        payload.into(view)
        self._service.backend.region.to_device(offset, view.nbytes)
        if "keep" in header:
            self._service.images.keep(digest(header, "keep"), view)
        return {}, None

    def _place(self, header: Header, _payload: Payload) -> Reply:
        """Bytes that the agent has already; `found` says whether it has."""
        data = self._service.images.find(digest(header, "digest"))
        if data is None:
            return {"found": False}, None
        offset, view = self._range(header, len(data))
        view[:] = data
        self._service.backend.region.to_device(offset, len(data))
        return {"found": True}, None

    def _read(self, header: Header, _payload: Payload) -> Reply:
        offset, view = self._range(header, integer(header, "nbytes", 0, ADDRESS_END))
        self._service.backend.region.from_device(offset, view.nbytes)
        return {}, view

    def _prepare(self, header: Header, payload: Payload) -> Reply:
        """Judge a stream and keep it."""
        if payload.nbytes > MAX_INSTRUCTIONS * WORD_BYTES:
            raise Refusal("length", f"a stream has at most {MAX_INSTRUCTIONS:,} instructions", "split the program")
        number, block = self._block(header)
        data = bytearray(payload.nbytes)
        payload.into(memoryview(data))
        backend, generation = self._service.backend, self._service.generation
        fields = self._compared(mapping(header, "fields"))
        relaxed = flag(header, "relaxed")
        if relaxed and backend.design != "simulator":
            raise Refusal(
                "relaxed", "the stream holds what only simulators execute", "run it on one, or compile it without"
            )
        check_stream(bytes(data), [block], fields, simulated=relaxed)
        copy = self._new_block(len(data), _STREAM_ALIGNMENT)
        self._service.heap.bytes_at(copy.address, len(data))[:] = data
        backend.region.to_device(copy.address - backend.region.base, len(data))
        stream = self._new_number()
        self._streams[stream] = _Stream(copy, number, fields, generation, relaxed=relaxed)
        return {"stream": stream}, None

    def _discard(self, header: Header, _payload: Payload) -> Reply:
        self._drop(self._stream(header)[0])
        return {}, None

    def _run(self, header: Header, _payload: Payload) -> Reply:
        _, stream = self._stream(header)
        limit = self._service.limits.run_seconds
        timeout = number(header, "timeout", limit) if "timeout" in header else limit
        with self._service.exclusively(self.name) as backend:
            self._service.check_alive()
            if stream.generation != self._service.generation:
                raise Refusal("bitstream", "the device was programmed since the program was loaded", "load it again")
            self._counters = stream.counters = None
            begin = time.perf_counter()
            count = stream.copy.nbytes // WORD_BYTES
            launch = Launch(stream.copy.address, count, stream.fields, timeout, relaxed=stream.relaxed)
            self._counters = stream.counters = backend.launch(launch)
            seconds = time.perf_counter() - begin
            self._service.runs += 1
        return {"seconds": seconds}, None

    def _count(self, header: Header, _payload: Payload) -> Reply:
        counters = self._stream(header)[1].counters if "stream" in header else self._counters
        if counters is None:
            raise Refusal("counters", "counters are those of a run, and there was none", "run a program first")
        return {"counters": counters()}, None

    def _reset(self, _header: Header, _payload: Payload) -> Reply:
        self._service.reset(self.name)
        return {}, None

    def _program(self, header: Header, _payload: Payload) -> Reply:
        self._service.program(self.name, digest(header, "sha256"))
        return {}, None

    def _compared(self, fields: Header) -> Header:
        """The device's configuration, where a stream was made for the same; a simulator's is the stream's."""
        backend = self._service.backend
        if not backend.fields:
            if backend.design == "simulator":
                return fields
            raise Refusal("bitstream", "no bitstream is loaded", "vtac devices program URL BITSTREAM loads one")
        wanted, own = layout(fields), layout(backend.fields)
        for name, value in wanted.items():
            if value != own[name]:
                raise Refusal(
                    "configuration",
                    f"the program was compiled for {name} = {value}, the device has {own[name]}",
                    "compile it for the device's configuration (vtac devices info prints it), or program the device",
                )
        return backend.fields

    def _new_block(self, nbytes: int, alignment: int) -> Block:
        with self._service.guard:
            return self._service.heap.allocate(nbytes, alignment)

    def _give_back(self, block: Block) -> None:
        with self._service.guard:
            self._service.heap.free(block)

    def _new_number(self) -> int:
        self._next += 1
        return self._next

    def _block(self, header: Header) -> tuple[int, Block]:
        number = integer(header, "block", 0, 1 << 62)
        if number not in self._blocks:
            raise Refusal("block", f"there is no block {number} of this client", "load the program again")
        return number, self._blocks[number]

    def _stream(self, header: Header) -> tuple[int, _Stream]:
        number = integer(header, "stream", 0, 1 << 62)
        if number not in self._streams:
            raise Refusal("stream", f"there is no stream {number} of this client", "load the program again")
        return number, self._streams[number]

    def _drop(self, number: int) -> None:
        self._give_back(self._streams.pop(number).copy)

    def _range(self, header: Header, nbytes: int) -> tuple[int, memoryview]:
        """Offset in the region, and the host's view, of a part of a block."""
        _, block = self._block(header)
        offset = integer(header, "offset", 0, block.nbytes)
        if offset + nbytes > block.nbytes:
            raise Refusal("range", f"bytes {offset} to {offset + nbytes} of a block of {block.nbytes}")
        view = self._service.heap.bytes_at(block.address + offset, nbytes)
        return block.address + offset - self._service.backend.region.base, view
