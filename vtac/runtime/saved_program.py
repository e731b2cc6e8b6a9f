"""Programs as directories: insn.bin, uop.bin, dram.bin and program.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast, get_args

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.isa.fields import MICRO_OP_BYTES, WORD_BYTES
from vtac.runtime.errors import ProgramError
from vtac.runtime.files import write_whole
from vtac.runtime.layout import Buffer, DType, Role
from vtac.runtime.program import Array, KernelCall, Origin, Program

FORMAT = 1
HOST_FILE = "host.mlir"
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
        write_part(directory / name, data)


def write_part(path: Path, data: bytes) -> None:
    """Write one file of a saved program. Raises `ProgramError`."""
    try:
        write_whole(path, data)
    except OSError as error:
        raise ProgramError(f"cannot save to {path}: {error.strerror}") from None


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
    if program.simulator_only:
        description["simulator_only"] = True
    if program.kernels:
        description["kernels"] = [
            {"name": kernel.name, "reads": list(kernel.reads), "writes": list(kernel.writes)}
            for kernel in program.kernels
        ]
    if program.origins:
        sites = list(dict.fromkeys(program.origins))
        place = {site: position for position, site in enumerate(sites)}
        description["sites"] = [{"op": site.op, "location": site.location, "kernel": site.kernel} for site in sites]
        description["origins"] = [place[origin] for origin in program.origins]
    return description


def load_program(directory: str | Path) -> Program:
    """Read back what `Program.save` wrote; a `HostProgram` where a host function lies beside it.

    Raises `ProgramError` for a missing or truncated file, an unknown format, or sizes that
    contradict each other.
    """
    folder = Path(directory)
    if (folder / HOST_FILE).is_file():
        from vtac.runtime.saved_host_program import load_host_program

        return load_host_program(folder)
    return load_device_program(folder)


def load_device_program(folder: Path) -> Program:
    """Read the four files of one VTA program; raises `ProgramError` like `load_program`."""
    data: dict[str, bytes] = {}
    for name in _FILES:
        try:
            data[name] = (folder / name).read_bytes()
        except OSError as error:
            raise ProgramError(f"{folder} is not a saved program: cannot read {name}: {error.strerror}") from None
    description = _parse(data["program.json"], folder / "program.json")
    _check_sizes(description, data, folder)
    return _program(description, data, folder)


def _parse(text: bytes, path: Path) -> Mapping[str, object]:
    try:
        description: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProgramError(f"{path}: not JSON: {error}") from None
    if not isinstance(description, dict):
        raise ProgramError(f"{path}: expected a JSON object")
    known = cast(Mapping[str, object], description)
    if type(known.get("format")) is not int or known["format"] != FORMAT:
        raise ProgramError(f"{path}: format {known.get('format')!r}; this version reads format {FORMAT}")
    return known


def _program(description: Mapping[str, object], data: Mapping[str, bytes], folder: Path) -> Program:
    path = folder / "program.json"
    config = description.get("config")
    records = description.get("buffers")
    if not isinstance(config, dict) or not isinstance(records, list):
        raise ProgramError(f"{path}: 'config' must be an object and 'buffers' a list")
    known = cast(dict[str, object], config)
    lacking = [name for name in VTAConfig().to_fields() if name not in known]
    if lacking:
        raise ProgramError(f"{path}: 'config' lacks {', '.join(lacking)}: a saved program states every field")
    buffers = tuple(_buffer(record, path) for record in cast(list[object], records))
    _check_buffers(buffers, data, folder)
    image = data["dram.bin"]
    constants = {
        buffer.name: image[buffer.address : buffer.address + buffer.nbytes]
        for buffer in buffers
        if buffer.role == "constant"
    }
    program = Program(
        VTAConfig.from_fields(known, str(path)),
        data["insn.bin"],
        data["uop.bin"],
        buffers,
        constants,
        _origins(description, path),
        _kernels(description, buffers, path),
        description.get("simulator_only") is True,
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
    buffer = Buffer(
        name,
        cast(Role, role),
        cast(DType, dtype),
        tuple(cast(list[int], extents)),
        address,
        fields.get("argument", role == "input") is True,
        fields.get("result", role == "output") is True,
    )
    if fields.get("nbytes") != buffer.nbytes:
        raise ProgramError(
            f"{path}: buffer '{name}' has nbytes {fields.get('nbytes')}; its shape and dtype make {buffer.nbytes}"
        )
    return buffer


def _check_buffers(buffers: Sequence[Buffer], data: Mapping[str, bytes], folder: Path) -> None:
    """Buffers lie apart and within the image; the last one, and no other, holds the micro-ops of `uop.bin`."""
    path, image = folder / "program.json", data["dram.bin"]
    if [buffer.role for buffer in buffers].count("uop") != 1 or buffers[-1].role != "uop":
        raise ProgramError(f"{path}: the last buffer, and no other, must hold the micro-ops (role uop)")
    names = [buffer.name for buffer in buffers]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ProgramError(f"{path}: two buffers are called '{repeated}'")
    for buffer in buffers:
        if buffer.address + buffer.nbytes > len(image):
            raise ProgramError(
                f"{folder / 'dram.bin'} has {len(image)} bytes; buffer '{buffer.name}' ends at "
                f"{buffer.address + buffer.nbytes}"
            )
    for first, second in _meeting(buffers):
        if not first.role == second.role == "scratch":
            raise ProgramError(
                f"{path}: buffers '{first.name}' and '{second.name}' overlap: the first ends at "
                f"0x{first.address + first.nbytes:x}, the second begins at 0x{second.address:x}"
            )
    micro_ops = buffers[-1]
    placed = image[micro_ops.address : micro_ops.address + micro_ops.nbytes]
    if placed != data["uop.bin"][: micro_ops.nbytes].ljust(micro_ops.nbytes, b"\0"):
        raise ProgramError(
            f"{folder / 'uop.bin'} and the micro-ops at 0x{micro_ops.address:x} of dram.bin differ: "
            "one of the files belongs to another program"
        )


def _meeting(buffers: Sequence[Buffer]) -> Iterator[tuple[Buffer, Buffer]]:
    """Pairs of buffers that overlap; of any buffer, the one behind it that reaches furthest."""
    furthest: Buffer | None = None
    for buffer in sorted((b for b in buffers if b.nbytes), key=lambda b: b.address):
        if furthest is not None and furthest.address + furthest.nbytes > buffer.address:
            yield furthest, buffer
        if furthest is None or furthest.address + furthest.nbytes < buffer.address + buffer.nbytes:
            furthest = buffer


def _kernels(description: Mapping[str, object], buffers: Sequence[Buffer], path: Path) -> tuple[KernelCall, ...]:
    try:
        kernels = tuple(
            KernelCall(
                str(record["name"]),
                tuple(cast(list[str], record["reads"])),
                tuple(cast(list[str], record["writes"])),
            )
            for record in cast(list[dict[str, object]], description.get("kernels", []))
        )
        if not {name for kernel in kernels for name in (*kernel.reads, *kernel.writes)} <= {b.name for b in buffers}:
            raise KeyError
    except (TypeError, KeyError):
        raise ProgramError(
            f"{path}: each of 'kernels' needs a 'name' and, as 'reads' and 'writes', lists of buffer names"
        ) from None
    return kernels


def _origins(description: Mapping[str, object], path: Path) -> tuple[Origin, ...]:
    sites, places = description.get("sites"), description.get("origins")
    if sites is None or places is None:
        return ()
    try:
        known = [
            Origin(str(site["op"]), str(site["location"]), str(site.get("kernel", "")))
            for site in cast(list[dict[str, object]], sites)
        ]
        if min(cast(list[int], places), default=0) < 0:
            raise IndexError
        return tuple(known[place] for place in cast(list[int], places))
    except (TypeError, KeyError, IndexError):
        raise ProgramError(f"{path}: 'origins' must index 'sites', each with 'op' and 'location'") from None


def _check_sizes(description: Mapping[str, object], data: Mapping[str, bytes], folder: Path) -> None:
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
