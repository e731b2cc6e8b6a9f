"""Notebooks of the tutorials: made from the scripts, and run through a Jupyter kernel as a reader runs them."""

from __future__ import annotations

import json
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypedDict, cast

HELPER = "pictures.py"
"""What a notebook needs beside it."""
_PATIENCE = 900


class _Jupytext(Protocol):
    def reads(self, text: str, fmt: str) -> object: ...
    def writes(self, notebook: object, fmt: str) -> str: ...


class _Output(TypedDict, total=False):
    name: str
    text: str | list[str]
    data: dict[str, object]


class _Cell(TypedDict, total=False):
    outputs: list[_Output]


class _Notebook(TypedDict):
    cells: list[_Cell]


class _Client(Protocol):
    def execute(self) -> object: ...


class _NbClient(Protocol):
    def NotebookClient(  # noqa: N802 - its name
        self,
        nb: object,
        *,
        timeout: int,
        kernel_name: str,
        resources: dict[str, dict[str, str]],
        extra_arguments: list[str],
    ) -> _Client: ...


class _NbFormat(Protocol):
    def reads(self, text: str, as_version: int) -> object: ...
    def writes(self, nb: object) -> str: ...


def notebook(script: Path) -> bytes:
    """The tutorial as a notebook that was not run yet."""
    jupytext: _Jupytext = import_module("jupytext")  # pyright: ignore[reportAssignmentType]
    text = script.read_text()
    return jupytext.writes(jupytext.reads(text[text.index("# %%") :], "py:percent"), "ipynb").encode()


def run_notebook(script: Path) -> tuple[str, int]:
    """What a tutorial's notebook prints, and how many pictures it shows, in a folder where a reader put it.

    It runs in a Jupyter kernel. Raises `RuntimeError` with what the kernel says of a cell that fails.
    """
    nbclient: _NbClient = import_module("nbclient")  # pyright: ignore[reportAssignmentType]
    nbformat: _NbFormat = import_module("nbformat")  # pyright: ignore[reportAssignmentType]
    found = nbformat.reads(notebook(script).decode(), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / HELPER).write_bytes((script.parent / HELPER).read_bytes())
        place = {"metadata": {"path": folder}}
        client = nbclient.NotebookClient(
            found, timeout=_PATIENCE, kernel_name="python3", resources=place, extra_arguments=["--log-level=ERROR"]
        )
        try:
            client.execute()
        except Exception as error:
            raise RuntimeError(f"{script.stem}.ipynb fails:\n{error}") from None
    outputs = [one for cell in _loaded(nbformat.writes(found))["cells"] for one in cell.get("outputs", [])]
    printed = "".join("".join(one.get("text", "")) for one in outputs if one.get("name") == "stdout")
    return printed, sum("image/svg+xml" in one.get("data", {}) for one in outputs)


def _loaded(text: str) -> _Notebook:
    return cast("_Notebook", json.loads(text))
