"""Makes pytest collect `.mlir` files as tests: each passes when all its `RUN:` lines do. lit runs the same files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_lines import RunLineError, execute, read_run_lines

NO_TEST_DIRECTORIES = {"inputs", "data"}
"""Directories of `.mlir` files that tests read; `lit.cfg.py` leaves out the same."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The hook: takes every `.mlir` file outside of the input directories."""
    if file_path.suffix != ".mlir" or NO_TEST_DIRECTORIES & set(file_path.parts):
        return None
    return MlirFile.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType]


class MlirFile(pytest.File):
    """One `.mlir` file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yields one test for the whole file, since its lines may share temporary files."""
        yield RunLinesItem.from_parent(self, name="RUN")  # pyright: ignore[reportUnknownMemberType]


class RunLinesItem(pytest.Item):
    """All `RUN:` lines of one file, in order."""

    line = 0

    def runtest(self) -> None:
        """Executes the lines; stops at the first that fails."""
        with tempfile.TemporaryDirectory() as scratch:
            for run in read_run_lines(self.path.read_text(encoding="utf-8")):
                self.line = run.number
                execute(run, self.path, Path(scratch))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Shows the failed line and what its programs printed; a traceback only for other errors."""
        if isinstance(excinfo.value, RunLineError):
            return f"{self.path}:{self.line}: RUN line failed: {excinfo.value}"
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test stands, for pytest's report."""
        return self.path, 0, f"{self.path.name}"
