"""The package list and the two symbolic links, which tools must agree on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_every_package_is_listed() -> None:
    """Folders of Python modules, and those of headers that are installed with them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = {
        ".".join(Path(directory).relative_to(ROOT).parts)
        for directory, _, files in os.walk(ROOT / "vtac", followlinks=True)
        if "__init__.py" in files or any(file.endswith(".h") for file in files)
    }
    assert found == set(settings["tool"]["setuptools"]["packages"])


def test_the_floors_stand_at_the_top_level() -> None:
    for floor in ("dialects", "passes"):
        assert (ROOT / "vtac" / floor).readlink() == Path("..", floor)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_says_that_the_links_are_missing(tmp_path: Path) -> None:
    """As in a clone with `core.symlinks=false`, where a link is a text file."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "vtac").mkdir()
    (tmp_path / "vtac" / "dialects").write_text("../dialects")
    # Of make as a user calls it, also where the tests run under make.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    run = subprocess.run(["make", "test"], cwd=tmp_path, capture_output=True, check=False, text=True, env=outside)
    assert run.returncode == 2
    assert run.stdout == ""
    assert (
        "vtac/dialects and vtac/passes are symbolic links to dialects and passes, which this clone lacks" in run.stderr
    )
    assert "git config core.symlinks true && git checkout -- vtac/dialects vtac/passes" in run.stderr


def imported_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after `statement`."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split())


def test_imports_stay_lazy() -> None:
    assert not {"numpy", "xdsl"} & imported_by("import vtac")
    assert "numpy" not in imported_by("import vtac.dialects.schedule, vtac.tools.vtac_opt")


@pytest.mark.parametrize("command", ["run", "disasm", "asm", "check", "diff"])
def test_saved_programs_need_no_compiler(command: str) -> None:
    modules = imported_by(
        f"from vtac.tools.vtac import main\ntry: main(['{command}', '--help'])\nexcept SystemExit: pass"
    )
    assert f"vtac.tools.commands.{command}" in modules
    assert "xdsl.ir" not in modules
