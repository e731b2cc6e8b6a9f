"""What is looked at before it is read: kinds of files, sizes, headers of arrays."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vtac.files.archives import Archive, archive_of
from vtac.files.reading import read_regular


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name, problem in {"pipe": "a pipe", "zero": "a device", ".": "a folder"}.items():
        with pytest.raises(OSError, match=f"it is {problem}, not a file"):
            read_regular(tmp_path / name, 10)


def test_no_more_is_read_than_expected(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(OSError, match=r"it has 1,099,511,627,776 bytes, more than the 4,096 that are read here"):
        read_regular(path, 4096)


def test_names_of_arrays_are_free() -> None:
    arrays = {name: np.arange(3, dtype=np.int8) for name in ("file", "allow_pickle", "x_1", "a/b", "../c")}
    data = archive_of(arrays)
    assert data == archive_of(arrays)
    with np.load(io.BytesIO(data)) as found:
        assert list(found) == list(arrays)
    archive = Archive(io.BytesIO(data))
    assert archive.names == tuple(arrays)
    assert archive.header("x_1") == (np.dtype(np.int8), (3,))
    np.testing.assert_array_equal(archive.array("x_1"), np.arange(3))


def _member(header: bytes, data: bytes) -> Archive:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data)
    return Archive(stream)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (f"({2**40},)", "'a' claims 1,099,511,627,776 bytes of numbers and has 8: it is cut or forged"),
        ("(-1,)", r"an array of shape \(-1,\)"),
    ],
)
def test_headers_that_lie_are_refused(shape: str, message: str) -> None:
    header = f"{{'descr': '|i1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    with pytest.raises(ValueError, match=message):
        _member(header, bytes(8)).header("a")


def test_objects_are_never_loaded() -> None:
    with pytest.raises(ValueError, match="it holds objects, which are never loaded"):
        _member(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", bytes(8)).header("a")


def test_memory_is_taken_for_what_a_file_has_and_not_for_the_most_it_may_have(tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(b"abc")
    tracemalloc.start()
    try:
        assert read_regular(path, 1 << 32) == b"abc"
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system has no /proc")
def test_a_file_that_does_not_say_its_size_is_read_whole() -> None:
    assert b"\n" in read_regular(Path("/proc/self/maps"), 1 << 20)
    with pytest.raises(OSError, match="more than the 10 that are read here"):
        read_regular(Path("/proc/self/maps"), 10)


def test_encrypted_members_are_refused() -> None:
    data = bytearray(archive_of({"a": np.arange(3)}))
    for place in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[place] |= 1
    with pytest.raises(ValueError, match="'a' is encrypted"):
        Archive(io.BytesIO(bytes(data))).header("a")


@pytest.mark.parametrize("header", [b"{'descr': (", b"(" * 9000, b"{[]: 1}", b"'" * 3, bytes(64), b"{'descr': '|i1'"])
def test_headers_that_are_no_literals_are_refused(header: bytes) -> None:
    with pytest.raises(ValueError, match="header"):
        _member(header, b"").header("a")
