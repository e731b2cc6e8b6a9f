"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def write_whole(target: Path, data: bytes) -> None:
    """Write beside `target`, then put it in its place; a failure leaves `target` as it was. Raises `OSError`."""
    scratch = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with scratch.open("xb") as stream:
            stream.write(data)
        if target.exists():
            shutil.copymode(target, scratch)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
