"""Saved host programs read back: host.mlir and the streams that it calls.

No name in a file becomes a path: streams lie in numbered folders, and those of older versions,
which had the streams' names, are found among the folders that there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp

from vtac.errors import ProgramError, VtacError
from vtac.files.reading import RECORD_BYTES
from vtac.targets.vta.programs.host_parts import idle_program
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.saved_records import Index
from vtac.targets.vta.programs.saved_stream import check_digests, check_files, load_stream, read_index, read_part
from vtac.targets.vta.programs.saving import HOST_FILE, INDEX, STREAM_FILES, device_folder
from vtac.text.source import parse


def load_host_program(folder: Path) -> HostProgram:
    """A host function and its streams.

    Raises `ProgramError` for a host function that does not parse or contradicts the streams, and for streams
    that cannot be read.
    """
    path = folder / HOST_FILE
    text = read_part(path, RECORD_BYTES)
    index = read_index(folder) if (folder / INDEX).exists() else None
    host = _parsed(path)
    calls = {op.callee.string_value(): op for op in host.walk() if isinstance(op, CallOp)}
    if not calls:
        _check_idle(folder, host)
    folders = [folder] if len(calls) == 1 else _device_folders(folder, index, list(calls))
    devices = {name: load_stream(place) for name, place in zip(calls, folders, strict=True)}
    for name, call in calls.items():
        _check_call(call, devices[name], path)
    if index is not None:
        check_digests(index, {HOST_FILE: text}, folder)
        check_files(index, _parts(folders) if len(calls) > 1 else [], folder)
    return HostProgram(host, devices)


def _device_folders(folder: Path, index: Index | None, names: Sequence[str]) -> list[Path]:
    """The folders of several streams, in the order of their calls; none for none."""
    if not names:
        return []
    if index is not None:
        listed = index.device_names()
        if listed != list(names):
            raise ProgramError(
                f"{folder / HOST_FILE}: calls {', '.join(names) or 'nothing'}; {INDEX} describes "
                f"{', '.join(listed) or 'nothing'}"
            )
        return [folder / device_folder(number) for number in range(len(names))]
    there = {entry.name: entry for entry in folder.iterdir() if entry.is_dir()}
    missing = next((name for name in names if name not in there), None)
    if missing is not None:
        raise ProgramError(f"{folder} is not a saved program: it has no folder with the stream '{missing}'")
    return [there[name] for name in names]


def _parts(folders: Sequence[Path]) -> list[str]:
    """The files of several streams, as the index of all of them names them."""
    return [f"{folder.name}/{name}" for folder in folders for name in STREAM_FILES]


def _check_idle(folder: Path, host: ModuleOp) -> None:
    """Beside a host function that calls nothing lies a stream that ends at once."""
    if (folder / "insn.bin").is_file():
        found = load_stream(folder)
        if found.instructions == idle_program(found.config).instructions:
            return
    raise ProgramError(f"{folder / HOST_FILE}: calls no device program, but some are saved with it")


def _parsed(path: Path) -> ModuleOp:
    try:
        host = parse(path)
        host.verify()
    except VtacError as error:
        raise ProgramError(str(error)) from None
    functions = [op for op in host.ops if isinstance(op, FuncOp) and op.body.blocks]
    if len(functions) != 1:
        raise ProgramError(f"{path}: expected one function with a body, the host's; found {len(functions)}")
    return host


def _check_call(call: CallOp, device: Program, path: Path) -> None:
    taken, given = len(device.arguments), len(call.arguments)
    returned, used = len(device.results), len(call.res)
    if (taken, returned) != (given, used):
        raise ProgramError(
            f"{path}: calls '{call.callee.string_value()}' with {given} arguments for {used} results; "
            f"the saved program takes {taken} and returns {returned}"
        )
