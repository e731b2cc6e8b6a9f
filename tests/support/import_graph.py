"""The imports between the modules of vtac, read from the source; those under TYPE_CHECKING do not count."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Import:
    """One module that imports another, at a line of its file."""

    importer: str
    imported: str
    file: str
    line: int

    @property
    def pair(self) -> tuple[str, str]:
        return self.importer, self.imported

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.importer} imports {self.imported}"


@cache
def modules() -> dict[str, Path]:
    """The file of each module of vtac by its dotted name; a package is its `__init__.py`."""
    found: dict[str, Path] = {}
    for folder, _, names in os.walk(ROOT / "vtac", followlinks=True):
        for name in names:
            if name.endswith(".py"):
                path = Path(folder) / name
                dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found[dotted.removesuffix(".__init__")] = path
    return found


@cache
def imports() -> tuple[Import, ...]:
    """Every import between two modules of vtac, imports inside functions too."""
    return tuple(found for name in sorted(modules()) for found in _imports_of(name))


def _imports_of(importer: str) -> Iterator[Import]:
    path = modules()[importer]
    file = str(path.relative_to(ROOT))
    for statement in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        for imported in _targets(statement):
            if imported != importer:
                yield Import(importer, imported, file, statement.lineno)


def _statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending.extend(node.orelse)
        else:
            pending.extend(ast.iter_child_nodes(node))


def _targets(statement: ast.Import | ast.ImportFrom) -> set[str]:
    """The modules that a statement loads: `from package import module` loads the module."""
    if isinstance(statement, ast.Import):
        return {alias.name for alias in statement.names} & modules().keys()
    if statement.level or statement.module is None:
        raise ValueError("a relative import: vtac names its modules in full")
    members = {f"{statement.module}.{alias.name}" for alias in statement.names}
    loaded = members & modules().keys()
    if loaded != members and statement.module in modules():
        loaded.add(statement.module)
    return loaded


def circles() -> list[frozenset[str]]:
    """The largest sets of modules of which each reaches each other by imports."""
    edges: dict[str, set[str]] = {name: set() for name in modules()}
    for found in imports():
        edges[found.importer].add(found.imported)
    reached = {name: _reached(name, edges) for name in edges}
    found_circles = {
        frozenset(other for other in reached[name] if name in reached[other]) for name in edges if name in reached[name]
    }
    return sorted(found_circles, key=sorted)


def _reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    pending = [start]
    while pending:
        new = edges[pending.pop()] - reached
        reached |= new
        pending.extend(new)
    return reached
