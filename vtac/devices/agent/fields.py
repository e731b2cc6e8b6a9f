"""Values of a message's header, looked at before they are used."""

from __future__ import annotations

import re
from typing import Dict, cast

from vtac.devices.agent.faults import Refusal

Header = Dict[str, object]

_NAME = re.compile(r"[^ -~]")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def integer(header: Header, name: str, least: int, most: int) -> int:
    """A whole number within limits. Raises `Refusal`."""
    value = header.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Refusal("request", f"'{name}' is {_shown(value)}; an integer from {least} to {most} is required")
    return value


def number(header: Header, name: str, most: float) -> float:
    """A positive number. Raises `Refusal`."""
    value = header.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= most:
        raise Refusal("request", f"'{name}' is {_shown(value)}; a number above 0 up to {most:g} is required")
    return float(value)


def digest(header: Header, name: str) -> str:
    """A SHA-256 in hexadecimal. Raises `Refusal`: a name is not one, a path least of all."""
    value = header.get(name)
    if not isinstance(value, str) or _DIGEST.fullmatch(value) is None:
        raise Refusal("request", f"'{name}' is {_shown(value)}; the 64 hexadecimal digits of a SHA-256 are required")
    return value


def mapping(header: Header, name: str) -> Header:
    """An object. Raises `Refusal`."""
    value = header.get(name)
    if not isinstance(value, dict):
        raise Refusal("request", f"'{name}' is {_shown(value)}; an object is required")
    return cast("Header", value)


def flag(header: Header, name: str) -> bool:
    """Whether a field is true; anything else, and none, is false."""
    return header.get(name) is True


def client_name(header: Header) -> str:
    """What a client calls itself, printable and short."""
    value = header.get("name")
    return _NAME.sub("?", value)[:64] if isinstance(value, str) and value else "somebody"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
