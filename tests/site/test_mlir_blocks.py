"""Blocks of MLIR text on the pages are read and verified; those of data are read, and sessions of Python are held."""

from __future__ import annotations

import json
import re
import tomllib
from code import InteractiveInterpreter
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import MappingProxyType

import pytest
from directive_programs import chain
from page_blocks import PAGES, ROOT, blocks
from page_shell import run_line

import vtac
from vtac.text.source import parse

GIVEN: Mapping[str, str] = MappingProxyType(
    {
        "networks.md": "%x: tensor<1x3x224x224xi8>",
        "schedule-dialect.md": "%data: memref<7xi8>",
        "vta-dialect.md": "%t: index",
    }
)
"""What an excerpt on a page takes from the program around it."""


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


def whole(page: Path, block: str) -> str:
    """A block as a program: an excerpt stands in a function, and what is called is declared."""
    if re.match(r"(//.*\n)*(func\.func|builtin\.module|#\w+ =)", block):
        called = dict(re.findall(r"func\.call @(\w+)\([^)]*\)(?: \{.*\})?\s*: (.*)", block))
        return "\n".join([block, *(f"func.func private @{name}{kind}" for name, kind in called.items())])
    return f"func.func @excerpt({GIVEN[page.name]}) {{\n{block}\nfunc.return\n}}\n"


@pytest.mark.parametrize("page", pages_with("mlir"), ids=lambda page: page.name)
def test_blocks_of_mlir_verify_and_print_what_can_be_read(page: Path) -> None:
    for block in blocks(page, "mlir"):
        module = parse(whole(page, block))
        module.verify()
        assert str(parse(str(module))) == str(module)


def test_the_packed_program_is_the_one_that_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, shown = blocks(ROOT / "docs" / "plain-programs.md", "mlir")
    monkeypatch.chdir(tmp_path)
    Path("layer.mlir").write_text(program)
    printed = run_line("vtac-opt layer.mlir -p pack-for-vta").stdout.decode()
    host, _, _ = str(parse(whole(Path("plain-programs.md"), shown))).partition("  func.func private")
    assert printed.startswith(host)


@pytest.mark.parametrize("page", pages_with("json") + pages_with("toml"), ids=lambda page: page.name)
def test_blocks_of_data_are_read(page: Path) -> None:
    assert all(isinstance(json.loads(block), dict) for block in blocks(page, "json"))
    assert all(tomllib.loads(block) for block in blocks(page, "toml"))


@pytest.mark.parametrize("page", pages_with("pycon"), ids=lambda page: page.name)
def test_sessions_of_python_print_what_they_show(page: Path) -> None:
    schedule = vtac.Schedule(chain((4, 6), "a"))
    schedule.split(schedule.get_loops(schedule.get_block("a"))[1], factor=2)
    for block in blocks(page, "pycon"):
        for line, shown in re.findall(r"^>>> (.*)\n((?:(?!>>> ).*\n)*)", block, re.MULTILINE):
            printed = StringIO()
            with redirect_stdout(printed):
                InteractiveInterpreter({"schedule": schedule}).runsource(line)
            assert [one.rstrip() for one in printed.getvalue().splitlines()] == shown.splitlines()
