"""Tutorials run, and have what each is to have."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sitegen.cells import cells_of
from sitegen.tutorials import MOST_SECONDS, Ran, require_quick, require_same, run, scripts_of

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = scripts_of(ROOT)
SEARCHES = ("07_choosing_hardware", "08_tuning")
"""They take longest; `make docs` runs them too."""
QUICK = [script for script in SCRIPTS if script.stem not in SEARCHES]


@pytest.mark.parametrize("script", QUICK, ids=lambda script: script.stem)
def test_a_tutorial_runs_and_draws(script: Path) -> None:
    done = run(script)
    pictures = [picture for ran in done.cells for picture in ran["pictures"]]
    assert done.seconds > 0
    assert pictures and all(words.strip() and content.strip() and words != content for _, words, content in pictures)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_tutorial_says_what_can_be_done_after_it_and_asks_two_exercises(script: Path) -> None:
    cells = cells_of(script.read_text())
    texts = "\n".join(cell.text for cell in cells if cell.is_text)
    assert "## What you can do now" in texts
    assert texts.count("**Exercise ") == 2
    assert sum(cell.is_solution for cell in cells) == 2


def test_a_tutorial_as_a_script_says_where_its_pictures_are() -> None:
    script = ROOT / "docs" / "tutorials" / "05_deadlock_and_race.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, check=True, text=True)
    written = [Path(one) for one in re.findall(r"^\[(/\S+\.svg): \S", done.stdout, re.MULTILINE)]
    assert len(written) == 3 and all(path.read_text().startswith("<svg") for path in written)
    shutil.rmtree(written[0].parent)


def test_a_tutorial_that_fails_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pictures.py").write_text("SHOWN = []\n")
    script = tmp_path / "broken.py"
    script.write_text("# %%\nx = 1\n\n# %%\nassert x == 2\n")
    with pytest.raises(RuntimeError, match=r"(?s)broken\.py fails:.*line 5"):
        run(script)


def test_a_tutorial_without_end_is_ended(tmp_path: Path) -> None:
    (tmp_path / "pictures.py").write_text("SHOWN = []\n")
    script = tmp_path / "endless.py"
    script.write_text("# %%\nwhile True:\n    pass\n")
    with pytest.raises(RuntimeError, match=r"^endless\.py was ended after 1 seconds of CPU$"):
        run(script, 1)


def test_a_tutorial_that_takes_long_is_told() -> None:
    require_quick({"quick": MOST_SECONDS})
    with pytest.raises(RuntimeError, match=r"^a tutorial takes at most 15 seconds of CPU: slow 15\.5$"):
        require_quick({"quick": 3.0, "slow": MOST_SECONDS + 0.5})


def test_a_notebook_that_does_something_else_is_told() -> None:
    cells: list[Ran] = [{"printed": "a\nb\n", "pictures": [["<svg/>", "words", "content"]]}]
    require_same("same", cells, "a\nb\n", 1)
    with pytest.raises(RuntimeError, match=r"^other\.ipynb shows 0 pictures, the script 1$"):
        require_same("other", cells, "a\nb\n", 0)
    with pytest.raises(RuntimeError, match=r"^other\.ipynb prints None where the script prints 'b'$"):
        require_same("other", cells, "a\n", 1)
