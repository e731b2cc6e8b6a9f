"""What stores know a judge of tilings by: its sources, wherever they lie."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tuned_programs import CONV

import vtac
from vtac.targets.vta.compiler_identity import APART, compiler_identity, model_identity, source_digest

PACKAGE = Path(vtac.__file__).parent
_WORK = """
import sys
import vtac
from vtac.schedule import Schedule
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.tuning.trials import Job, measure
text = open(sys.argv[1]).read()
(outcome,) = measure([Job(text, Tiling((1, 1, 2, 2)), Timing.de10())])
assert outcome.is_ok, outcome.message
print(*(name for name in sys.modules if name.startswith("vtac.")))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(PACKAGE, tmp_path_factory.mktemp("copy") / "vtac"))


def test_it_is_the_same_wherever_the_sources_lie(copy: Path) -> None:
    assert source_digest(copy) == source_digest(PACKAGE)
    assert model_identity().startswith(source_digest(PACKAGE))
    assert str(PACKAGE / "compiler.py") in compiler_identity()


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("targets/vta/cycles/timing.py", "gemm_overhead: int = 7", "gemm_overhead: int = 8"),
        ("targets/vta/cycles/bus.py", "1", "2"),
        ("passes/vta/vta_insert_dependences.py", "1", "2"),
        ("dialects/instruction_bits.py", "_ITER_BITS = 14", "_ITER_BITS = 15"),
    ],
)
def test_a_changed_constant_changes_it(copy: Path, name: str, before: str, after: str) -> None:
    path = copy / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    changed = source_digest(copy)
    path.write_text(text)
    assert changed != source_digest(copy) == source_digest(PACKAGE)


def test_what_has_no_say_does_not_change_it(copy: Path) -> None:
    (copy / "tools" / "more.py").write_text("x = 1\n")
    assert source_digest(copy) == source_digest(PACKAGE)
    for folder in APART:
        assert (PACKAGE / folder).is_dir()


def test_a_worker_imports_nothing_that_stands_apart(tmp_path: Path) -> None:
    """But for the record of the other target, which the registry reads."""
    path = tmp_path / "conv.mlir"
    path.write_text(str(vtac.Schedule(CONV).module))
    called = [sys.executable, "-c", _WORK, str(path)]
    found = subprocess.run(called, capture_output=True, text=True, check=True, cwd=PACKAGE.parent).stdout.split()
    assert "vtac.targets.vta.cycles.timing" in found
    apart = tuple(f"vtac.{folder.replace('/', '.')}." for folder in APART)
    assert {name for name in found if f"{name}.".startswith(apart)} <= {"vtac.targets.cuda", "vtac.targets.cuda.target"}
