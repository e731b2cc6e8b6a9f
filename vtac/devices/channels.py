"""Requests to an agent: called in this process, or sent as messages."""

from __future__ import annotations

import getpass
import os
import platform
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol, cast

from vtac.devices.agent.backend import Backend
from vtac.devices.agent.faults import DeviceLost, Disconnected, Refusal
from vtac.devices.agent.frames import PIECE, Stream, discard, receive_header, send_frame
from vtac.devices.agent.service import Service
from vtac.devices.agent.serving import proof_of
from vtac.devices.agent.session import PROTOCOL, Session
from vtac.errors import DeviceError

Header = dict[str, object]
_CLOSING_SECONDS = 10.0
_PATIENCE_SECONDS = 3600.0
"""Longer than any run and any queue."""


class Channel(Protocol):
    """One client's way to an agent."""

    def request(self, header: Header, payload: memoryview | None = None, into: memoryview | None = None) -> Header:
        """The reply to a request; `into` receives the bytes behind it, which are as many. Raises `DeviceError`."""
        ...

    def close(self) -> None: ...


def device_error(refusal: Refusal) -> DeviceError:
    """What an agent refused, as an error of the compiler."""
    return _error(refusal.kind, refusal.message, refusal.remedy)


def _error(reason: str, message: str, remedy: str) -> DeviceError:
    error = DeviceError(f"{message}: {remedy}" if remedy else message, reason)
    error.parts(found=message, remedy=remedy)
    return error


def own_name() -> str:
    """What agents call this client."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = str(os.getuid())
    return f"{user}@{platform.node()}"


class LocalChannel:
    """An accelerator of this process."""

    def __init__(self, backend: Backend, service: Service, name: str) -> None:
        self._backend = backend
        self._session = Session(service, name)

    def request(self, header: Header, payload: memoryview | None = None, into: memoryview | None = None) -> Header:
        given = _Given(payload)
        try:
            reply, view = self._session.handle(header, given)
        except Refusal as refusal:
            raise device_error(refusal) from (None if not isinstance(refusal, DeviceLost) else refusal)
        if into is not None and view is not None:
            into[:] = view
        return reply

    def close(self) -> None:
        self._session.close()
        self._backend.close()


class _Given:
    """A payload in this process's memory."""

    def __init__(self, data: memoryview | None) -> None:
        self._data = memoryview(b"") if data is None else data
        self.nbytes = self._data.nbytes

    def into(self, view: memoryview) -> None:
        view[:] = self._data


class FrameChannel:
    """Messages to an agent behind a stream; `process` is the one at the other end of a pipe, if there is one.

    Raises `DeviceError` where the other end is no agent, or does not let the client in.
    """

    def __init__(
        self, stream: Stream, name: str, token: bytes | None, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self._stream = stream
        self._process = process
        try:
            greeting = self._greeting()
            if greeting.get("agent") != "vtac" or greeting.get("protocol") != PROTOCOL:
                raise _error("protocol", "the other end is no agent of this version", "vtac devices install updates it")
            hello: Header = {"do": "hello", "name": name, "protocol": PROTOCOL}
            if greeting.get("token") is True:
                if token is None:
                    raise _error("token", "the agent asks for a token", "name its file in VTAC_DEVICE_TOKEN")
                hello["proof"] = proof_of(token, str(greeting.get("nonce")))
            self.request(hello)
        except DeviceError:
            self.close()
            raise

    def _greeting(self) -> Header:
        """What the agent says first. Raises `DeviceError`, where there is none with how its process ended."""
        try:
            return self._reply(None)
        except DeviceError as error:
            if error.reason != "connection" or self._process is None:
                raise
            raise _error(
                "connection",
                f"no agent answers{self._ended()}",
                "see what it said above; vtac devices install ssh://USER@HOST puts the agent on a board",
            ) from None

    def request(self, header: Header, payload: memoryview | None = None, into: memoryview | None = None) -> Header:
        self._stream.within(_PATIENCE_SECONDS)
        with suppress(Disconnected, Refusal):  # why it ended is what the agent said last
            send_frame(self._stream, header, payload)
        return self._reply(into)

    def _reply(self, into: memoryview | None) -> Header:
        try:
            header, nbytes = receive_header(self._stream)
            if into is not None and into.nbytes == nbytes:
                for begin in range(0, nbytes, PIECE):
                    self._stream.receive_into(into[begin : begin + PIECE])
            else:
                discard(self._stream, nbytes)
        except Disconnected:
            raise _error(
                "connection", f"the agent is gone{self._ended()}", "connect again, and load the program again"
            ) from None
        except Refusal as refusal:
            raise _error(
                "protocol", f"the other end is no agent of vtac: {refusal.message}", "check the address"
            ) from None
        error = header.get("error")
        if isinstance(error, dict):
            told = cast("Mapping[str, object]", error)
            raise _error(*(str(told.get(part, "")) for part in ("kind", "message", "remedy")))
        if into is not None and into.nbytes != nbytes:
            raise _error("protocol", f"{nbytes} bytes came where {into.nbytes} were asked for", "connect again")
        return header

    def _ended(self) -> str:
        """How the process at the other end ended."""
        if self._process is None:
            return ""
        try:
            status = self._process.wait(_CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            return ""
        return f": its process ended with {status}" if status else ""

    def close(self) -> None:
        """Say good-bye, and wait for a process to end."""
        with suppress(Disconnected, Refusal):
            send_frame(self._stream, {"do": "close"})
        self._stream.close()
        if self._process is not None:
            try:
                self._process.wait(_CLOSING_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
