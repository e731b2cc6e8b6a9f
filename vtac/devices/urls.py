"""How devices are named, and what of a name is missing."""

from __future__ import annotations

from vtac.errors import DeviceError
from vtac.text.reports import suggestion

FORMS = {
    "sim": "the interpreter in this process",
    "model:BOARD": "the board's registers in front of the interpreter, behind the driver of the board",
    "rtl:DIR": "the Chisel design's Verilog in a folder, built with Verilator",
    "board:BOARD": "an accelerator of this machine",
    "pipe:DEVICE": "an agent process with one of the devices above",
    "ssh://[USER@]HOST": "an agent that ssh starts on a board",
    "tls://HOST:PORT": "an agent that listens",
    "pool:FILE": "the first free device of a file with a URL on each line; or URLs with commas between",
}
"""How devices are named."""

LOCAL = ("sim", "model", "rtl", "board")
"""What this process opens, and an agent does."""

_OPTIONAL = {"sim": ":", "model": ":", "rtl": "?", "ssh": "@"}
"""What stands between the parts of a name, where one of them may be left out together with it."""

_WHOLE = {"sim": "sim or sim:FILE", "model": "model:BOARD or model:BOARD:FILE", "rtl": "rtl:DIR or rtl:DIR?OPTIONS"}
"""Forms with such a part written out."""


def require_whole(name: str) -> None:
    """Raise `DeviceError` for a name that is of no form, or lacks a part: in one text, with the form."""
    scheme, colon, rest = name.partition(":")
    if scheme not in {form.partition(":")[0] for form in FORMS}:
        hint = suggestion(scheme, (*LOCAL, "pipe", "ssh", "tls", "pool"))
        raise DeviceError(f"no device is called '{name}'{hint}; devices are {', '.join(FORMS)}", "url")
    if scheme == "sim" and not colon:
        return
    if scheme in ("ssh", "tls"):
        rest = rest.removeprefix("//").removesuffix("/")
    parts = list(rest.rpartition(":")[::2]) if scheme == "tls" else rest.split(_OPTIONAL.get(scheme, "\0"), 1)
    if not all(part.strip("[]") for part in parts):
        form = next(form for form in FORMS if form.partition(":")[0] == scheme)
        raise DeviceError(f"'{name}' is incomplete: {_WHOLE.get(scheme, form)} is required", "url")
    if scheme == "pipe":
        require_whole(rest)
        if rest.partition(":")[0] not in LOCAL:
            raise DeviceError(f"'{name}': a pipe leads to one of {', '.join(LOCAL)}: name '{rest}' without it", "url")


def ssh_host(url: str) -> str:
    """The `USER@HOST` of an ssh URL. Raises `DeviceError` for what ssh could take for an option or a command."""
    require_whole(url)
    host = url.removeprefix("ssh:").removeprefix("//").removesuffix("/")
    plain = all(letter.isalnum() or letter in "@.-_:[]" for letter in host)
    if host.startswith("-") or host.count("@") > 1 or not plain:
        raise DeviceError(f"'{url}' names no host: ssh://[USER@]HOST is required", "url")
    return host


def tls_address(url: str) -> tuple[str, int]:
    """The host and the port of a TLS URL. Raises `DeviceError`."""
    require_whole(url)
    host, _, port = url.removeprefix("tls:").removeprefix("//").removesuffix("/").rpartition(":")
    if not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise DeviceError(f"'{url}' names no port: tls://HOST:PORT is required, with a PORT up to 65535", "url")
    return host.strip("[]"), int(port)
