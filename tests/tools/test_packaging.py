"""The package list and the two symbolic links, which tools must agree on."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_package_is_listed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = {
        ".".join(Path(directory).relative_to(ROOT).parts)
        for directory, _, files in os.walk(ROOT / "vtac", followlinks=True)
        if "__init__.py" in files
    }
    assert found == set(settings["tool"]["setuptools"]["packages"])


def test_the_floors_stand_at_the_top_level() -> None:
    for floor in ("dialects", "passes"):
        assert (ROOT / "vtac" / floor).readlink() == Path("..", floor)


def imported_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after `statement`."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split())


def test_imports_stay_lazy() -> None:
    assert not {"numpy", "xdsl"} & imported_by("import vtac")
    assert "numpy" not in imported_by("import vtac.dialects.schedule, vtac.tools.vtac_opt")
    assert not {"xdsl.ir", "vtac.tools.source"} & imported_by("from vtac.tools.vtac import main; main(['--help'])")
    light = imported_by("from vtac.tools.vtac import main; main(['diff', '--help']) if 0 else None")
    assert "xdsl.ir" not in light
