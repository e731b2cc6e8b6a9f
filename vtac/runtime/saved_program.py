"""Programs as directories: insn.bin, uop.bin, dram.bin and program.json."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast, get_args

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.isa.fields import MICRO_OP_BYTES, WORD_BYTES
from vtac.runtime.errors import ProgramError
from vtac.runtime.layout import Buffer, DType, Role
from vtac.runtime.program import Array, Origin, Program

FORMAT = 1
_FILES = ("insn.bin", "uop.bin", "dram.bin", "program.json")


def save_program(program: Program, directory: Path, inputs: Sequence[Array] | None) -> None:
    """Write a program; files appear whole or not at all."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProgramError(f"cannot save to {directory}: {error.strerror}") from None
    contents = {
        "insn.bin": program.instructions,
        "uop.bin": program.micro_ops,
        "dram.bin": program.memory_image(inputs).tobytes(),
        "program.json": (json.dumps(_describe(program, inputs is not None), indent=2) + "\n").encode(),
    }
    for name, data in contents.items():
        _write_whole(directory / name, data)


def _write_whole(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def _describe(program: Program, inputs_placed: bool) -> dict[str, object]:
    description: dict[str, object] = {
        "format": FORMAT,
        "config": program.config.to_fields(),
        "instructions": len(program.instructions) // WORD_BYTES,
        "micro_ops": len(program.micro_ops) // MICRO_OP_BYTES,
        "inputs_placed": inputs_placed,
        "buffers": [
            {
                "name": buffer.name,
                "role": buffer.role,
                "address": buffer.address,
                "nbytes": buffer.nbytes,
                "dtype": buffer.dtype,
                "shape": list(buffer.shape),
                "argument": buffer.is_argument,
                "result": buffer.is_result,
            }
            for buffer in program.buffers
        ],
    }
    if program.origins:
        sites = list(dict.fromkeys(program.origins))
        place = {site: position for position, site in enumerate(sites)}
        description["sites"] = [{"op": site.op, "location": site.location} for site in sites]
        description["origins"] = [place[origin] for origin in program.origins]
    return description


def load_program(directory: str | Path) -> Program:
    """Read back what `Program.save` wrote.

    Raises `ProgramError` for a missing or truncated file, an unknown format, or sizes that
    contradict each other.
    """
    folder = Path(directory)
    data: dict[str, bytes] = {}
    for name in _FILES:
        try:
            data[name] = (folder / name).read_bytes()
        except OSError as error:
            raise ProgramError(f"{folder} is not a saved program: cannot read {name}: {error.strerror}") from None
    description = _parse(data["program.json"], folder / "program.json")
    program = _program(description, data, folder)
    _check_sizes(description, program, data, folder)
    return program


def _parse(text: bytes, path: Path) -> Mapping[str, object]:
    try:
        description: object = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ProgramError(f"{path}: not JSON: {error}") from None
    if not isinstance(description, dict):
        raise ProgramError(f"{path}: expected a JSON object")
    known = cast(Mapping[str, object], description)
    if known.get("format") != FORMAT:
        raise ProgramError(f"{path}: format {known.get('format')!r}; this version reads format {FORMAT}")
    return known


def _program(description: Mapping[str, object], data: Mapping[str, bytes], folder: Path) -> Program:
    path = folder / "program.json"
    config = description.get("config")
    records = description.get("buffers")
    if not isinstance(config, dict) or not isinstance(records, list):
        raise ProgramError(f"{path}: 'config' must be an object and 'buffers' a list")
    buffers = tuple(_buffer(record, path) for record in cast(list[object], records))
    if not buffers or buffers[-1].role != "uop":
        raise ProgramError(f"{path}: the last buffer must hold the micro-ops (role uop)")
    image = data["dram.bin"]
    constants = {
        buffer.name: image[buffer.address : buffer.address + buffer.nbytes]
        for buffer in buffers
        if buffer.role == "constant"
    }
    program = Program(
        VTAConfig.from_fields(cast(dict[str, object], config), str(path)),
        data["insn.bin"],
        data["uop.bin"],
        buffers,
        constants,
        _origins(description, path),
    )
    if description.get("inputs_placed") is True:
        program._last_inputs = tuple(_array(image, buffer) for buffer in program.arguments)  # pyright: ignore[reportPrivateUsage]
    return program


def _array(image: bytes, buffer: Buffer) -> Array:
    data = np.frombuffer(image, np.dtype(buffer.dtype), int(np.prod(buffer.shape)), buffer.address)
    return data.reshape(buffer.shape).copy()  # pyright: ignore[reportReturnType]


def _buffer(record: object, path: Path) -> Buffer:
    fields: Mapping[str, object] = cast(Mapping[str, object], record) if isinstance(record, dict) else {}
    name, role, dtype = fields.get("name"), fields.get("role"), fields.get("dtype")
    address, shape = fields.get("address"), fields.get("shape")
    if not (isinstance(name, str) and role in get_args(Role) and dtype in get_args(DType)):
        raise ProgramError(f"{path}: a buffer needs a name, a known role and a known dtype, found {fields}")
    if not (isinstance(address, int) and address >= 0 and isinstance(shape, list)):
        raise ProgramError(f"{path}: buffer '{name}' needs an address and a shape")
    extents = cast(list[object], shape)
    if not all(isinstance(extent, int) and extent >= 0 for extent in extents):
        raise ProgramError(f"{path}: buffer '{name}' has shape {extents}")
    return Buffer(
        name,
        cast(Role, role),
        cast(DType, dtype),
        tuple(cast(list[int], extents)),
        address,
        fields.get("argument", role == "input") is True,
        fields.get("result", role == "output") is True,
    )


def _origins(description: Mapping[str, object], path: Path) -> tuple[Origin, ...]:
    sites, places = description.get("sites"), description.get("origins")
    if sites is None or places is None:
        return ()
    try:
        known = [Origin(str(site["op"]), str(site["location"])) for site in cast(list[dict[str, object]], sites)]
        return tuple(known[place] for place in cast(list[int], places))
    except (TypeError, KeyError, IndexError):
        raise ProgramError(f"{path}: 'origins' must index 'sites', each with 'op' and 'location'") from None


def _check_sizes(description: Mapping[str, object], program: Program, data: Mapping[str, bytes], folder: Path) -> None:
    counts = (
        ("insn.bin", description.get("instructions"), WORD_BYTES),
        ("uop.bin", description.get("micro_ops"), MICRO_OP_BYTES),
    )
    for name, count, size in counts:
        if not isinstance(count, int) or len(data[name]) != count * size:
            raise ProgramError(
                f"{folder / name} has {len(data[name])} bytes; program.json promises {count} entries of {size}: "
                "the file is truncated or belongs to another program"
            )
    for buffer in program.buffers:
        if buffer.address + buffer.nbytes > len(data["dram.bin"]):
            raise ProgramError(
                f"{folder / 'dram.bin'} has {len(data['dram.bin'])} bytes; buffer '{buffer.name}' ends at "
                f"{buffer.address + buffer.nbytes}"
            )
