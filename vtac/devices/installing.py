"""Putting an agent on a board, by ssh."""

from __future__ import annotations

import subprocess

from vtac.devices.bundle import agent_bytes
from vtac.devices.opening import AGENT_FILE, ssh_command
from vtac.devices.urls import ssh_host
from vtac.errors import DeviceError

_SECONDS = 120


def install(url: str) -> str:
    """Copy the agent to its place on a board, whole or not at all; what was done, in a line. Raises `DeviceError`."""
    host = ssh_host(url)
    folder = AGENT_FILE.rpartition("/")[0]
    script = f"umask 077 && mkdir -p {folder} && cat > {AGENT_FILE}.new && mv {AGENT_FILE}.new {AGENT_FILE}"
    data = agent_bytes()
    try:
        outcome = subprocess.run(
            [*ssh_command(host), script], input=data, capture_output=True, check=False, timeout=_SECONDS
        )
    except OSError as error:
        raise DeviceError(f"cannot start ssh: {error.strerror}: install it", "tool") from None
    except subprocess.TimeoutExpired:
        raise DeviceError(f"ssh to {host} did not end in {_SECONDS} s: check the address", "connection") from None
    if outcome.returncode:
        said = outcome.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise DeviceError(
            f"cannot install the agent on {host}: {said or f'ssh ended with {outcome.returncode}'}", "connection"
        )
    return f"{host} has the agent in {AGENT_FILE} ({len(data):,} bytes)"
