"""Every pass has a file of RUN lines of its name; passes and directives say their contracts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from vtac.dialects.schedule import DIRECTIVES
from vtac.universe import get_all_passes

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PASSES = {"ModulePass", "CompositePass", "PipelinePass"}
ROOMS = ("linalg", "schedule", "vta", "gpu", "lowering")


@pytest.mark.parametrize("name", sorted(get_all_passes()))
def test_a_pass_has_a_file_of_its_name(name: str) -> None:
    found = [path for room in ROOMS for path in (HERE / room).glob(f"{name.replace('-', '_')}.mlir")]
    assert len(found) == 1
    runs = [line for line in found[0].read_text(encoding="utf-8").splitlines() if line.startswith("// RUN:")]
    assert any(name in line for line in runs)


def test_passes_and_directives_say_their_contracts() -> None:
    """A pass what it requires, ensures and declines; a directive what it requires, ensures and refuses."""
    contracts = list(_contracts())
    assert len(contracts) == len(get_all_passes()) + len(DIRECTIVES)
    lacking = [
        f"{name}: {', '.join(words)} are required, in this order; found {', '.join(found) or 'none'}"
        for name, docstring, words in contracts
        if (found := [word for word in re.findall(r"^(\w+): ", docstring, re.MULTILINE) if word in words]) != words
    ]
    assert not lacking, "\n".join(lacking)


def test_a_pass_stands_last_in_its_file() -> None:
    bodies = {path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8")).body for path in _files()}
    behind = [
        f"{path}: {ast.unparse(body[-1]).splitlines()[0]}"
        for path, body in bodies.items()
        if any(map(_is_pass, body)) and not _is_pass(body[-1])
    ]
    assert not behind, "\n".join(["what stands behind the pass:", *behind])


def _files() -> list[Path]:
    return sorted([*ROOT.glob("passes/*/*.py"), *ROOT.glob("vtac/targets/*/**/*.py")])


def _is_pass(found: ast.stmt) -> bool:
    return isinstance(found, ast.ClassDef) and bool({ast.unparse(base) for base in found.bases} & PASSES)


def _contracts() -> Iterator[tuple[str, str, list[str]]]:
    """The name, the docstring, and the words that it has to say, of each pass and each directive."""
    for path in _files():
        for found in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(found, ast.ClassDef) and _is_pass(found):
                yield found.name, ast.get_docstring(found) or "", ["requires", "ensures", "declines"]
            if isinstance(found, ast.FunctionDef) and any("rewrites(" in ast.unparse(d) for d in found.decorator_list):
                yield found.name, ast.get_docstring(found) or "", ["requires", "ensures", "refused"]


def test_passes_without_a_pattern_are_told_with_what_they_have_instead() -> None:
    files = [*ROOT.glob("passes/*/*.py"), *ROOT.glob("vtac/targets/*/passes/*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    without = [text for text in texts if "(ModulePass)" in text and not re.search(r"RewritePattern|Pattern\(", text)]
    names = {found[1] for text in without if (found := re.search(r'^    name = "([\w-]+)"$', text, re.MULTILINE))}
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, part = page.partition("## Passes without a pattern")
    rows = [line.split("|")[1] for line in part.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row)} == names
