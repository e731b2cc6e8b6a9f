"""Arrays as numpy.savez and numpy.save write them, read one by one: the header before the numbers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from math import prod
from tokenize import TokenError
from typing import IO, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

_SUFFIX = ".npy"
_ENCRYPTED = 1
"""The bit of a member's flags that says so."""
_UNREADABLE = (TokenError, SyntaxError, RecursionError, MemoryError, TypeError, ValueError)
"""What numpy's reader of headers, which are Python literals, raises."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Header(NamedTuple):
    """What a member says of its array."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]


class Archive:
    """An open archive: names and headers of its arrays, and the arrays one by one.

    Its methods raise `ValueError`, `zipfile.BadZipFile` and `EOFError` for what is no archive of numbers.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._file = zipfile.ZipFile(stream)
        self.names = tuple(name.removesuffix(_SUFFIX) for name in self._file.namelist() if name.endswith(_SUFFIX))
        twice = next((name for place, name in enumerate(self.names) if name in self.names[:place]), None)
        if twice is not None:
            raise ValueError(f"it holds '{twice}' twice")

    def header(self, name: str) -> Header:
        """The dtype and the shape that a member claims, which its size has to agree with.

        Raises `ValueError` where it does not, or where the member is encrypted.
        """
        member = self._file.getinfo(f"{name}{_SUFFIX}")
        if member.flag_bits & _ENCRYPTED:
            raise ValueError(f"'{name}' is encrypted")
        with self._file.open(member) as stream:
            found = _header(stream)
            begin = stream.tell()
        claimed = prod(found.shape) * found.dtype.itemsize
        if member.file_size != begin + claimed:
            raise ValueError(
                f"'{name}' claims {claimed:,} bytes of numbers and has {member.file_size - begin:,}: "
                "it is cut or forged"
            )
        return found

    def array(self, name: str) -> NDArray[np.generic]:
        """The array of a member; look at its `header` first."""
        with self._file.open(f"{name}{_SUFFIX}") as stream:
            found: NDArray[np.generic] = np.lib.format.read_array(stream, allow_pickle=False)
            stream.read(1)  # at its end a member's checksum is compared
        return found


def single_header(stream: BinaryIO) -> Header:
    """The dtype and the shape that a `.npy` claims, which its size has to agree with. Raises `ValueError`."""
    stream.seek(0)
    found = _header(stream)
    begin = stream.tell()
    claimed, rest = prod(found.shape) * found.dtype.itemsize, stream.seek(0, io.SEEK_END) - begin
    if claimed != rest:
        raise ValueError(f"it claims {claimed:,} bytes of numbers and has {rest:,}: it is cut or forged")
    return found


def single_array(stream: BinaryIO) -> NDArray[np.generic]:
    """The array of a `.npy`. Raises `ValueError` for what is none of numbers."""
    single_header(stream)
    stream.seek(0)
    found: NDArray[np.generic] = np.lib.format.read_array(stream, allow_pickle=False)
    return found


def array_bytes(array: NDArray[np.generic]) -> bytes:
    """The bytes of a `.npy`."""
    data = io.BytesIO()
    np.lib.format.write_array(data, np.asanyarray(array), allow_pickle=False)
    return data.getvalue()


def _header(stream: IO[bytes]) -> Header:
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of numpy's format; 1.0 and 2.0 are read")
    try:
        shape, _, dtype = readers[version](stream)
    except _UNREADABLE as error:
        raise ValueError(f"its header cannot be read: {error}") from None
    if dtype.hasobject:
        raise ValueError("it holds objects, which are never loaded")
    if any(extent < 0 for extent in shape):
        raise ValueError(f"an array of shape {shape}")
    return Header(dtype, shape)


def archive_of(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """The bytes of an archive, whatever the arrays are called; equal arrays give equal bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", allowZip64=True) as file:
        for name, array in arrays.items():
            with file.open(zipfile.ZipInfo(f"{name}{_SUFFIX}", _EPOCH), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)
    return data.getvalue()
