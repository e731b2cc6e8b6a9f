"""Saved streams read back: every file is looked at before it is read, and compared with its digest after.

A folder without digests, as other programs or older versions write it, is read too: its sizes,
buffers and micro-ops are checked all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vtac.dialects.hardware import DRAM_PAGE_BYTES
from vtac.errors import ProgramError
from vtac.files.digests import changed_file, digest, missing_file
from vtac.files.reading import RECORD_BYTES, read_regular
from vtac.targets.vta.isa.fields import MICRO_OP_BYTES, WORD_BYTES
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.saved_buffers import check_contents, check_layout, placed_array
from vtac.targets.vta.programs.saved_records import Index, parse_index
from vtac.targets.vta.programs.saving import INDEX
from vtac.targets.vta.stream.layout import CONTENTS, align


def load_stream(folder: Path) -> Program:
    """Read the files of one stream; raises `ProgramError` for what contradicts itself."""
    index = read_index(folder)
    record = index.stream()
    check_layout(record.buffers, index.path)
    end = max((buffer.address + buffer.nbytes for buffer in record.buffers), default=0)
    data = {
        "insn.bin": _read_entries(folder / "insn.bin", record.instructions, WORD_BYTES),
        "uop.bin": _read_entries(folder / "uop.bin", record.micro_ops, MICRO_OP_BYTES),
        "dram.bin": read_part(folder / "dram.bin", align(end, DRAM_PAGE_BYTES)),
    }
    check_contents(record.buffers, data, folder)
    check_digests(index, data, folder)
    image = data["dram.bin"]
    constants = {
        buffer.name: image[buffer.address : buffer.address + buffer.nbytes]
        for buffer in record.buffers
        if buffer.role in CONTENTS
    }
    program = Program(
        record.config,
        data["insn.bin"],
        data["uop.bin"],
        record.buffers,
        constants,
        record.origins,
        record.kernels,
        record.simulator_only,
        record.name,
        record.choices,
        record.contractions,
        record.macs,
        record.layers,
    )
    if record.inputs_placed:
        program.last_inputs = tuple(placed_array(image, buffer) for buffer in program.arguments)
    return program


def read_index(folder: Path) -> Index:
    """program.json of a folder, beside every file that it lists. Raises `ProgramError`."""
    index = parse_index(read_part(folder / INDEX, RECORD_BYTES), folder / INDEX)
    missing = missing_file(folder, index.digests)
    if missing is not None:
        raise ProgramError(
            f"{folder} is not a saved program: {INDEX} holds a digest of {missing!r}, which is not there: save it again"
        )
    return index


def read_part(path: Path, most: int) -> bytes:
    """A file of a saved program, of at most so many bytes. Raises `ProgramError`."""
    try:
        return read_regular(path, most)
    except OSError as error:
        raise ProgramError(f"{path.parent} is not a saved program: cannot read {path.name}: {error.strerror}") from None


def _read_entries(path: Path, count: int, size: int) -> bytes:
    """A file of `count` entries of `size` bytes."""
    try:
        found = path.stat().st_size
    except OSError:
        found = count * size
    data = b"" if found > count * size and path.is_file() else read_part(path, count * size)
    if found != count * size or len(data) != found:
        raise ProgramError(
            f"{path} has {found} bytes; program.json promises {count} entries of {size}: "
            "the file is truncated or belongs to another program"
        )
    return data


def check_digests(index: Index, data: Mapping[str, bytes], folder: Path) -> None:
    """Files of a folder, by name, are those whose digests its index holds. Raises `ProgramError`."""
    for name, contents in data.items():
        expected = index.digests.get(name)
        if expected is not None and expected != digest(contents):
            raise _changed(folder / name)


def check_files(index: Index, names: Sequence[str], folder: Path) -> None:
    """The same of files that are not at hand, by their paths in the folder. Raises `ProgramError`."""
    try:
        found = changed_file(folder, names, index.digests)
    except OSError as error:
        raise ProgramError(f"{folder} is not a saved program: cannot read {error.filename}: {error.strerror}") from None
    if found is not None:
        raise _changed(folder / found)


def _changed(path: Path) -> ProgramError:
    return ProgramError(
        f"{path} is not the file that was saved with {INDEX}, whose digest of it differs: save the program again"
    )
