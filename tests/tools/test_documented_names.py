"""Names that the documentation spells out: each is there after `import vtac` alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from vtac import lazily

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_what_there_is(page: Path) -> None:
    text = page.read_text()
    code_blocks = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    names = set(re.findall(r"`(vtac\.[A-Za-z_0-9.]*[A-Za-z_0-9])", text))
    names |= set(re.findall(r"(?<![\w./\"'])(vtac\.[A-Za-z_0-9.]*[A-Za-z_0-9])", code_blocks))
    code = "\n".join(["import vtac", *sorted(names)])
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert outcome.returncode == 0, outcome.stderr


def test_short_names_need_no_import() -> None:
    code = "import vtac\nvtac.autoschedule.default_schedule, vtac.cuda.bfloat16.to_bfloat16, vtac.cuda.gpu_architecture"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert outcome.returncode == 0, outcome.stderr


def test_what_is_no_module_is_no_attribute() -> None:
    code = "import vtac\nprint(hasattr(vtac, 'nothing'), hasattr(vtac.targets, 'fpga'), hasattr(vtac.evaluate, '_x'))"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert outcome.stdout == "False False False\n"


def test_the_package_is_a_command_and_has_a_version() -> None:
    command = [sys.executable, "-m", "vtac", "--version"]
    outcome = subprocess.run(command, capture_output=True, check=True, text=True)
    version = subprocess.run(
        [sys.executable, "-c", "import vtac\nprint(vtac.__version__)"], capture_output=True, check=True, text=True
    )
    assert outcome.stdout.startswith(f"vtac: vtac {version.stdout.strip()}, xdsl ")


@pytest.mark.parametrize(
    ("version", "command"),
    [("0.1.0", "pip install 'vtac[plot]'"), (lazily.NOT_INSTALLED, f"pip install --editable '{ROOT}[plot]'")],
)
def test_an_extra_is_added_to_what_is_installed_or_from_the_checkout(
    version: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(package: str) -> str:
        assert package == "vtac"
        return version

    monkeypatch.setattr(lazily, "installed_version", known)
    assert lazily.pip_install("plot") == command
