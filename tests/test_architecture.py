"""The floors of vtac: what may import what. `docs/architecture.md` draws them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from pathlib import Path

from import_graph import ROOT, Import, circles, imports, modules

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "closing", "collection", "lazily", "limits", "progress", "starting"),
    ("files", "store", "workers"),
    ("targets.target", "targets.registry"),
    ("dialects",),
    ("analysis",),
    ("analysis.ir",),
    ("analysis.types",),
    ("analysis.expressions",),
    ("analysis.nests",),
    ("analysis.operations",),
    ("analysis.values",),
    ("analysis.integer_plans",),
    ("analysis.programs",),
    ("analysis.vta",),
    ("analysis.kernels",),
    ("analysis.tensor_cores",),
    ("analysis.bulk_copies",),
    ("analysis.attention",),
    ("text",),
    ("rewriting",),
    ("partition",),
    ("passes",),
    ("evaluate",),
    ("pipelines",),
    ("preparation", "schedule"),
    ("targets",),
    ("devices.agent",),
    ("devices",),
    ("compiler", "loading", "binding", "universe", "autoschedule", "cuda", "vtac"),
    ("workloads",),
    ("models",),
    ("report",),
    ("tools", "__main__"),
)
"""The rooms of vtac, lowest floor first: a module imports from its own floor and from those under it.

A room within a room has a floor of its own: what a target is can be asked from everywhere, the
targets themselves stand high up and are imported by name.
"""

BY_HAND = re.compile(
    r"\.(detach|detach_\w+|add_ops?|insert_ops?_\w+|erase_op|add_block|insert_block|drop_all_references)\("
    r"|(?<!rewriter)\.erase\("
)
"""Calls that change IR behind the back of a rewriter."""

NARROW = {
    "evaluate": {
        "errors",
        "lazily",
        "limits",
        "targets.target",
        "targets.registry",
        "dialects",
        "analysis",
        "text",
        "evaluate",
    },
    "devices.agent": {"devices.agent"},
}
"""Rooms that import from fewer rooms than their floor allows: the judge of a lowering imports no lowering, and what is
copied to a board finds nothing else there."""

UPWARD: set[tuple[str, str]] = set()
"""Imports that break a rule and are to go; an entry that is no longer needed is an error."""

CIRCLES: tuple[set[str], ...] = ()
"""Import circles that are to go, each a superset of one that exists; one without a circle in it is an error."""


def test_every_room_has_a_floor() -> None:
    assert {_room(name) for name in modules()} == {room for floor in FLOORS for room in floor}


def test_imports_point_down() -> None:
    broken = [f"{found}: {rule}" for found in imports() if found.pair not in UPWARD and (rule := _rule_broken(found))]
    assert not broken, "\n".join(["imports that break the floors:", *broken])


def test_no_import_circles() -> None:
    new = [circle for circle in circles() if not any(circle <= known for known in CIRCLES)]
    lines = [str(found) for circle in new for found in imports() if {*found.pair} <= circle]
    assert not new, "\n".join(["import circles (imports inside functions count):", *lines])


def test_the_lists_of_exceptions_shrink() -> None:
    needed = {found.pair for found in imports() if _rule_broken(found)}
    mended = [f"{importer} -> {imported}" for importer, imported in sorted(UPWARD - needed)]
    assert not mended, "\n".join(["imports that break no rule any more: take them out of UPWARD", *mended])
    opened = [sorted(known) for known in CIRCLES if not any(circle <= known for circle in circles())]
    assert not opened, f"circles that are gone: take them out of CIRCLES: {opened}"


def test_edits_are_rewriters_or_helpers() -> None:
    """IR is changed through xDSL's rewriters and builders; `vtac.rewriting.edits` alone does it by hand."""
    lines = [
        f"{name}:{number}: {line.strip()}"
        for name, path in modules().items()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if name != "vtac.rewriting.edits" and BY_HAND.search(line)
    ]
    assert not lines, "\n".join(["edits by hand:", *lines])


def _rule_broken(found: Import) -> str:
    """The rule that an import breaks, empty when it breaks none."""
    importer, imported = _room(found.importer), _room(found.imported)
    if importer in NARROW and not _lies_in(imported, NARROW[importer]):
        return f"{importer} imports from {', '.join(sorted(NARROW[importer]))} only"
    if _floor(imported) > _floor(importer):
        return f"{importer} lies under {imported}"
    machine, other = _machine(found.importer), _machine(found.imported)
    if machine and other and machine != other:
        return f"targets/{machine} imports no other target"
    return ""


