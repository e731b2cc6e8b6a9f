"""Outputs that are pipes: given to a reader, refused where there is none."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from vtac.files.whole import write_output
from vtac.tools.output import write_file


def test_a_pipe_that_nothing_reads_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a pipe that nothing reads; start its reader first"):
        write_output(tmp_path / "pipe", b"text")


@pytest.mark.parametrize("size", [4, 1 << 20])
def test_a_pipe_with_a_reader_gets_all(size: int, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    # A writer of our own: until it closes, the reader waits for more and does not take the pipe to be at its end.
    held = os.open(path, os.O_WRONLY)
    found = bytearray()

    def read() -> None:
        with os.fdopen(reader, "rb") as stream:
            found.extend(stream.read())

    thread = threading.Thread(target=read)
    thread.start()
    write_file(b"x" * size, path)
    os.close(held)
    thread.join()
    assert found == b"x" * size
