"""Where the compiler refuses: every statement that raises, or makes, an error that a user may meet."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType

import vtac
from vtac.errors import VtacError

_FRAMES = 8
_FOREIGN = ("VerifyException", "ParseError")


@cache
def refusal_sites() -> dict[tuple[str, int], str]:
    """Each line of such a statement, `(file, line)`, with the statement's name: `passes/vta/x.py:12 function`."""
    (package,) = vtac.__path__
    errors = {*_FOREIGN, *(kind.__name__ for kind in _kinds(VtacError))}
    found: dict[tuple[str, int], str] = {}
    for path in _sources(package):
        label = path.relative_to(package).as_posix()
        for function, node in _refusals(ast.parse(path.read_text()), "", errors):
            site = f"{label}:{node.lineno} {function}".rstrip()
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found.setdefault((str(path), line), site)
    return found


def _sources(package: str) -> Iterator[Path]:
    for folder, _, names in os.walk(package, followlinks=True):
        yield from (Path(folder) / name for name in sorted(names) if name.endswith(".py"))


def sites_above(frame: FrameType | None) -> Iterator[str]:
    """The sites at which a frame and those that called it stand."""
    sites = refusal_sites()
    for _ in range(_FRAMES):
        if frame is None:
            return
        site = sites.get((frame.f_code.co_filename, frame.f_lineno))
        if site is not None:
            yield site
        frame = frame.f_back


def _kinds(base: type[VtacError]) -> Iterator[type[VtacError]]:
    yield base
    for kind in base.__subclasses__():
        yield from _kinds(kind)


def _refusals(node: ast.AST, function: str, errors: set[str]) -> Iterator[tuple[str, ast.Raise | ast.Call]]:
    """The outermost statements and calls under a node that refuse, each with the function around it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise | ast.Call) and _is_refusal(child, errors):
            yield function, child
        else:
            inner = child.name if isinstance(child, ast.FunctionDef) else function
            yield from _refusals(child, inner, errors)


def _is_refusal(node: ast.Raise | ast.Call, errors: set[str]) -> bool:
    """Whether it makes one of the errors, or raises what a function of the compiler makes."""
    name = _called(node.exc if isinstance(node, ast.Raise) else node)
    return name in errors or (isinstance(node, ast.Raise) and name is not None and name.islower())


def _called(node: ast.expr | None) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    called = node.func
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else None
