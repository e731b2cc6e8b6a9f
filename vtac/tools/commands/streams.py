"""Instruction streams from disk: a saved program's directory, or a file of raw instruction words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.files.reading import MEMORY_BYTES, like_missing, read_regular
from vtac.targets.vta.programs.saved_records import Index, parse_index
from vtac.targets.vta.programs.saving import device_folder

_MLIR = re.compile(r"^\s*(module\b|func\.func\b|#\w+ = |\"?builtin\.module|schedule\.script\b)", re.MULTILINE)
_ASSEMBLY = re.compile(r"^\s*(\d+: +)?(load|store|gemm|alu|finish)\b", re.MULTILINE)


class StreamFileError(VtacError):
    """A stream or saved program that cannot be read."""

    kind = "file"


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
    streams = load_streams(path, config_path)
    if len(streams) != 1:
        places = ", ".join(str(stream.path) for stream in streams.values())
        raise StreamFileError(f"'{path}' holds {len(streams)} streams; name one of them: {places}")
    return next(iter(streams.values()))


def load_streams(path: str, config_path: str | None) -> dict[str, SavedStream]:
    """Reads all streams of a directory, by name; else like `load_stream`. Raises `VtacError`.

    Only what is needed to show the words is looked at, so that a program that cannot be loaded can be seen.
    """
    source = Path(path)
    stated = None if config_path is None else VTAConfig.from_json(config_path)
    if not source.is_dir():
        words = read_bytes(source)
        _refuse_text(source, words)
        return {"": SavedStream(source, words, b"", stated or VTAConfig())}
    streams = {name: _saved_stream(folder) for name, folder in _stream_folders(source).items()}
    if stated is not None and any(stated != stream.config for stream in streams.values()):
        raise StreamFileError(
            f"'{path}' was compiled for another configuration than '{config_path}'; leave out --config"
        )
    return streams


def _refuse_text(path: Path, data: bytes) -> None:
    """Raises `StreamFileError` for text, which no instruction words are: those of an end hold zeros."""
    if not data or any(byte < ord(" ") and byte not in b"\t\n\r" for byte in data):
        return
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    if _MLIR.search(text):
        kind, remedy = "MLIR text", f"compile it with vtac compile {path} -o DIR, and give DIR"
    elif _ASSEMBLY.search(text):
        kind, remedy = "assembly", f"assemble it with vtac asm {path} -o FILE, and give FILE"
    else:
        kind, remedy = "text", "give what vtac compile -o wrote, or a file of instruction words"
    raise StreamFileError(f"'{path}' is {kind}, no stream of instruction words: {remedy}")


def _stream_folders(source: Path) -> dict[str, Path]:
    """The folder of each stream; older versions wrote several without an index, in folders of their names."""
    if not (source / "program.json").exists() and (source / "host.mlir").exists():
        return {entry.name: entry for entry in sorted(source.iterdir()) if (entry / "program.json").exists()}
    index = _index(source / "program.json")
    if "devices" not in index.fields:
        return {"": source}
    return {name: source / device_folder(number) for number, name in enumerate(index.device_names())}


def _saved_stream(folder: Path) -> SavedStream:
    config = _index(folder / "program.json").config()
    return SavedStream(folder, read_bytes(folder / "insn.bin"), read_bytes(folder / "uop.bin"), config)


def read_bytes(path: Path) -> bytes:
    """Returns the file's bytes. Raises `StreamFileError`."""
    try:
        return read_regular(path, MEMORY_BYTES)
    except OSError as error:
        raise StreamFileError(f"cannot read '{path}': {error.strerror or error}{like_missing(path, error)}") from None


def _index(path: Path) -> Index:
    return parse_index(read_bytes(path), path)
