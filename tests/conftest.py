"""pytest's hooks for the whole suite: `.mlir` files with `RUN:` lines are tests too; random tests can be repeated.

Programs of tests run on other devices, too, where a test is marked for it, or `--everywhere` is given.
"""

import os

from everywhere_hooks import (
    on_other_devices,
    pytest_addoption,
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from hypothesis import settings
from mlir_collector import pytest_collect_file

__all__ = [
    "on_other_devices",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
]

os.environ["VTAC_CACHE_DIR"] = "off"  # that of the user has no part in tests, nor in the processes that they start
os.environ.pop("VTAC_DEVICE", None)
settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")
