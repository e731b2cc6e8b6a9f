"""`vtac agent`: lends a simulator, a model or an accelerator of this machine to clients of `vtac.devices`."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.tools.entry import ToolParser

_EXAMPLE = """example:
  openssl rand -hex 32 > token
  openssl req -x509 -newkey ed25519 -nodes -days 365 -subj /CN=agent -keyout key.pem -out agent.pem
  vtac agent --tls 0.0.0.0:9091 --certificate agent.pem --key key.pem --token token --device sim
"""


def main(arguments: Sequence[str]) -> int:
    """Serves until the client leaves, or for ever. Raises `DeviceError` where it cannot serve."""
    from argparse import Namespace

    from vtac.devices.agent.faults import Refusal
    from vtac.devices.agent.main import add_arguments, run_agent
    from vtac.devices.channels import device_error
    from vtac.devices.local import open_backend

    parser = ToolParser("vtac agent", "Lends an accelerator, a model of one or a simulator to clients.", _EXAMPLE)
    add_arguments(parser)
    options = Namespace()
    parser.parse(arguments, options)
    try:
        return run_agent(options, open_backend)
    except Refusal as refusal:
        raise device_error(refusal) from None
