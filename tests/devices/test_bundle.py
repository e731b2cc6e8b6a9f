"""The agent in one file: for Python 3.8, with nothing else of vtac."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import vtac.devices.agent
from vtac.devices.bundle import agent_bytes

FOLDER = Path(vtac.devices.agent.__file__).parent
SOURCES = sorted(FOLDER.glob("**/*.py"))
LATER = {
    "removeprefix": "3.9", "removesuffix": "3.9", "bit_count": "3.10", "is_relative_to": "3.9", "readlink": "3.9",
    "randbytes": "3.9", "aclosing": "3.10", "pairwise": "3.10", "batched": "3.12", "StrEnum": "3.11", "Self": "3.11",
    "timeout_at": "3.11", "to_thread": "3.9", "file_digest": "3.11", "walk_up": "3.12",
}  # fmt: skip
"""Names of the standard library that Python 3.8 lacks."""
BUILTINS = {"dict", "list", "set", "tuple", "frozenset", "type", "deque", "OrderedDict", "Callable", "Iterator"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_python_3_8_reads_it(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & LATER.keys()
    assert (
        any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
        or path.name == "__init__.py"
    )
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = getattr(call.func, "id", "")
        assert not (function == "zip" and call.keywords), f"{path}: zip(strict=) came with Python 3.10"
        assert not (function == "dataclass" and any(word.arg in ("slots", "kw_only") for word in call.keywords))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_of_python_3_9_is_evaluated(path: Path) -> None:
    """Outside of annotations no `list[int]`, and no `int | None`: module level, class bases and values only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for statement in tree.body:
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        for node in ast.walk(value) if value is not None else ():
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
                assert node.value.id not in BUILTINS - {"Callable", "Iterator"}, f"{path}:{node.lineno}"
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any((module or "").startswith("collections.abc") for module in imported), f"{path}: use typing"


def test_the_file_holds_the_agent_and_nothing_else() -> None:
    data = agent_bytes()
    assert data == agent_bytes()
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    inside = {f"vtac/devices/agent/{path.relative_to(FOLDER).as_posix()}" for path in SOURCES}
    assert set(names) == {"__main__.py", "vtac/__init__.py", "vtac/devices/__init__.py", *inside}


def test_the_file_runs_by_itself(tmp_path: Path) -> None:
    """Without vtac, without numpy: in an interpreter that looks nowhere but into its standard library."""
    agent = tmp_path / "agent.pyz"
    agent.write_bytes(agent_bytes())
    outcome = subprocess.run(
        [sys.executable, "-I", "-S", str(agent), "--stdio", "--device", "board:none"], capture_output=True, check=False
    )
    assert outcome.returncode == 1
    assert b"agent: there is no board 'board:none'" in outcome.stderr
