"""The client's end of TLS: an agent is known by its certificate, which the client has in a file."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from vtac.devices.agent.security import read_token
from vtac.devices.agent.serving import SocketStream
from vtac.devices.channels import FrameChannel, own_name
from vtac.errors import DeviceError

_CONNECT_SECONDS = 20.0


def connect(
    host: str, port: int, token: str | None, certificate: str | None, shown: tuple[Path, Path] | None
) -> FrameChannel:
    """A channel to an agent that shows exactly the certificate in a file; `shown` is what the client shows.

    Raises `DeviceError`, and `Refusal` for a token that cannot be read.
    """
    if certificate is None:
        raise DeviceError(
            f"cannot know the agent at {host} port {port}: its certificate is missing: name its file in "
            "VTAC_DEVICE_CERTIFICATE",
            "certificate",
        )
    pinned = _read_certificate(certificate)
    secret = read_token(token) if token is not None else None
    context = _context(shown)
    try:
        plain = socket.create_connection((host, port), _CONNECT_SECONDS)
    except OSError as error:
        raise DeviceError(
            f"cannot reach the agent at {host} port {port}: {error.strerror or error}: start it",
            "connection",
        ) from None
    try:
        secured = context.wrap_socket(plain)
    except OSError as error:
        plain.close()
        raise DeviceError(f"{host} port {port} speaks no TLS 1.3: {error}", "connection") from None
    if secured.getpeercert(binary_form=True) != pinned:
        secured.close()
        raise DeviceError(f"{host} port {port} shows another certificate than {certificate}", "certificate")
    return FrameChannel(SocketStream(secured), own_name(), secret)


def _context(shown: tuple[Path, Path] | None) -> ssl.SSLContext:
    """TLS 1.3. Who signed the agent's certificate does not matter: it is compared as a whole."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if shown is not None:
        try:
            context.load_cert_chain(*shown)
        except (OSError, ssl.SSLError) as error:
            raise DeviceError(f"cannot use the certificate {shown[0]}: {error}", "certificate") from None
    return context


def _read_certificate(path: str) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise DeviceError(f"cannot read the agent's certificate {path}: {error}", "certificate") from None
