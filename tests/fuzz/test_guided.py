"""Coverage-guided fuzzing, with a stand-in for atheris: seeds are read, what is refused is fine, what raises fails."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from fuzz.guided import ENTRIES, run_guided
from fuzz.main import main
from fuzz.mutations import mutated
from vtac.tools.entry import UsageError

_STAND_IN = """
import sys
from contextlib import nullcontext
from pathlib import Path

def instrument_imports(include):
    assert include == ["vtac"]
    assert not [name for name in sys.modules if name.startswith("vtac")], "imported before it is instrumented"
    return nullcontext()

def Setup(argv, test):
    global words, read
    words, read = argv, test

def Fuzz():
    assert [word for word in words if word.startswith("-max_total_time=3")]
    for path in sorted(Path(words[-1]).iterdir()):
        read(path.read_bytes())
    read(bytes(range(256)))
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for what a campaign writes; `atheris` is the module above."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "atheris.py").write_text(_STAND_IN)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "modules"), *sys.path])
    return tmp_path


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_fuzzed_from_its_seeds(name: str, stand_in: Path) -> None:
    assert run_guided(name, stand_in, seconds=3, seed=0) == 0
    assert len(list((stand_in / f"guided_{name}").iterdir())) >= 3


def test_what_raises_is_a_failure(stand_in: Path) -> None:
    module = stand_in / "modules" / "atheris.py"
    module.write_text(f"{_STAND_IN}    raise ValueError('found')\n")
    assert run_guided("npz", stand_in, seconds=3, seed=0) == 1


def test_a_missing_atheris_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "atheris", None)
    with pytest.raises(UsageError, match=r"--guided needs the package 'atheris', which is not installed"):
        main(["assembly", "--guided", "--save", str(tmp_path)])


def test_only_what_reads_bytes_is_guided() -> None:
    with pytest.raises(UsageError, match=r"--guided is for assembly, program.json, npz, not for 'linalg'"):
        main(["linalg", "--guided"])


@pytest.mark.parametrize("name", ENTRIES)
def test_readers_refuse_what_is_changed(name: str) -> None:
    read, random = ENTRIES[name].reader(), Random(0)
    for data in ENTRIES[name].seeds():
        read(data)
        for _ in range(20):
            changed = bytearray(mutated(random, data.decode("latin1"), 2).encode("latin1", "ignore"))
            read(bytes(changed))
