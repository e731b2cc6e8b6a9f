"""`vtac devices`: what devices there are, what one is, and what is done to one beside running programs."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from vtac.errors import VtacError
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import report

if TYPE_CHECKING:
    from vtac.devices.device import Device

_EXAMPLE = """example:
  vtac devices list
  vtac devices info pipe:sim
  vtac devices program ssh://xilinx@pynq vta.bit
  vtac devices smoke ssh://xilinx@pynq
"""
_BITSTREAM_BYTES = 1 << 28


class WrongResultsError(VtacError):
    """A device that computes something else than the interpreter."""

    kind = "difference"


class Options(argparse.Namespace):
    """The options, typed."""

    action: str
    url: str | None = None
    bitstream: str | None = None
    json: bool = False


def main(arguments: Sequence[str]) -> int:
    """Does one thing with one device.

    Raises `UsageError` for arguments that the action does not take, other `VtacError`s where the device refuses.
    """
    parser = ToolParser("vtac devices", "Lists devices, shows one, or brings one into a known state.", _EXAMPLE)
    add = parser.add_argument
    add("action", metavar="ACTION", choices=tuple(ACTIONS), help="list, info, reset, program, install or smoke")
    add("url", metavar="URL", nargs="?", help="the device; default: the environment's VTAC_DEVICE, else sim")
    add("bitstream", metavar="BITSTREAM", nargs="?", help="program: a file, or its SHA-256; the agent has its own copy")
    add("--json", action="store_true", help="list, info: print one object in place of a table")
    options = Options()
    parser.parse(arguments, options)
    if options.bitstream is not None and options.action != "program":
        raise UsageError(f"vtac devices {options.action} takes no bitstream: leave out '{options.bitstream}'")
    ACTIONS[options.action](options)
    return 0


def _list(options: Options) -> None:
    from vtac.devices.urls import FORMS

    if options.url is not None:
        raise UsageError("vtac devices list takes no device; vtac devices info URL shows one")
    if options.json:
        report(json.dumps(FORMS, indent=2) + "\n")
        return
    report("".join(f"{form:<18}  {meaning}\n" for form, meaning in FORMS.items()))


def _info(options: Options) -> None:
    from vtac.devices.describing import described

    with _opened(options) as device:
        pass
    if options.json:
        report(json.dumps({"url": device.url, **device.info}, indent=2) + "\n")
        return
    report("".join(f"{name:<13}  {value}\n" for name, value in described(device)))


def _reset(options: Options) -> None:
    with _opened(options) as device:
        device.reset()
        report(f"{device.url} is reset\n")


def _program(options: Options) -> None:
    if options.url is None or options.bitstream is None:
        raise UsageError("vtac devices program needs URL and BITSTREAM, a file or its SHA-256")
    sha256 = _digest(options.bitstream)
    with _opened(options) as device:
        device.program(sha256)
        report(f"{device.url} has the bitstream {sha256[:16]}: {device.config}\n")


def _digest(bitstream: str) -> str:
    """The SHA-256 that a digest or a file stands for. Raises `UsageError`."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", bitstream):
        return bitstream.lower()
    from vtac.files.reading import read_regular

    try:
        return hashlib.sha256(read_regular(Path(bitstream), _BITSTREAM_BYTES)).hexdigest()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read the bitstream '{bitstream}': {getattr(error, 'strerror', None) or error}"
        ) from None


def _install(options: Options) -> None:
    from vtac.devices.installing import install

    if options.url is None or not options.url.startswith("ssh:"):
        raise UsageError("vtac devices install needs ssh://USER@HOST, where the agent is put")
    report(f"{install(options.url)}\n")


def _smoke(options: Options) -> None:
    from vtac.devices.smoke import smoke

    failed = 0
    with _opened(options) as device:
        for tried in smoke(device):
            failed += bool(tried.problem)
            report(f"{tried}\n")
    if failed:
        raise WrongResultsError(f"{failed} of the first programs are wrong on {options.url}: see docs/devices.md")


def _opened(options: Options) -> Device:
    from vtac.devices.opening import open as open_device

    return open_device(options.url)


ACTIONS: Mapping[str, Callable[[Options], None]] = MappingProxyType(
    {"list": _list, "info": _info, "reset": _reset, "program": _program, "install": _install, "smoke": _smoke}
)
"""What can be done."""
