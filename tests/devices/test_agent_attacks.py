"""Clients that break the rules: nothing is executed, the agent lives, and the next client is served."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable

import numpy as np
import pytest
from device_agents import TOKEN, Agent, HeldSimulator, ends, frame, greeted, hello, request, sends
from device_programs import arguments_of, device_program

from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.frames import MAX_HEADER, MAX_PAYLOAD, receive_header
from vtac.devices.agent.service import Limits
from vtac.devices.agent.serving import SocketStream, proof_of
from vtac.devices.simulator import Simulator
from vtac.errors import DeviceError

MEMORY = 1 << 22


def works(agent: Agent) -> bool:
    """Whether the next client is served, and all memory was given back before."""
    assert agent.free_bytes == MEMORY
    program = device_program("vta_vadd")
    with agent.client() as device:
        arrays = arguments_of(program)
        return np.array_equal(program.to(device)(*arrays), program(*arrays))


def before_hello(data: bytes) -> Callable[[socket.socket], None]:
    def attack(connection: socket.socket) -> None:
        greeted(connection)
        sends(connection, data)

    return attack


def inside(data: bytes) -> Callable[[socket.socket], None]:
    def attack(connection: socket.socket) -> None:
        hello(connection, TOKEN)
        sends(connection, data)

    return attack


def replayed(connection: socket.socket) -> None:
    """The proof of another connection."""
    greeted(connection)
    sends(connection, request(do="hello", protocol=1, name="replay", proof=proof_of(TOKEN, "0" * 64)))


ATTACKS: dict[str, Callable[[socket.socket], None]] = {
    "garbage": before_hello(b"GET / HTTP/1.1\r\nHost: board\r\n\r\n"),
    "no-token": before_hello(request(do="hello", protocol=1, name="x")),
    "wrong-token": before_hello(request(do="hello", protocol=1, proof="0" * 64)),
    "token-of-another-type": before_hello(request(do="hello", protocol=1, proof=[1, 2])),
    "token-beyond-ascii": before_hello(request(do="hello", protocol=1, proof="\u00e4" * 64)),
    "replay": replayed,
    "work-before-hello": before_hello(request(do="allocate", nbytes=4096, alignment=4096)),
    "payload-before-hello": before_hello(frame(b'{"do": "hello"}', bytes(1 << 20))),
    "header-too-long": inside(struct.pack(">4sIQ", b"VTA1", MAX_HEADER + 1, 0)),
    "payload-too-long": inside(struct.pack(">4sIQ", b"VTA1", 2, MAX_PAYLOAD + 1)),
    "no-json": inside(frame(b"\xff\xfe{")),
    "no-object": inside(frame(b"[1, 2]")),
    "deep-json": inside(frame(b"[" * 30_000)),
    "huge-number": inside(frame(b'{"do": "allocate", "nbytes": ' + b"9" * 5000 + b"}")),
    "garbage-inside": inside(bytes(range(256)) * 8),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_who_breaks_the_rules_of_messages_is_cut_off(name: str) -> None:
    agent = Agent(Simulator(None, MEMORY), token=TOKEN)
    connection, thread = agent.connect()
    with connection:
        ATTACKS[name](connection)
        assert ends(connection)
    thread.join()
    assert agent.service.runs == 0
    assert works(agent)


@pytest.mark.parametrize("cut", [3, 16, 40, 200])
def test_who_leaves_in_the_middle_of_a_message(cut: int) -> None:
    agent = Agent(Simulator(None, MEMORY))
    connection, thread = agent.connect()
    hello(connection)
    whole = request(do="allocate", nbytes=1 << 20, alignment=4096)
    written = frame(b'{"do": "write", "block": 2, "offset": 0}', bytes(1 << 16))
    connection.sendall(whole + written[:cut])
    connection.close()
    thread.join()
    assert works(agent)


def test_who_is_too_slow_is_cut_off() -> None:
    agent = Agent(Simulator(None, MEMORY), Limits(idle_seconds=0.05))
    for data in (b"", b"VTA1", request(do="query")[:20]):
        connection, thread = agent.connect()
        with connection:
            hello(connection)
            sends(connection, data)
            assert ends(connection)
        thread.join()
    silent, thread = Agent(Simulator(None, MEMORY), Limits(message_seconds=0.05)).connect()
    with silent:
        assert ends(silent)
    thread.join()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"do": "program", "sha256": "../../etc/passwd"}, "the 64 hexadecimal digits of a SHA-256 are required"),
        ({"do": "program", "sha256": "a" * 63 + "\n"}, "the 64 hexadecimal digits"),
        ({"do": "place", "digest": "/dev/mem", "block": 1, "offset": 0}, "the 64 hexadecimal digits"),
        ({"do": "__class__"}, "there is no such request: one of query, allocate"),
        ({"do": ["run"]}, "there is no such request"),
        ({}, "there is no such request"),
        ({"do": "allocate", "nbytes": -1, "alignment": 1}, "'nbytes' is -1; an integer from 1"),
        ({"do": "allocate", "nbytes": True, "alignment": 1}, "'nbytes' is True; an integer"),
        ({"do": "allocate", "nbytes": 1 << 31, "alignment": 1}, "2,147,483,648 contiguous bytes are wanted"),
        ({"do": "allocate", "nbytes": 16, "alignment": 0}, "'alignment' is 0"),
        ({"do": "read", "block": 7, "offset": 0, "nbytes": 16}, "there is no block 7 of this client"),
        ({"do": "run", "stream": 1}, "there is no stream 1 of this client"),
        ({"do": "free", "block": "1"}, "'block' is '1'; an integer"),
    ],
)
def test_requests_that_make_no_sense_are_refused(fields: dict[str, object], message: str) -> None:
    agent = Agent(Simulator(None, MEMORY))
    connection, thread = agent.connect()
    with connection:
        stream = hello(connection)
        connection.sendall(request(**fields))
        answer, _ = receive_header(stream)
        assert message in str(answer["error"])
        connection.sendall(request(do="query"))
        assert receive_header(stream)[0]["protocol"] == 1
    thread.join()
    assert works(agent)


def test_bytes_of_a_refused_request_are_not_taken_for_the_next() -> None:
    agent = Agent(Simulator(None, MEMORY))
    connection, thread = agent.connect()
    with connection:
        stream = hello(connection)
        connection.sendall(frame(b'{"do": "write", "block": 5, "offset": 0}', request(do="close") * 100))
        assert "there is no block 5" in str(receive_header(stream)[0]["error"])
        connection.sendall(request(do="query"))
        assert receive_header(stream)[0]["protocol"] == 1
    thread.join()


def test_a_block_ends_where_it_ends() -> None:
    agent = Agent(Simulator(None, MEMORY))
    with agent.client() as device:
        block, _ = device.allocate(4096, 4096)
        with pytest.raises(DeviceError, match="bytes 4090 to 4106 of a block of 4096"):
            device.write(block, 4090, np.zeros(16, np.uint8))
        with pytest.raises(DeviceError, match="bytes 0 to 4097 of a block of 4096"):
            device.read(block, 0, 4097)
        with pytest.raises(DeviceError, match="what arrived has another SHA-256 than was said"):
            device._request({"do": "write", "block": block, "offset": 0, "keep": "0" * 64}, memoryview(b"weights"))  # pyright: ignore[reportPrivateUsage]


def test_blocks_of_others_are_not_seen() -> None:
    """Numbers of blocks and streams are each client's own, and memory comes without what was in it."""
    agent = Agent(Simulator(None, MEMORY))
    with agent.client("first") as first:
        block, _ = first.allocate(1 << 20, 4096)
        first.write(block, 0, np.full(1 << 20, 7, np.uint8))
        with agent.client("second") as second:
            with pytest.raises(DeviceError, match="there is no block"):
                second.read(block, 0, 16)
            first.free(block)
            mine, _ = second.allocate(1 << 20, 4096)
            assert not second.read(mine, 0, 1 << 20).any()


