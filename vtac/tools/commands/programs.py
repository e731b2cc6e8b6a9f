"""Programs for the subcommands: compiled from a file, or loaded from the directory they were saved in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from vtac.dialects.hardware import VTAConfig
from vtac.runtime.program import Program
from vtac.runtime.saved_program import load_program

if TYPE_CHECKING:
    from vtac.compiler import Target

__all__ = ["Program", "compile_file", "load_program"]


def compile_file(path: str, target: str, config_path: str | None, schedule_path: str | None) -> Program:
    """Parses and compiles the file at `path`. Raises `VtacError`."""
    from vtac.compiler import compile, parse

    config = None if config_path is None else VTAConfig.from_json(config_path)
    module = parse(Path(path))
    schedule = None if schedule_path is None else parse(Path(schedule_path))
    return compile(module, cast("Target", target), config, schedule)
