"""The agent's command line."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable

from vtac.devices.agent.backend import Backend
from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.frames import PipeStream
from vtac.devices.agent.security import listen, read_token, server_context
from vtac.devices.agent.service import Limits, Service
from vtac.devices.agent.serving import Server, serve

Opened = Callable[[str, argparse.Namespace], Backend]
"""The accelerator that a specification names. Raises `Refusal`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The agent's options."""
    limits = Limits()
    add = parser.add_argument
    add("--stdio", action="store_true", help="serve one client on standard input and output")
    add("--tls", metavar="HOST:PORT", help="serve clients by TLS 1.3; port 0 takes a free one and prints it")
    add("--device", default=None, metavar="NAME", help="the accelerator: board:pynq, board:de10nano and others")
    add("--certificate", metavar="FILE", help="--tls: the agent's certificate, PEM")
    add("--key", metavar="FILE", help="--tls: its key, PEM")
    add("--token", metavar="FILE", help="--tls: a file with the secret that clients have to know")
    add("--client-certificates", metavar="FILE", help="--tls: certificates, or their authority, that clients show")
    add("--bitstreams", metavar="DIR", help="the folder of bitstreams and their side files")
    add("--load", metavar="NAME", help="load this bitstream of that folder first")
    add("--loaded", metavar="NAME", help="the bitstream of that folder that is loaded already")
    add("--memory", metavar="SOURCE", help="u-dma-buf:NAME, physical:BASE:BYTES, pynq:BYTES, or bytes of a simulator")
    add("--clients", type=int, default=limits.clients, metavar="N", help="most clients at once")
    add("--run-seconds", type=float, default=limits.run_seconds, metavar="S", help="longest run")
    add("--idle-seconds", type=float, default=limits.idle_seconds, metavar="S", help="longest silence of a client")


def run_agent(options: argparse.Namespace, opened: Opened) -> int:
    """Serve until the client leaves, or for ever. Raises `Refusal` for what cannot be served."""
    if options.stdio == (options.tls is not None):
        raise Refusal("usage", "an agent serves either --stdio or --tls HOST:PORT")
    limits = Limits(clients=options.clients, run_seconds=options.run_seconds, idle_seconds=options.idle_seconds)
    if options.stdio:
        return _serve_pipe(options, opened, limits)
    return _serve_tls(options, opened, limits)


def _serve_pipe(options: argparse.Namespace, opened: Opened, limits: Limits) -> int:
    """One client. What is printed goes to stderr, so that nothing gets between messages."""
    reader = os.fdopen(os.dup(0), "rb", buffering=0)
    writer = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    backend = opened(options.device, options)
    try:
        serve(Service(backend, limits), PipeStream(reader, writer), None)
    finally:
        backend.close()
    return 0


def _serve_tls(options: argparse.Namespace, opened: Opened, limits: Limits) -> int:
    if options.certificate is None or options.key is None:
        raise Refusal("certificate", "--tls needs --certificate and --key")
    host, _, port = options.tls.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise Refusal("usage", f"--tls {options.tls}: HOST:PORT is required")
    token = read_token(options.token) if options.token is not None else None
    context = server_context(options.certificate, options.key, options.client_certificates)
    listener = listen(
        host.strip("[]") or "127.0.0.1", int(port), guarded=token is not None or options.client_certificates is not None
    )
    backend = opened(options.device, options)
    server = Server(listener, context, Service(backend, limits), token)
    print("vtac agent: {} on {} port {}".format(backend.kind, *server.address), flush=True)
    try:
        server.serve_forever()
    finally:
        server.close()
        backend.close()
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The agent by itself, as it runs on a board."""
    from vtac.devices.agent.boards import open_board

    parser = argparse.ArgumentParser(prog="agent.pyz", description="Lends an accelerator to clients of vtac.")
    add_arguments(parser)
    try:
        return run_agent(parser.parse_args(arguments), open_board)
    except Refusal as refusal:
        print("agent: {}{}".format(refusal.message, f"; {refusal.remedy}" if refusal.remedy else ""), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