def test_two_clients_take_turns_and_the_holder_is_named() -> None:
    backend = HeldSimulator()
    agent = Agent(backend, Limits(turn_seconds=0.02))
    program = device_program("vta_vadd")
    arrays = arguments_of(program)
    results: list[object] = []
    with agent.client("first") as first, agent.client("second") as second:
        one, two = program.to(first), program.to(second)
        running = threading.Thread(target=lambda: results.append(one(*arrays)))
        running.start()
        backend.started.wait()
        assert second.query()["holder"] == "first"
        with pytest.raises(DeviceError, match=r"still held by first after 0.02 s: try again later") as refused:
            two(*arrays)
        assert refused.value.reason == "busy"
        backend.released.set()
        running.join()
        assert np.array_equal(two(*arrays), program(*arrays))
    assert len(results) == 1


def test_a_client_that_dies_in_a_run_leaves_the_device_to_the_next() -> None:
    backend = HeldSimulator()
    agent = Agent(backend)
    program = device_program("vta_vadd").stream
    connection, thread = agent.connect()
    from vtac.devices.channels import FrameChannel
    from vtac.devices.device import Device
    from vtac.devices.loading import LoadedStream

    device = Device("dying", FrameChannel(SocketStream(connection), "dying", None))
    loaded = LoadedStream(program, device)
    connection.sendall(request(do="run", stream=loaded._stream))  # pyright: ignore[reportPrivateUsage]
    backend.started.wait()
    connection.close()
    backend.released.set()
    thread.join()
    assert agent.service.runs == 1
    assert works(agent)


def test_a_name_is_printable_and_short() -> None:
    agent = Agent(HeldSimulator())
    connection, thread = agent.connect()
    with connection:
        greeted(connection)
        connection.sendall(request(do="hello", protocol=1, name="\x1b[31m" + "x" * 500))
        welcome, _ = receive_header(SocketStream(connection))
        assert welcome == {"welcome": "?[31m" + "x" * 59}
    thread.join()


def test_what_no_message_carries_is_not_sent() -> None:
    agent = Agent(Simulator(None, MEMORY))
    connection, thread = agent.connect()
    with connection:
        stream = hello(connection)
        from vtac.devices.agent.frames import send_frame

        with pytest.raises(Refusal, match=f"at most {MAX_HEADER} are sent"):
            send_frame(stream, {"do": "x" * MAX_HEADER})
    thread.join()
