"""Every pass has a file of RUN lines of its name."""

from __future__ import annotations

import re
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


def test_passes_without_a_pattern_are_told_with_what_they_have_instead() -> None:
    files = [*HERE.parents[1].glob("passes/*/*.py"), *HERE.parents[1].glob("vtac/targets/*/passes/*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    without = [text for text in texts if "(ModulePass)" in text and not re.search(r"RewritePattern|Pattern\(", text)]
    names = {found[1] for text in without if (found := re.search(r'^    name = "([\w-]+)"$', text, re.MULTILINE))}
    page = (HERE.parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, part = page.partition("## Passes without a pattern")
    rows = [line.split("|")[1] for line in part.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row)} == names
