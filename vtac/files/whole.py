"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from vtac.files.signals import signals_deferred


def scratch_beside(target: Path) -> Path:
    """A path in the folder of `target` that nothing has; its length does not depend on the target's name."""
    return target.with_name(f".vtac.{secrets.token_hex(8)}.tmp")


def write_output(path: Path, data: bytes) -> None:
    """Write a file that was asked for, whole or not at all; a device or pipe directly. Raises `OSError`."""
    if path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        write_whole(Path(os.path.realpath(path)), data)


def write_whole(target: Path, data: bytes) -> None:
    """Write beside `target`, then put it in its place; a failure leaves `target` as it was. Raises `OSError`."""
    scratch = scratch_beside(target)
    with signals_deferred():
        try:
            with scratch.open("xb") as stream:
                stream.write(data)
            if target.exists():
                shutil.copymode(target, scratch)
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
