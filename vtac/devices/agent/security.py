"""Where an agent listens, and what it asks of those who connect."""

from __future__ import annotations

import ipaddress
import socket
import ssl

from vtac.devices.agent.faults import Refusal

_LEAST_TOKEN_BYTES = 16


def read_token(path: str) -> bytes:
    """The token in a file, without the line's end. Raises `Refusal` for one that can be guessed."""
    try:
        with open(path, "rb") as file:
            token = file.read(4097).strip()
    except OSError as error:
        raise Refusal("token", f"cannot read the token {path}: {error.strerror}") from None
    if not _LEAST_TOKEN_BYTES <= len(token) <= 4096:
        raise Refusal(
            "token",
            f"the token in {path} has {len(token)} bytes; {_LEAST_TOKEN_BYTES} to 4096 are required",
            f"make one with: openssl rand -hex 32 > {path}",
        )
    return token


def server_context(certificate: str, key: str, client_certificates: str | None) -> ssl.SSLContext:
    """TLS 1.3 with a certificate of its own; clients show one of `client_certificates`, where that is given.

    Raises `Refusal` for files that are no such certificates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(certificate, key)
        if client_certificates is not None:
            context.load_verify_locations(client_certificates)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(filter(None, (certificate, key, client_certificates)))
        raise Refusal("certificate", f"cannot use the certificates {names}: {error}") from None
    return context


def listen(host: str, port: int, *, guarded: bool) -> socket.socket:
    """A socket that listens; without a secret on the loopback only. Raises `Refusal`."""
    if not guarded and not _is_loopback(host):
        raise Refusal(
            "open",
            f"without a secret everybody who reaches {host} could use the device",
            "give --token FILE or --client-certificates FILE, or listen on 127.0.0.1",
        )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(found[0], found[1])
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found[4])
        listener.listen(16)
    except OSError as error:
        raise Refusal("listen", f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
