"""The files of a saved program: insn.bin, uop.bin, dram.bin, and program.json, which describes them.

program.json holds, besides what the public interface promises, a digest of every other file of the
folder; a host function lies beside it as host.mlir. A program of several streams has each in a
numbered folder, `device_0` first, and a program.json of its own that names them in that order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ProgramError
from vtac.files.digests import digest
from vtac.files.folders import write_folder
from vtac.targets.vta.isa.fields import MICRO_OP_BYTES, WORD_BYTES
from vtac.targets.vta.programs.provenance import KernelCall, Origin
from vtac.targets.vta.programs.saved_buffers import described_buffer
from vtac.targets.vta.stream.layout import Buffer

FORMAT = 1
INDEX = "program.json"
HOST_FILE = "host.mlir"
STREAM_FILES = ("insn.bin", "uop.bin", "dram.bin", INDEX)
"""The files of each stream."""


class StreamParts(Protocol):
    """What is saved of a program of one stream."""

    @property
    def name(self) -> str: ...
    @property
    def config(self) -> VTAConfig: ...
    @property
    def instructions(self) -> bytes: ...
    @property
    def micro_ops(self) -> bytes: ...
    @property
    def buffers(self) -> tuple[Buffer, ...]: ...
    @property
    def origins(self) -> tuple[Origin, ...]: ...
    @property
    def kernels(self) -> tuple[KernelCall, ...]: ...
    @property
    def choices(self) -> tuple[str, ...]: ...
    @property
    def layers(self) -> tuple[str, ...]: ...
    @property
    def contractions(self) -> int: ...
    @property
    def macs(self) -> int: ...
    @property
    def simulator_only(self) -> bool: ...


def device_folder(number: int) -> str:
    """The folder of a stream, by its place among those of its program: its name has no part in it."""
    return f"device_{number}"


def stream_files(
    parts: StreamParts, image: bytes, *, inputs_placed: bool, beside: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """The files of one stream by name, program.json last; `image` is its memory, `beside` are files that go with it."""
    files = {**(beside or {}), "insn.bin": parts.instructions, "uop.bin": parts.micro_ops, "dram.bin": image}
    return {**files, INDEX: index_file(_described(parts, inputs_placed), files)}


def host_files(host: bytes, config: VTAConfig, devices: Sequence[tuple[str, Mapping[str, bytes]]]) -> dict[str, bytes]:
    """The files of a host function and of several streams, each given by its name and its files."""
    files = {HOST_FILE: host}
    for number, (_, parts) in enumerate(devices):
        files |= {f"{device_folder(number)}/{name}": data for name, data in parts.items()}
    described = {
        "format": FORMAT,
        "config": config.to_fields(),
        "devices": [{"name": name, "folder": device_folder(number)} for number, (name, _) in enumerate(devices)],
    }
    return {**files, INDEX: index_file(described, files)}


def index_file(described: Mapping[str, object], files: Mapping[str, bytes]) -> bytes:
    """program.json: the description of a program, and the digests of its files."""
    digests = {name: digest(data) for name, data in files.items()}
    return (json.dumps({**described, "digests": digests}, indent=2) + "\n").encode()


def save(folder: str | Path, files: Mapping[str, bytes]) -> None:
    """Write all files of a program, or none. Raises `ProgramError`."""
    try:
        write_folder(Path(folder), files)
    except (OSError, ValueError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        at_fault = error.filename if isinstance(error, OSError) and isinstance(error.filename, str) else str(folder)
        place = at_fault if at_fault.startswith(str(folder)) else str(folder)
        raise ProgramError(f"cannot save to {place}: {reason}") from None


def _described(parts: StreamParts, inputs_placed: bool) -> dict[str, object]:
    description: dict[str, object] = {
        "format": FORMAT,
        "config": parts.config.to_fields(),
        "instructions": len(parts.instructions) // WORD_BYTES,
        "micro_ops": len(parts.micro_ops) // MICRO_OP_BYTES,
        "inputs_placed": inputs_placed,
        "buffers": [described_buffer(buffer) for buffer in parts.buffers],
        "name": parts.name,
    }
    if parts.contractions:
        description |= {"contractions": parts.contractions, "macs": parts.macs}
    if parts.choices:
        description["choices"] = list(parts.choices)
    if parts.layers:
        description["layers"] = list(parts.layers)
    if parts.simulator_only:
        description["simulator_only"] = True
    if parts.kernels:
        description["kernels"] = [
            {
                "name": kernel.name,
                "reads": list(kernel.reads),
                "writes": list(kernel.writes),
                **({} if kernel.work is None else {"work": kernel.work.fields()}),
                **({"parts": [part and asdict(part) for part in kernel.parts]} if kernel.parts else {}),
                **({"layers": list(kernel.layers)} if kernel.layers else {}),
            }
            for kernel in parts.kernels
        ]
    if parts.origins:
        distinct = {id(origin): origin for origin in parts.origins}  # quicker to tell apart than equal ones
        sites = list(dict.fromkeys(distinct.values()))
        place = {site: position for position, site in enumerate(sites)}
        places = {key: place[origin] for key, origin in distinct.items()}
        description["sites"] = [{"op": site.op, "location": site.location, "kernel": site.kernel} for site in sites]
        description["origins"] = [places[id(origin)] for origin in parts.origins]
    return description
