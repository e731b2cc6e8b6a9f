"""Sessions behind pipes and sockets: who may enter, messages in, messages out."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import socket
import ssl
import threading
import time

from vtac.devices.agent.faults import Disconnected, Refusal
from vtac.devices.agent.fields import Header, client_name
from vtac.devices.agent.frames import PIECE, Stream, discard, receive_header, send_frame
from vtac.devices.agent.service import Service
from vtac.devices.agent.session import PROTOCOL, Session

_SLOWEST_BYTES = 100_000.0
"""Bytes in a second that a payload has to come with."""


def proof_of(token: bytes, nonce: str) -> str:
    """What shows that a client knows the token, for one connection."""
    return hmac.new(token, f"vtac {nonce}".encode("ascii"), hashlib.sha256).hexdigest()


def serve(service: Service, stream: Stream, token: bytes | None) -> None:
    """Serve one client until it leaves or breaks the rules of messages. Closes the stream."""
    session: Session | None = None
    try:
        session = _greet(service, stream, token)
        while _answer(service, stream, session):
            continue
    except Disconnected:
        return
    except Refusal as refusal:
        _say(stream, refusal)
    finally:
        if session is not None:
            session.close()
        stream.close()


def _say(stream: Stream, refusal: Refusal) -> None:
    try:
        send_frame(stream, {"error": refusal.to_fields()})
    except (Disconnected, Refusal):
        return


def _greet(service: Service, stream: Stream, token: bytes | None) -> Session:
    """The session of a client that may enter. Raises `Refusal` for another."""
    stream.within(service.limits.message_seconds)
    nonce = secrets.token_hex(32)
    send_frame(stream, {"agent": "vtac", "protocol": PROTOCOL, "nonce": nonce, "token": token is not None})
    header, nbytes = receive_header(stream)
    proof = header.get("proof")
    if header.get("do") != "hello" or nbytes:
        raise Refusal("hello", "the first message is not 'hello'", "connect with vtac")
    if token is not None and not (isinstance(proof, str) and hmac.compare_digest(*_ascii(proof, token, nonce))):
        raise Refusal(
            "token", "the token is missing or wrong", "give the agent's token: VTAC_DEVICE_TOKEN names its file"
        )
    if header.get("protocol") != PROTOCOL:
        raise Refusal("protocol", f"this agent speaks protocol {PROTOCOL}", "install the agent of the client's vtac")
    session = Session(service, client_name(header))
    send_frame(stream, {"welcome": session.name})
    return session


def _ascii(proof: str, token: bytes, nonce: str) -> tuple[bytes, bytes]:
    return proof.encode("utf-8", "replace"), proof_of(token, nonce).encode("ascii")


class _Arriving:
    """A payload that is still on its way."""

    def __init__(self, stream: Stream, nbytes: int) -> None:
        self.nbytes = nbytes
        self.left = nbytes
        self._stream = stream

    def into(self, view: memoryview) -> None:
        self.left -= view.nbytes
        self._stream.receive_into(view)


def _answer(service: Service, stream: Stream, session: Session) -> bool:
    """Do one request; whether there may be another."""
    limits = service.limits
    stream.within(limits.idle_seconds)
    header, nbytes = receive_header(stream)
    if header.get("do") == "close":
        return False
    stream.within(limits.message_seconds + nbytes / _SLOWEST_BYTES)
    payload = _Arriving(stream, nbytes)
    reply: Header
    view: memoryview | None = None
    try:
        reply, view = session.handle(header, payload)
    except Refusal as refusal:
        reply = {"error": refusal.to_fields()}
        discard(stream, payload.left)
    stream.within(limits.message_seconds + (view.nbytes if view is not None else 0) / _SLOWEST_BYTES)
    send_frame(stream, reply, view)
    return True


class SocketStream:
    """A stream over a socket, with or without TLS; who is too slow is gone."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._end = time.monotonic() + 60.0

    def within(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def receive_into(self, view: memoryview) -> None:
        while view.nbytes:
            self._wait()
            try:
                got = self._connection.recv_into(view[:PIECE])
            except (OSError, ValueError):
                raise Disconnected from None
            if not got:
                raise Disconnected
            view = view[got:]

    def send(self, data: bytes | memoryview) -> None:
        self._wait()
        try:
            self._connection.sendall(data)
        except (OSError, ValueError):
            raise Disconnected from None

    def _wait(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise Disconnected
        self._connection.settimeout(left)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


class Server:
    """Clients on a socket, a thread each."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext, service: Service, token: bytes | None) -> None:
        self._listener = listener
        self._context = context
        self._service = service
        self._token = token
        self._places = threading.Semaphore(service.limits.clients)
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()[:2]
        return host, port

    def serve_forever(self) -> None:
        """Until the server is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if not self._places.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(self._service.limits.message_seconds)
            secured = self._context.wrap_socket(connection, server_side=True)
            with self._guard:
                self._open.add(secured)
            try:
                serve(self._service, SocketStream(secured), self._token)
            finally:
                with self._guard:
                    self._open.discard(secured)
        except (OSError, ValueError):
            connection.close()
        finally:
            self._places.release()

    def close(self) -> None:
        """Accept nobody any more, and end all connections."""
        with self._guard:
            connections = [self._listener, *self._open]
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._listener.close()
