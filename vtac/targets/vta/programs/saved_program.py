"""Saved programs read back, with or without a host function."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vtac.targets.vta.programs.saved_stream import load_stream
from vtac.targets.vta.programs.saving import HOST_FILE

if TYPE_CHECKING:
    from vtac.targets.vta.programs.vta_program import VtaProgram


def load_program(directory: str | Path) -> VtaProgram:
    """Read back what `save` wrote: a `HostProgram` where a host function lies with the streams, else a `Program`.

    Raises `ProgramError` for a missing or truncated file, for one that is no regular file or not the one that was
    saved, for an unknown format, and for sizes that contradict each other.
    """
    folder = Path(directory)
    if (folder / HOST_FILE).exists():
        from vtac.targets.vta.programs.saved_host_program import load_host_program  # it needs the compiler

        return load_host_program(folder)
    return load_stream(folder)
