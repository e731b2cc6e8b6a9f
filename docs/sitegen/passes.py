"""The reference of passes: from their docstrings and options, and the files that test them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from xdsl.passes import ModulePass
from xdsl.utils.exceptions import ParseError, VerifyException

from sitegen.examples import Case, cases_of, transformed
from sitegen.text import code, fence, page, prose, section, shortened
from vtac.errors import VtacError
from vtac.tools.pass_help import help_pass
from vtac.universe import get_all_passes

ROOMS = {
    "linalg": "On linalg",
    "schedule": "On schedules and payloads",
    "vta": "For the VTA",
    "gpu": "For tensor cores",
    "lowering": "Pipelines and others",
}
_MOST_LINES = 48


def passes_page(root: Path) -> str:
    """Every pass: requires, ensures, declines, options, and an example that was run."""
    found = {name: load() for name, load in sorted(get_all_passes().items())}
    rooms: dict[str, list[str]] = {room: [] for room in ROOMS}
    for name, kind in found.items():
        rooms[_room(kind)].append(_entry(name, cases_of_pass(root, name)))
    intro = (
        "`vtac-opt FILE -p 'a-pass,another{option=value}'` runs passes in turn; each is also a pass of xDSL "
        "(`xdsl-opt -p`). Texts and options are the classes' own; each example is the first case of the pass's test, "
        "run when the page was built. [Architecture](../architecture.md) says which phase runs which pass."
    )
    return page("Passes", intro, *(section(2, ROOMS[room], *entries) for room, entries in rooms.items() if entries))


def without_example(root: Path) -> list[str]:
    """The passes whose tests give no example."""
    return [name for name in sorted(get_all_passes()) if not _example(cases_of_pass(root, name))]


def cases_of_pass(root: Path, name: str) -> tuple[Case, ...]:
    """The cases of the file that tests a pass."""
    paths = sorted(
        (root / "tests" / "passes").glob(f"*/{name.replace('-', '_')}*.mlir"), key=lambda path: len(path.name)
    )
    return tuple(case for path in paths for case in cases_of(path))


def _room(kind: type[ModulePass]) -> str:
    parts = kind.__module__.split(".")
    if "targets" in parts:
        return "vta" if "vta" in parts and "passes" in parts else "lowering"
    return next((part for part in parts if part in ROOMS), "lowering")


def _entry(name: str, cases: tuple[Case, ...]) -> str:
    _, _, text = help_pass(name).partition("\n\n")
    words, _, options = text.rpartition("options:")
    said = f"options:{options}".rstrip()
    shown = "No options." if said == "options: none" else fence(said)
    return section(3, name, prose(words), shown, _example(cases))


@cache
def _example(cases: tuple[Case, ...]) -> str:
    """The first short case, or else the shortest, that the pass does not refuse."""
    shown = [case for case in cases if case.arguments and case.text and not case.refusals]
    short = [case for case in shown if _lines(case) <= _MOST_LINES]
    for case in short or sorted(shown, key=_lines):
        try:
            result = transformed(case)
        except (VtacError, VerifyException, ParseError):
            continue
        title = f"{case.title}\n\n" if case.title and len(case.title) < 300 else ""
        call = code(f"vtac-opt {' '.join(case.arguments)}")
        text = fence(shortened(case.text, 80), "mlir")
        return f"{title}{text}\n{call} makes of it\n\n{fence(shortened(result, 60), 'mlir')}"
    return ""


def _lines(case: Case) -> int:
    return len(case.text.splitlines())
