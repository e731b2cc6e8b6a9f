"""Buffers of saved programs: their records in program.json, and whether these fit the files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import cast, get_args

import numpy as np

from vtac.errors import ProgramError
from vtac.files.reading import MEMORY_BYTES
from vtac.targets.vta.programs.arrays import Array, items_of
from vtac.targets.vta.stream.layout import Buffer, DType, Role

_MOST_DIMENSIONS = 64


def described_buffer(buffer: Buffer) -> dict[str, object]:
    """The record of a buffer in program.json."""
    return {
        "name": buffer.name,
        "role": buffer.role,
        "address": buffer.address,
        "nbytes": buffer.nbytes,
        "dtype": buffer.dtype,
        "shape": list(buffer.shape),
        "argument": buffer.is_argument,
        "result": buffer.is_result,
        **({"strides": list(buffer.strides)} if buffer.strides else {}),
    }


def read_buffer(record: object, path: Path) -> Buffer:
    """The buffer that a record of program.json describes. Raises `ProgramError` for one that makes no sense."""
    fields: Mapping[str, object] = cast(Mapping[str, object], record) if isinstance(record, dict) else {}
    name, role, dtype = fields.get("name"), fields.get("role"), fields.get("dtype")
    address, shape = fields.get("address"), fields.get("shape")
    if not (isinstance(name, str) and role in get_args(Role) and dtype in get_args(DType)):
        raise ProgramError(f"{path}: a buffer needs a name, a known role and a known dtype, found {fields}")
    if not (type(address) is int and 0 <= address < MEMORY_BYTES and isinstance(shape, list)):
        raise ProgramError(f"{path}: buffer '{name}' needs an address and a shape")
    extents = cast(list[object], shape)
    if not all(type(extent) is int and extent >= 0 for extent in extents):
        raise ProgramError(f"{path}: buffer '{name}' has shape {extents}")
    if len(extents) > _MOST_DIMENSIONS:
        raise ProgramError(
            f"{path}: buffer '{name}' has {len(extents)} dimensions; numpy's arrays have at most {_MOST_DIMENSIONS}"
        )
    if prod(extent for extent in cast(list[int], extents) if extent) > MEMORY_BYTES:
        raise ProgramError(
            f"{path}: buffer '{name}' has shape {extents}; 32-bit addresses reach {MEMORY_BYTES:,} bytes"
        )
    buffer = Buffer(
        name,
        cast(Role, role),
        cast(DType, dtype),
        tuple(cast(list[int], extents)),
        address,
        fields.get("argument", role == "input") is True,
        fields.get("result", role == "output") is True,
        _strides(fields, name, len(extents), path),
    )
    if buffer.nbytes > MEMORY_BYTES:
        raise ProgramError(
            f"{path}: buffer '{name}' spans {buffer.nbytes:,} bytes; 32-bit addresses reach {MEMORY_BYTES:,}"
        )
    if type(fields.get("nbytes")) is not int or fields["nbytes"] != buffer.nbytes:
        raise ProgramError(
            f"{path}: buffer '{name}' has nbytes {fields.get('nbytes')}; its shape and dtype make {buffer.nbytes}"
        )
    return buffer


def _strides(fields: Mapping[str, object], name: str, rank: int, path: Path) -> tuple[int, ...]:
    """Items between neighbours in each dimension, if the record states them."""
    strides = fields.get("strides", [])
    items = cast("list[object]", strides) if isinstance(strides, list) else [None]
    if not all(type(item) is int and item >= 0 for item in items) or len(items) not in (0, rank):
        raise ProgramError(f"{path}: buffer '{name}' has strides {strides}; it needs one for each of {rank} dimensions")
    return tuple(cast("list[int]", items))


def check_layout(buffers: Sequence[Buffer], path: Path) -> None:
    """Buffers differ in name and lie apart; the last one, and no other, holds the micro-ops. Raises `ProgramError`."""
    if [buffer.role for buffer in buffers].count("uop") != 1 or buffers[-1].role != "uop":
        raise ProgramError(f"{path}: the last buffer, and no other, must hold the micro-ops (role uop)")
    names = [buffer.name for buffer in buffers]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ProgramError(f"{path}: two buffers are called '{repeated}'")
    for first, second in _meeting(buffers):
        if not first.role == second.role == "scratch":
            raise ProgramError(
                f"{path}: buffers '{first.name}' and '{second.name}' overlap: the first ends at "
                f"0x{first.address + first.nbytes:x}, the second begins at 0x{second.address:x}"
            )


def check_contents(buffers: Sequence[Buffer], data: Mapping[str, bytes], folder: Path) -> None:
    """Buffers lie within the image, and the last one holds the micro-ops of `uop.bin`.

    `data` holds the files of the folder by name. Raises `ProgramError`.
    """
    image, micro_ops = data["dram.bin"], buffers[-1]
    for buffer in buffers:
        if buffer.address + buffer.nbytes > len(image):
            raise ProgramError(
                f"{folder / 'dram.bin'} has {len(image)} bytes; buffer '{buffer.name}' ends at "
                f"{buffer.address + buffer.nbytes}"
            )
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


def placed_array(image: bytes, buffer: Buffer) -> Array:
    """The contents of a buffer in a memory image."""
    return items_of(np.frombuffer(image, np.uint8), buffer).copy()
