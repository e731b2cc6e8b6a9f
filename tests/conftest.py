"""pytest's hooks for the whole suite: `.mlir` files with `RUN:` lines are tests too."""

from mlir_collector import pytest_collect_file

__all__ = ["pytest_collect_file"]
