"""Programs as directories: insn.bin, uop.bin, dram.bin and program.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ProgramError
from vtac.targets.vta.isa.fields import MICRO_OP_BYTES, WORD_BYTES
from vtac.targets.vta.programs.program import Array, KernelCall, Origin, Program
from vtac.targets.vta.programs.saved_buffers import check_buffers, described_buffer, placed_array, read_buffer
from vtac.targets.vta.stream.layout import Buffer
from vtac.text.files import write_whole

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
        "buffers": [described_buffer(buffer) for buffer in program.buffers],
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
        from vtac.targets.vta.programs.saved_host_program import load_host_program

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
    buffers = tuple(read_buffer(record, path) for record in cast(list[object], records))
    check_buffers(buffers, data, folder)
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
        program._last_inputs = tuple(placed_array(image, buffer) for buffer in program.arguments)  # pyright: ignore[reportPrivateUsage]
    return program


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
