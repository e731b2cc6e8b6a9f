"""Each `errors.mlir` comes to every place where its dialect refuses something; each dialect has a round trip."""

from __future__ import annotations

import ast
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import ParseError, VerifyException

import vtac.dialects
from vtac.errors import VtacError
from vtac.text.source import parse

HERE = Path(__file__).parent
LINKED = Path(vtac.dialects.__path__[0])
SOURCES = LINKED.resolve()
DIALECTS = ("mma", "packing", "schedule", "tma", "vta", "wgmma", "wmma")
OF_PYTHON = {"schedule/arguments.py"}
"""What refuses arguments of Python methods, not IR."""

Place = tuple[str, int]


def refusals(dialect: str) -> set[Place]:
    """File and line of each statement of a dialect that refuses IR."""
    found: set[Place] = set()
    for path in sorted((SOURCES / dialect).glob("*.py")):
        if f"{dialect}/{path.name}" not in OF_PYTHON:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            found |= {(path.name, call.lineno) for call in calls if _refuses(call)}
    return found


def _refuses(call: ast.Call) -> bool:
    """`VerifyException(...)`, or a call of the parser's `raise_error`."""
    called = ast.unparse(call.func)
    return called == "VerifyException" or called.endswith(".raise_error")


@contextmanager
def raising(dialect: str) -> Generator[set[Place]]:
    """Collects the places in the files of a dialect at which exceptions arise or pass."""
    places, before = set[Place](), sys.gettrace()
    names = {str(path): path.name for root in (SOURCES, LINKED) for path in (root / dialect).glob("*.py")}

    def trace(frame: FrameType, event: str, _argument: object) -> object:
        name = names.get(frame.f_code.co_filename)
        if name is not None and event == "exception":
            places.add((name, frame.f_lineno))
        return None if name is None else trace

    sys.settrace(trace)  # pyright: ignore[reportArgumentType]
    try:
        yield places
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_errors(dialect: str) -> None:
    text = (HERE / dialect / "errors.mlir").read_text(encoding="utf-8")
    with raising(dialect) as places:
        for part in text.split("// -----"):
            with suppress(VtacError, ParseError, VerifyException):
                module: ModuleOp = parse(part)
                module.verify()
    assert refusals(dialect)
    assert refusals(dialect) - places == set()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_roundtrip(dialect: str) -> None:
    """Custom and generic form are both read back."""
    text = (HERE / dialect / "roundtrip.mlir").read_text(encoding="utf-8")
    assert "RUN: vtac-opt %s | vtac-opt |" in text
    assert "RUN: vtac-opt %s --print-op-generic | vtac-opt |" in text
