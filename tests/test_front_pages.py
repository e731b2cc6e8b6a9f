"""Front pages: the docstring of a large package lists its modules by subject, all of them and no others."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
from import_graph import ROOT, modules

LARGE = 20
"""Packages of more modules than these list them."""
BY_NAME = ("vtac/passes/", "vtac/tools/commands")
"""Packages in which a module is found by the name of what it holds: a pass, a directive, a command."""


def packages() -> dict[Path, set[str]]:
    """The modules of each package, itself left out."""
    found: defaultdict[Path, set[str]] = defaultdict(set)
    for path in modules().values():
        found[path.parent].add(path.stem)
    return {folder: names - {"__init__"} for folder, names in found.items()}


def page_of(folder: Path) -> str:
    return ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""


def listed(page: str) -> set[str]:
    """The names in the last column of indented lines that hold nothing but names there."""
    columns = [re.split(r" {2,}", line.strip())[-1] for line in page.splitlines() if line.startswith("    ")]
    return {name for column in columns if re.fullmatch(r"\w+(, \w+)*,?", column) for name in re.findall(r"\w+", column)}


SHORT = {folder.relative_to(ROOT).as_posix(): (folder, names) for folder, names in packages().items()}


@pytest.mark.parametrize("package", sorted(SHORT))
def test_a_large_package_lists_its_modules(package: str) -> None:
    folder, names = SHORT[package]
    page = page_of(folder)
    assert page, f"{package}/__init__.py has no docstring"
    lacking = [name for name in sorted(names) if not re.search(rf"\b{name}\b", page)]
    if (len(names) > LARGE and not package.startswith(BY_NAME)) or listed(page) & names:
        assert not lacking, f"{package}/__init__.py: put these modules under their subject: {', '.join(lacking)}"


@pytest.mark.parametrize("package", sorted(SHORT))
def test_a_front_page_lists_nothing_else(package: str) -> None:
    folder, names = SHORT[package]
    gone = sorted(listed(page_of(folder)) - names - {one.name for one in folder.iterdir() if one.is_dir()})
    assert not gone, f"{package}/__init__.py: no module of this package: {', '.join(gone)}"
