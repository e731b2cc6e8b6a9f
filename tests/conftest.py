"""pytest's hooks for the whole suite: `.mlir` files with `RUN:` lines are tests too; random tests can be repeated."""

import os

from hypothesis import settings
from mlir_collector import pytest_collect_file

__all__ = ["pytest_collect_file"]

os.environ["VTAC_CACHE_DIR"] = "off"  # that of the user has no part in tests, nor in the processes that they start
os.environ.pop("VTAC_DEVICE", None)
settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")
