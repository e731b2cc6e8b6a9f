"""Tutorials: Python scripts of text and code cells, each run in a process of its own, as pages and as notebooks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TypedDict, cast

from sitegen.cells import Cell, cells_of
from sitegen.notebooks import HELPER, notebook, run_notebook
from sitegen.text import fence

FOLDER = Path("docs") / "tutorials"
MOST_SECONDS = 15
"""What a tutorial takes of the processor at most."""
_PATIENCE = 900


class Ran(TypedDict):
    """What a code cell printed and drew: SVG texts, what is to be seen in each, and its content in words."""

    printed: str
    pictures: list[list[str]]


@dataclass(frozen=True)
class Run:
    """A tutorial that was run: its code cells, and the CPU seconds of its process and of those that it started."""

    cells: list[Ran]
    seconds: float


def scripts_of(root: Path) -> list[Path]:
    """The tutorials in their order."""
    return sorted(path for path in (root / FOLDER).glob("*.py") if path.name != HELPER)


def tutorial_pages(root: Path, jobs: int) -> tuple[dict[str, str | bytes], dict[str, float]]:
    """Pages, pictures and notebooks by path; the CPU seconds that each tutorial took.

    Raises `RuntimeError` with what a tutorial says that fails, and for one that takes more than `MOST_SECONDS`.
    """
    scripts = scripts_of(root)
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(_run_both, scripts))
    seconds = {script.stem: done.seconds for script, done in zip(scripts, outcomes, strict=True)}
    require_quick(seconds)
    pages: dict[str, str | bytes] = {}
    for script, done in zip(scripts, outcomes, strict=True):
        pages |= _page(script, done.cells)
        pages[f"notebooks/{script.stem}.ipynb"] = notebook(script)
    pages[f"notebooks/{HELPER}"] = (root / FOLDER / HELPER).read_bytes()
    return pages, seconds


def require_quick(seconds: Mapping[str, float]) -> None:
    """Raises `RuntimeError` that names the tutorials which take too long for a reader who runs them."""
    slow = [f"{name} {one:.1f}" for name, one in seconds.items() if one > MOST_SECONDS]
    if slow:
        raise RuntimeError(f"a tutorial takes at most {MOST_SECONDS} seconds of CPU: {', '.join(slow)}")


def _run_both(script: Path) -> Run:
    """A tutorial run as a script, whose notebook was seen to do the same."""
    ran = run(script)
    require_same(script.stem, ran.cells, *run_notebook(script))
    return ran


def require_same(name: str, cells: Sequence[Ran], printed: str, pictures: int) -> None:
    """Raises `RuntimeError` where a notebook prints or shows something else than its script."""
    shown = sum(len(cell["pictures"]) for cell in cells)
    if pictures != shown:
        raise RuntimeError(f"{name}.ipynb shows {pictures} pictures, the script {shown}")
    for line, other in zip_longest(printed.splitlines(), "".join(cell["printed"] for cell in cells).splitlines()):
        if line != other:
            raise RuntimeError(f"{name}.ipynb prints {line!r} where the script prints {other!r}")


def run(script: Path, most_seconds: int = 2 * MOST_SECONDS) -> Run:
    """What each code cell of a tutorial printed and drew.

    Raises `RuntimeError` where it fails, or takes more than `most_seconds` of CPU.
    """
    command = [sys.executable, "-m", "sitegen.run_tutorial", str(script), str(most_seconds)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [_own(), os.environ.get("PYTHONPATH")]))}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_PATIENCE, env=environment, cwd=script.parent, check=False
    )
    if done.returncode == -signal.SIGXCPU:
        raise RuntimeError(f"{script.name} was ended after {most_seconds} seconds of CPU")
    if done.returncode:
        raise RuntimeError(f"{script.name} fails:\n{done.stderr}")
    found: dict[str, object] = json.loads(done.stdout)
    return Run(cast("list[Ran]", found["cells"]), cast(float, found["seconds"]))


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
    for at, (svg, words, content) in enumerate(ran["pictures"]):
        file = f"{name}-{at}.svg"
        pictures[file] = svg
        alternative = " ".join(content.split())
        parts.append(f"```{{figure}} {file}\n:alt: {alternative}\n:figclass: drawn\n\n{words}\n```")
    if not cell.is_solution:
        return "\n\n".join(parts), pictures
    head = '<details class="solution"><summary>Solution</summary>'
    return "\n\n".join([head, *parts, "</details>"]), pictures
