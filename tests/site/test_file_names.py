"""Files that pages name in running text are there: `alu_trees.py` somewhere, `vtac/partition/pads.py` at its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_blocks import PAGES, ROOT

NAMED = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|mlir|cpp|h|cu))`")
OF_USERS = {"layer.mlir", "net.mlir", "model.mlir", "kernel.cu", "kernels.cu", "main.cu", "launcher.h"}
"""Files that a page's commands read or write."""
TOPS = ("vtac", "passes", "dialects", "tests", "examples", "benchmarks", "docs")
FILES = {path.relative_to(ROOT).as_posix() for top in TOPS for path in (ROOT / top).rglob("*.*")}
NAMES = {name.rpartition("/")[2] for name in FILES}


def is_there(name: str) -> bool:
    """A bare name anywhere; a path from the root, or from a machine's folder as `docs/architecture.md` has it."""
    return name in NAMES if "/" not in name else any(f"/{file}".endswith(f"/{name}") for file in FILES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    named = set(NAMED.findall(page.read_text(encoding="utf-8"))) - OF_USERS
    assert not sorted(name for name in named if not is_there(name))


def test_a_file_that_is_gone_is_found() -> None:
    assert is_there("alu_trees.py")
    assert is_there("cycles/simulate.py")
    assert not is_there("vtac/alu_trees.py")
    assert not is_there("expression_emitter.py")