def _lies_in(room: str, rooms: set[str]) -> bool:
    """Whether a room is one of these, or a room within one of them."""
    return any(f"{room}.".startswith(f"{outer}.") for outer in rooms)


def _room(module: str) -> str:
    rooms = [room for floor in FLOORS for room in floor if f"{module}.".startswith(f"vtac.{room}.")]
    return max(rooms, key=len) if rooms else ".".join(module.split(".")[:2]).removeprefix("vtac.")


def _floor(room: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if room in rooms)


def _machine(module: str) -> str:
    """The target whose folder a module lies in, empty for one outside all of them."""
    parts = module.split(".")
    return parts[2] if parts[1:2] == ["targets"] and len(parts) > 3 else ""


ARCHITECTURE = ROOT / "docs" / "architecture.md"


def test_the_picture_names_what_there_is() -> None:
    """Paths of `docs/architecture.md` and `docs/extending.md` exist; those of a machine stand in its folder."""
    machines = [ROOT / "vtac" / "targets" / name for name in ("", "vta", "cuda")]
    missing = [
        f"{page.name}: {path}"
        for page in (ARCHITECTURE, ARCHITECTURE.with_name("extending.md"))
        for path in re.findall(r"`([\w./-]+/[\w./-]*)`", page.read_text(encoding="utf-8"))
        if not any((root / path).exists() for root in (ROOT, *machines))
    ]
    assert not missing, "\n".join(["documented paths that do not exist:", *missing])


def test_every_room_is_in_the_picture() -> None:
    picture = ARCHITECTURE.read_text(encoding="utf-8").split("```")[1]
    drawn = set(re.findall(r"[\w/.]+", picture))
    rooms = {path.parent.relative_to(ROOT / "vtac").as_posix() for path in modules().values()} - {"."}
    top = {room.split("/")[0] for room in rooms}
    assert {room for room in top if not {f"vtac/{room}/", f"{room}/"} & drawn} == set()
    inner = {room.split("/")[2] for room in rooms if room.startswith("targets/") and room.count("/") == 2}
    assert {room for room in inner if f"{room}/" not in drawn} == set()
    alone = {path.name for path in modules().values() if path.parent == ROOT / "vtac"}
    assert {name for name in alone if f"vtac/{name}" not in drawn} == set()


def test_every_folder_of_modules_is_in_the_wheel() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    folders = {path.parent for top in ("dialects", "passes", "vtac") for path in (ROOT / top).rglob("*.py")}
    names = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert {name if name.startswith("vtac") else f"vtac.{name}" for name in names} <= listed


LARGE = 20
"""Packages of more modules than these list them by subject on their front page, the docstring of `__init__.py`."""
BY_NAME = ("vtac/passes/", "vtac/tools/commands")
"""Packages in which a module is found by the name of what it holds: a pass, a directive, a command."""


def test_front_pages_list_all_modules_and_no_others() -> None:
    problems = [problem for folder, names in _packages().items() for problem in _front_page_problems(folder, names)]
    assert not problems, "\n".join(["front pages (docstrings of packages) that are not as their folders:", *problems])


def _packages() -> dict[Path, set[str]]:
    found: defaultdict[Path, set[str]] = defaultdict(set)
    for path in modules().values():
        found[path.parent].add(path.stem)
    return {folder: names - {"__init__"} for folder, names in found.items()}


def _front_page_problems(folder: Path, names: set[str]) -> list[str]:
    package = folder.relative_to(ROOT).as_posix()
    page = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    if page is None:
        return [f"{package}: no docstring says what it is for"]
    listed = _listed(page)
    gone = listed - names - {one.name for one in folder.iterdir() if one.is_dir()}
    problems = [f"{package}: lists {name}, which is no module of it" for name in sorted(gone)]
    if (len(names) > LARGE and not package.startswith(BY_NAME)) or listed & names:
        lacking = [name for name in sorted(names) if not re.search(rf"\b{name}\b", page)]
        problems += [f"{package}: put {name} under its subject" for name in lacking]
    return problems


def _listed(page: str) -> set[str]:
    """The names in the last column of indented lines that hold nothing but names there."""
    columns = [re.split(r" {2,}", line.strip())[-1] for line in page.splitlines() if line.startswith("    ")]
    return {name for column in columns if re.fullmatch(r"\w+(, \w+)*,?", column) for name in re.findall(r"\w+", column)}
