"""Instruction streams from disk: a saved program's directory, or a file of raw instruction words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError


class StreamFileError(VtacError):
    """A stream or saved program that cannot be read."""


@dataclass(frozen=True)
class SavedStream:
    """The instruction words at `path`, its micro-op words (empty for a raw file) and the configuration of both."""

    path: Path
    instructions: bytes
    micro_ops: bytes
    config: VTAConfig


def load_stream(path: str, config_path: str | None) -> SavedStream:
    """Reads a directory that `vtac compile` wrote, or a file of instruction words.

    The configuration is the directory's; a file's is `config_path`, else the default. Raises `VtacError`.
    """
    source = Path(path)
    stated = None if config_path is None else VTAConfig.from_json(config_path)
    if not source.is_dir():
        return SavedStream(source, read_bytes(source), b"", stated or VTAConfig())
    config = _saved_config(source / "program.json")
    if stated is not None and stated != config:
        raise StreamFileError(
            f"'{path}' was compiled for another configuration than '{config_path}'; leave out --config"
        )
    micro_ops = source / "uop.bin"
    return SavedStream(source, read_bytes(source / "insn.bin"), read_bytes(micro_ops), config)


def read_bytes(path: Path) -> bytes:
    """Returns the file's bytes. Raises `StreamFileError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise StreamFileError(f"cannot read '{path}': {error.strerror or error}") from None


def _saved_config(path: Path) -> VTAConfig:
    try:
        record: object = json.loads(read_bytes(path))
    except ValueError as error:
        raise StreamFileError(f"'{path}' is not JSON: {error}") from None
    fields = record.get("config") if isinstance(record, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(fields, dict):
        raise StreamFileError(f"'{path}' has no object 'config'; expected the record that 'vtac compile' writes")
    return VTAConfig.from_fields({str(key): value for key, value in fields.items()}, str(path))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
