"""Agents in this process, clients that keep to the protocol and clients that do not."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from vtac.devices.agent.backend import Backend, Counters, Launch
from vtac.devices.agent.frames import receive_header, send_frame
from vtac.devices.agent.security import listen, server_context
from vtac.devices.agent.service import Limits, Service
from vtac.devices.agent.serving import Server, SocketStream, proof_of, serve
from vtac.devices.channels import FrameChannel, Header, LocalChannel
from vtac.devices.device import Device
from vtac.devices.opening import Credentials
from vtac.devices.simulator import Simulator

TOKEN = b"0123456789abcdef-token"
MEMORY = 1 << 22


class HeldSimulator(Simulator):
    """A simulator that runs nothing until it is let go; `started` says that a run waits."""

    def __init__(self) -> None:
        super().__init__(None, MEMORY)
        self.started = threading.Event()
        self.released = threading.Event()

    def launch(self, launch: Launch) -> Counters:
        self.started.set()
        self.released.wait()
        return super().launch(launch)


def local_device(backend: Backend, limits: Limits | None = None) -> Device:
    """A device of this process, without messages."""
    return Device("local", LocalChannel(backend, Service(backend, limits or Limits()), "test"))


class Agent:
    """An agent whose clients come by socket pairs, each served by a thread that ends with it."""

    def __init__(self, backend: Backend, limits: Limits | None = None, token: bytes | None = None) -> None:
        self.service = Service(backend, limits or Limits())
        self.token = token

    def connect(self) -> tuple[socket.socket, threading.Thread]:
        """A client's socket, on which the agent has not been heard yet, and the thread that serves it."""
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=serve, args=(self.service, SocketStream(theirs), self.token), daemon=True)
        thread.start()
        return ours, thread

    @contextmanager
    def client(self, name: str = "client") -> Generator[Device]:
        """A client that keeps to the protocol; the agent has let it go at the end."""
        ours, thread = self.connect()
        with Device("pair", FrameChannel(SocketStream(ours), name, self.token)) as device:
            yield device
        thread.join()

    @property
    def free_bytes(self) -> int:
        return self.service.heap.largest_free


def greeted(connection: socket.socket) -> Header:
    """The agent's first message."""
    return receive_header(SocketStream(connection))[0]


def hello(connection: socket.socket, token: bytes | None = None) -> SocketStream:
    """A raw client that has been let in."""
    stream = SocketStream(connection)
    greeting, _ = receive_header(stream)
    proof = {} if token is None else {"proof": proof_of(token, str(greeting["nonce"]))}
    send_frame(stream, {"do": "hello", "name": "raw", "protocol": 1, **proof})
    receive_header(stream)
    return stream


def frame(header: bytes, payload: bytes = b"") -> bytes:
    """A message as bytes, whatever the header is."""
    return struct.pack(">4sIQ", b"VTA1", len(header), len(payload)) + header + payload


def request(**fields: object) -> bytes:
    return frame(json.dumps(fields).encode())


def sends(connection: socket.socket, data: bytes) -> None:
    """Sends what an agent may cut off before all of it has been taken."""
    with suppress(ConnectionError):
        connection.sendall(data)


def ends(connection: socket.socket) -> bool:
    """Whether the agent closes the connection, whatever it says before."""
    try:
        while connection.recv(1 << 16):
            continue
    except ConnectionError:
        pass
    return True


@dataclass(frozen=True)
class Certificates:
    """A folder with the certificates and keys of an agent, a client and a stranger."""

    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def credentials(
        self, *, token: str | None = "token", agent: str = "agent", client: str | None = None
    ) -> Credentials:
        shown = (None, None) if client is None else (self.path(f"{client}.pem"), self.path(f"{client}.key"))
        return Credentials(self.path(token) if token else None, self.path(f"{agent}.pem"), *shown)


def make_certificates(folder: Path) -> Certificates:
    """Throwaway certificates; the test is passed over where there is no openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the command openssl for throwaway certificates")
    for name in ("agent", "client", "stranger"):
        command = [openssl, "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
        subprocess.run([*command, *files], check=True, capture_output=True)
    (folder / "token").write_bytes(TOKEN + b"\n")
    (folder / "wrong").write_bytes(TOKEN[::-1])
    return Certificates(folder)


@contextmanager
def tls_agent(certificates: Certificates, token: bytes | None, clients: str | None = None) -> Generator[Server]:
    """A simulator that listens on the loopback."""
    shown = None if clients is None else certificates.path(clients)
    context = server_context(certificates.path("agent.pem"), certificates.path("agent.key"), shown)
    listener = listen("127.0.0.1", 0, guarded=True)
    server = Server(listener, context, Service(Simulator(None, MEMORY), Limits()), token)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
