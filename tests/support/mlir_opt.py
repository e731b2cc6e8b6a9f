"""MLIR's own `mlir-opt`, where it is installed: an independent reader of the IR that we print."""

from __future__ import annotations

import shutil
import subprocess

import pytest

MLIR_OPT = shutil.which("mlir-opt-22") or shutil.which("mlir-opt")

needs_mlir_opt = pytest.mark.skipif(
    MLIR_OPT is None, reason="mlir-opt is not installed; Debian's package is mlir-22-tools"
)


def mlir_opt(*arguments: str, text: str = "") -> str:
    """What `mlir-opt` prints for `text` in generic syntax, unregistered dialects allowed."""
    assert MLIR_OPT is not None
    command = [MLIR_OPT, "--allow-unregistered-dialect", "--mlir-print-op-generic", *arguments]
    run = subprocess.run(command, input=text, capture_output=True, check=False, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout
