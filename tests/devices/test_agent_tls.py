"""Agents that listen: who gets in, and what comes out of the TLS connection of who does not."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from device_agents import TOKEN, Certificates, ends, make_certificates, sends, tls_agent
from device_programs import arguments_of, device_program

import vtac
from vtac.devices.agent.serving import Server
from vtac.devices.opening import Credentials
from vtac.errors import DeviceError


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def url(server: Server) -> str:
    return "tls://{}:{}".format(*server.address)


def runs(server: Server, credentials: Credentials) -> bool:
    program = device_program("vta_vadd")
    arrays = arguments_of(program)
    with vtac.devices.open(url(server), credentials) as device:
        return np.array_equal(program.to(device)(*arrays), program(*arrays))


def test_a_token_lets_in(certificates: Certificates) -> None:
    with tls_agent(certificates, TOKEN) as server:
        assert runs(server, certificates.credentials())
        with pytest.raises(DeviceError, match="the token is missing or wrong") as refused:
            vtac.devices.open(url(server), certificates.credentials(token="wrong"))
        assert refused.value.reason == "token"
        with pytest.raises(DeviceError, match="the agent asks for a token: name its file in VTAC_DEVICE_TOKEN"):
            vtac.devices.open(url(server), certificates.credentials(token=None))
        assert runs(server, certificates.credentials())


def test_an_agent_with_another_certificate_gets_no_token(certificates: Certificates) -> None:
    with tls_agent(certificates, TOKEN) as server:
        with pytest.raises(DeviceError, match=r"shows another certificate than .*stranger\.pem"):
            vtac.devices.open(url(server), certificates.credentials(agent="stranger"))
        with pytest.raises(DeviceError, match=r"cannot read the agent's certificate .*missing\.pem"):
            vtac.devices.open(url(server), certificates.credentials(agent="missing"))


def test_a_client_certificate_lets_in(certificates: Certificates) -> None:
    with tls_agent(certificates, None, clients="client.pem") as server:
        assert runs(server, certificates.credentials(token=None, client="client"))
        for other in (None, "stranger"):
            with pytest.raises(DeviceError, match=r"the agent is gone|speaks no TLS 1\.3"):
                vtac.devices.open(url(server), certificates.credentials(token=None, client=other))
        assert runs(server, certificates.credentials(token=None, client="client"))


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 64, b"VTA1" + bytes(12), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]
)
def test_garbage_before_the_handshake(certificates: Certificates, data: bytes) -> None:
    with tls_agent(certificates, TOKEN) as server:
        with socket.create_connection(server.address) as connection:
            sends(connection, data)
            with suppress(OSError):  # the agent may have closed the connection already
                connection.shutdown(socket.SHUT_WR)
            assert ends(connection)
        assert runs(server, certificates.credentials())


def test_nothing_listens(certificates: Certificates) -> None:
    with socket.socket() as held:  # bound, so that nobody else listens there
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(DeviceError, match=f"cannot reach the agent at 127.0.0.1 port {port}: .*: start it"):
            vtac.devices.open(f"tls://127.0.0.1:{port}", certificates.credentials())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tls", "0.0.0.0:0"], "without a secret everybody who reaches 0.0.0.0 could use the device"),
        (["--tls", "board"], "--tls board: HOST:PORT is required"),
        (["--tls", "127.0.0.1:0", "--token", "short"], "has 5 bytes; 16 to 4096 are required: make one with"),
        (["--tls", "127.0.0.1:0", "--token", "absent"], "cannot read the token"),
        (["--tls", "127.0.0.1:0", "--client-certificates", "token"], "cannot use the certificates"),
    ],
)
def test_agents_that_do_not_start(
    certificates: Certificates, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from vtac.tools.vtac import main

    (certificates.folder / "short").write_text("short")
    words = [certificates.path(word) if word in ("short", "absent", "token") else word for word in options]
    own = ["--certificate", certificates.path("agent.pem"), "--key", certificates.path("agent.key")]
    assert main(["agent", *own, *words]) == 1
    assert message in capsys.readouterr().err


def test_an_agent_process_serves_until_it_is_ended(certificates: Certificates) -> None:
    own = ["--certificate", certificates.path("agent.pem"), "--key", certificates.path("agent.key")]
    command = [
        sys.executable,
        "-m",
        "vtac",
        "agent",
        "--tls",
        "localhost:0",
        "--token",
        certificates.path("token"),
        *own,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[-1])
        with vtac.devices.open(f"tls://localhost:{port}", certificates.credentials()) as device:
            assert device.info["kind"] == "sim"
        process.terminate()
        assert process.wait() == 143
    assert Path(certificates.path("token")).exists()
