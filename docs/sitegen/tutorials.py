"""Tutorials: Python scripts of text and code cells, each run in a process of its own, as pages and as notebooks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypedDict

from sitegen.cells import Cell, cells_of
from sitegen.text import fence

FOLDER = Path("docs") / "tutorials"
HELPERS = ("pictures.py",)
_SECONDS = 900


class Ran(TypedDict):
    """What a code cell printed and drew: SVG texts with alternative texts."""

    printed: str
    pictures: list[list[str]]


class _Jupytext(Protocol):
    def reads(self, text: str, fmt: str) -> object: ...
    def writes(self, notebook: object, fmt: str) -> str: ...


def scripts_of(root: Path) -> list[Path]:
    """The tutorials in their order."""
    return sorted(path for path in (root / FOLDER).glob("*.py") if path.name not in HELPERS)


def tutorial_pages(root: Path, jobs: int) -> dict[str, str | bytes]:
    """Pages, pictures and notebooks by path. Raises `RuntimeError` with what a tutorial says that fails."""
    scripts = scripts_of(root)
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(run, scripts))
    pages: dict[str, str | bytes] = {}
    for script, ran in zip(scripts, outcomes, strict=True):
        pages |= _page(script, ran)
        pages[f"notebooks/{script.stem}.ipynb"] = notebook(script)
    for name in HELPERS:
        pages[f"notebooks/{name}"] = (root / FOLDER / name).read_bytes()
    return pages


def run(script: Path) -> list[Ran]:
    """What each code cell of a tutorial printed and drew. Raises `RuntimeError` where it fails."""
    command = [sys.executable, "-m", "sitegen.run_tutorial", str(script)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [_own(), os.environ.get("PYTHONPATH")]))}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS, env=environment, cwd=script.parent, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{script.name} fails:\n{done.stderr}")
    ran: list[Ran] = json.loads(done.stdout)
    return ran


def notebook(script: Path) -> bytes:
    """The tutorial as a notebook that was not run yet."""
    jupytext: _Jupytext = import_module("jupytext")  # pyright: ignore[reportAssignmentType]
    text = script.read_text()
    return jupytext.writes(jupytext.reads(text[text.index("# %%") :], "py:percent"), "ipynb").encode()


def _own() -> str:
    return str(Path(__file__).resolve().parents[1])


def _page(script: Path, ran: list[Ran]) -> dict[str, str | bytes]:
    pages: dict[str, str | bytes] = {}
    parts: list[str] = []
    outcomes = iter(ran)
    for cell in cells_of(script.read_text()):
        if cell.is_text:
            parts.append(cell.text)
            continue
        shown, pictures = _code(cell, next(outcomes), f"{script.stem}-{len(parts)}")
        parts.append(shown)
        pages |= {f"tutorials/{name}": text for name, text in pictures.items()}
    parts.append(
        f"---\n\nThis page is {{download}}`a script <../notebooks/{script.name}>` that ran when it was built; "
        f"{{download}}`as a notebook <../notebooks/{script.stem}.ipynb>`, which needs "
        "{download}`pictures.py <../notebooks/pictures.py>` beside it."
    )
    pages[f"tutorials/{script.stem}.md"] = "\n\n".join(parts) + "\n"
    pages[f"notebooks/{script.name}"] = script.read_bytes()
    return pages


def _code(cell: Cell, ran: Ran, name: str) -> tuple[str, dict[str, str]]:
    parts = [fence(cell.text, "python")]
    pictures: dict[str, str] = {}
    if ran["printed"].strip():
        longest = "````" if "```" in ran["printed"] else "```"
        parts.append(f"{longest}{{code-block}} {cell.language}\n:class: output\n\n{ran['printed'].rstrip()}\n{longest}")
    for at, (svg, alternative) in enumerate(ran["pictures"]):
        file = f"{name}-{at}.svg"
        pictures[file] = svg
        words = " ".join(alternative.split())
        parts.append(f"```{{figure}} {file}\n:alt: {words}\n:figclass: drawn\n\n{words}\n```")
    if not cell.is_solution:
        return "\n\n".join(parts), pictures
    head = '<details class="solution"><summary>Solution</summary>'
    return "\n\n".join([head, *parts, "</details>"]), pictures
