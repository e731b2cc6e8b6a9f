"""Every pass has a file of RUN lines of its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtac.universe import get_all_passes

HERE = Path(__file__).parent
ROOMS = ("linalg", "schedule", "vta", "gpu", "lowering")


@pytest.mark.parametrize("name", sorted(get_all_passes()))
def test_a_pass_has_a_file_of_its_name(name: str) -> None:
    found = [path for room in ROOMS for path in (HERE / room).glob(f"{name.replace('-', '_')}.mlir")]
    assert len(found) == 1
    runs = [line for line in found[0].read_text(encoding="utf-8").splitlines() if line.startswith("// RUN:")]
    assert any(name in line for line in runs)
