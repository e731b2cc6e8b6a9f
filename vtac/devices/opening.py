"""From a URL to a device."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.streams import layout
from vtac.devices.channels import Channel, FrameChannel, LocalChannel, device_error, own_name
from vtac.devices.device import Device
from vtac.devices.urls import require_whole, ssh_host, tls_address
from vtac.dialects.hardware import VTAConfig
from vtac.errors import DeviceError
from vtac.files.reading import RECORD_BYTES, read_regular

if TYPE_CHECKING:
    from vtac.devices.agent.backend import Backend

TOKEN, CERTIFICATE = "VTAC_DEVICE_TOKEN", "VTAC_DEVICE_CERTIFICATE"
CLIENT_CERTIFICATE, CLIENT_KEY = "VTAC_CLIENT_CERTIFICATE", "VTAC_CLIENT_KEY"
AGENT_FILE = ".vtac/agent.pyz"
"""Where a board keeps its agent, from the home folder."""


class HasConfig(Protocol):
    """What is compiled for a configuration."""

    @property
    def config(self) -> VTAConfig: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files: the secret that an agent wants to hear, the certificate that it shows, and what a client shows.

    What is not given is taken from the environment.
    """

    token: str | None = None
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    def filled(self) -> Credentials:
        given = (self.token, self.certificate, self.client_certificate, self.client_key)
        names = (TOKEN, CERTIFICATE, CLIENT_CERTIFICATE, CLIENT_KEY)
        return Credentials(*(file or os.environ.get(name) or None for file, name in zip(given, names, strict=True)))


def open(url: str | None = None, credentials: Credentials | None = None, *, fitting: HasConfig | None = None) -> Device:
    """A device by its URL, one of `vtac.devices.urls.FORMS`; without one, that of VTAC_DEVICE, else `sim`.

    Of several, the first that is free, and has the configuration of the program `fitting`; where all that fit are in
    use, the first of those. Raises `DeviceError` where there is none, or none that lets the client in.
    """
    name = url or os.environ.get("VTAC_DEVICE") or "sim"
    known = (credentials or Credentials()).filled()
    names = pool(name)
    return _open(names[0], known) if len(names) == 1 else _first_free(names, known, fitting)


def open_all(
    url: str, credentials: Credentials | None = None, *, config: VTAConfig | None = None
) -> tuple[list[Device], list[str]]:
    """Every device of a URL that has a configuration, in use or not; and which ones cannot be used, and why.

    Raises `DeviceError` where none can.
    """
    known = (credentials or Credentials()).filled()
    found: list[Device] = []
    problems: list[str] = []
    names = pool(url)
    for name in names:
        try:
            device = _open(name, known)
        except DeviceError as error:
            if len(names) == 1:
                raise
            problems.append(f"{name}: {error}")
            continue
        problem = _unfit(device, config)
        if problem:
            problems.append(f"{name}: {problem}")
            device.close()
        else:
            found.append(device)
    if not found:
        raise DeviceError(_none_of(names, problems), "pool")
    return found, problems


def _none_of(names: Sequence[str], problems: Sequence[str]) -> str:
    if not names:
        return "no device is named: give a URL, several with commas between, or pool:FILE"
    return f"no device of {len(names)} can be used: {'; '.join(problems)}"


def _open(name: str, credentials: Credentials) -> Device:
    try:
        return Device(name, _channel(name, credentials))
    except Refusal as refusal:
        raise device_error(refusal) from None


def pool(name: str) -> list[str]:
    """The URLs that a name stands for: itself, several with commas between, or the lines of a file.

    Raises `DeviceError` for a file that cannot be read, or names no device.
    """
    if not name.startswith("pool:"):
        parts = [part.strip() for part in name.split(",")]
        if any(parts) and not all(parts):
            raise DeviceError(f"'{name}' is incomplete: URL,URL is required", "url")
        return [part for part in parts if part]
    require_whole(name)
    path = name.removeprefix("pool:")
    try:
        lines = read_regular(Path(path), RECORD_BYTES).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DeviceError(f"cannot read the devices of '{path}': {reason}", "url") from None
    found = [line.partition("#")[0].strip() for line in lines]
    if not any(found):
        raise DeviceError(f"'{path}' names no device: write a URL on each line", "url")
    return [line for line in found if line]


def _first_free(names: Sequence[str], credentials: Credentials, fitting: HasConfig | None) -> Device:
    waiting: Device | None = None
    problems: list[str] = []
    for name in names:
        try:
            device = _open(name, credentials)
        except DeviceError as error:
            problems.append(f"{name}: {error}")
            continue
        problem = _unfit(device, None if fitting is None else fitting.config)
        if not problem and not device.info.get("holder"):
            if waiting is not None:
                waiting.close()
            return device
        if problem or waiting is not None:
            problems.append(f"{name}: {problem or 'in use'}")
            device.close()
        else:
            waiting = device
    if waiting is None:
        raise DeviceError(_none_of(names, problems), "pool")
    return waiting


def _unfit(device: Device, config: VTAConfig | None) -> str:
    """Why a device cannot run programs of a configuration, empty where it can."""
    if device.info.get("lost"):
        return f"lost since {device.info['lost']}"
    try:
        own = device.config
    except DeviceError as error:
        return str(error)
    if own is None:
        return "" if device.is_simulator else "no bitstream is loaded"
    if config is None or layout(dict(own.to_fields())) == layout(dict(config.to_fields())):
        return ""
    return f"it is {own}, the program for {config}"


def _channel(name: str, credentials: Credentials) -> Channel:
    require_whole(name)
    makers: dict[str, Callable[[str, Credentials], Channel]] = {"pipe": _pipe, "ssh": _ssh, "tls": _tls}
    maker = makers.get(name.partition(":")[0])
    return _local(name) if maker is None else maker(name, credentials)


def _local(name: str) -> Channel:
    from vtac.devices.agent.service import Limits, Service
    from vtac.devices.local import open_backend

    backend: Backend = open_backend(name, None)
    return LocalChannel(backend, Service(backend, Limits()), own_name())


def _pipe(url: str, _credentials: Credentials) -> Channel:
    """An agent process of this machine, which ends with its client."""
    command = [sys.executable, "-m", "vtac", "agent", "--stdio", "--device", url.removeprefix("pipe:")]
    return process_channel(command)


def _ssh(url: str, _credentials: Credentials) -> Channel:
    """An agent on a board, started by ssh, which asks for what it needs and knows the keys."""
    return process_channel([*ssh_command(ssh_host(url)), f"exec python3 {AGENT_FILE} --stdio"])


def ssh_command(host: str) -> list[str]:
    """ssh to a host, without a terminal; the remote command follows."""
    return ["ssh", "-T", "-o", "BatchMode=yes", "--", host]


def process_channel(command: Sequence[str]) -> Channel:
    """A channel to an agent that a command starts, on its standard input and output.

    Raises `DeviceError` for one that cannot be started.
    """
    from vtac.devices.agent.frames import PipeStream, Reader, Writer

    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    except OSError as error:
        raise DeviceError(
            f"cannot start {command[0]}: {error.strerror}: install it, or name another device", "tool"
        ) from None
    ends = PipeStream(cast("Reader", process.stdout), cast("Writer", process.stdin))
    return FrameChannel(ends, own_name(), None, process)


def _tls(url: str, credentials: Credentials) -> Channel:
    from vtac.devices.secured import connect

    host, port = tls_address(url)
    return connect(host, port, credentials.token, credentials.certificate, _shown(credentials))


def _shown(credentials: Credentials) -> tuple[Path, Path] | None:
    """The certificate and key that the client shows, if it has them."""
    if credentials.client_certificate is None:
        return None
    certificate = Path(credentials.client_certificate)
    return certificate, Path(credentials.client_key) if credentials.client_key else certificate
