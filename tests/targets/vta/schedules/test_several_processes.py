"""Several processes share the layers of a network: the program, the messages and the cache are those of one."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import pytest
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.errors import CompileError, NoDefaultScheduleError, VtacError
from vtac.files.user_cache import VARIABLE
from vtac.targets.vta.passes import schedule_device_functions
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.schedules import known_kernels, search
from vtac.targets.vta.schedules.kernel_lowering import lower_task
from vtac.targets.vta.schedules.lowering import Lowering
from vtac.tools.entry import INTERRUPTED
from vtac.tools.vtac import main
from vtac.workers import forks, helpers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and copies processes")
_HERE = os.getpid()
_SIZES = (16, 32, 48, 16, 80)
_LAYERS = len(_SIZES) - 1


def _layer(number: int, depth: int, width: int) -> str:
    return f"""
  %empty{number} = tensor.empty() : tensor<4x{width}xi32>
  %start{number} = linalg.fill ins(%zero : i32) outs(%empty{number} : tensor<4x{width}xi32>) -> tensor<4x{width}xi32>
  %sums{number} = linalg.matmul ins(%x{number}, %w{number} : tensor<4x{depth}xi8>, tensor<{depth}x{width}xi8>)
    outs(%start{number} : tensor<4x{width}xi32>) -> tensor<4x{width}xi32>
  %bytes{number} = tensor.empty() : tensor<4x{width}xi8>
  %x{number + 1} = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}}
      ins(%sums{number} : tensor<4x{width}xi32>) outs(%bytes{number} : tensor<4x{width}xi8>) {{
  ^bb0(%a: i32, %b: i8):
    %places = arith.constant {number + 3} : i32
    %shifted = arith.shrsi %a, %places : i32
    %c = arith.trunci %shifted : i32 to i8
    linalg.yield %c : i8
  }} -> tensor<4x{width}xi8>"""


def _text() -> str:
    sizes = list(pairwise(_SIZES))
    weights = "".join(f", %w{n}: tensor<{depth}x{width}xi8>" for n, (depth, width) in enumerate(sizes))
    layers = "".join(_layer(n, depth, width) for n, (depth, width) in enumerate(sizes))
    return f"""
func.func @net(%x0: tensor<4x{_SIZES[0]}xi8>{weights}) -> tensor<4x{_SIZES[-1]}xi8> {{
  %zero = arith.constant 0 : i32{layers}
  func.return %x{_LAYERS} : tensor<4x{_SIZES[-1]}xi8>
}}
"""


TEXT = _text()


@pytest.fixture(autouse=True)
def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are copied whatever threads the runner of the tests has."""
    monkeypatch.setattr(forks, "can_fork", lambda: True)
    monkeypatch.setenv(VARIABLE, "off")


def _compiled(
    jobs: int, *, cache: bool = False, progress: Callable[[str, int, int], None] | None = None
) -> HostProgram:
    search._known.cache_clear()  # pyright: ignore[reportPrivateUsage]
    program = vtac.compile(TEXT, cache=cache, jobs=jobs, progress=progress)
    assert isinstance(program, HostProgram)
    return program


def _contents(program: HostProgram, folder: Path) -> tuple[object, ...]:
    """All that a program is, its schedules and the origins of its instructions among it."""
    program.save(folder)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    devices = [(one.origins, one.kernels, one.buffers, one.instructions) for one in program.devices.values()]
    return files, devices, program.choices, [str(script) for script in program.scripts]


def _children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())


@pytest.fixture
def expected(tmp_path: Path) -> tuple[object, ...]:
    return _contents(_compiled(1), tmp_path / "expected")


@pytest.mark.parametrize("jobs", [2, 3])
def test_several_processes_make_the_same(jobs: int, expected: tuple[object, ...], tmp_path: Path) -> None:
    before = _children()
    assert _contents(_compiled(jobs), tmp_path / "found") == expected
    assert _children() <= before


@pytest.mark.parametrize("cache", [False, True])
def test_processes_that_are_no_copies_make_the_same(
    cache: bool, expected: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the caller runs threads."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    for module in (forks, helpers):
        monkeypatch.setattr(module, "can_fork", lambda: False)
    before = _children()
    assert _contents(_compiled(2, cache=cache), tmp_path / "found") == expected
    assert _children() <= before


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_with_the_cache_too_and_they_keep_the_same(
    jobs: int, expected: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folder(jobs: int) -> Path:
        monkeypatch.setenv(VARIABLE, str(tmp_path / f"cache{jobs}"))
        return tmp_path / f"cache{jobs}" / "kernels"

    kept: list[dict[str, bytes]] = []
    for count in (1, jobs):
        kernels = folder(count)
        assert _contents(_compiled(count, cache=True), tmp_path / f"found{count}{len(kept)}") == expected
        kept.append({path.name: path.read_bytes() for path in kernels.iterdir()})
    assert len(kept[0]) == _LAYERS
    assert kept[0] == kept[1]


def _lost_elsewhere(task: str, kept: object = None) -> str:
    del kept
    if os.getpid() != _HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    return lower_task(task)


@pytest.mark.parametrize("cache", [False, True])
def test_what_a_killed_process_had_is_lowered_here(
    cache: bool, expected: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(known_kernels, "lower_task", _lost_elsewhere)
    before = _children()
    assert _contents(_compiled(3, cache=cache), tmp_path / "found") == expected
    assert _children() <= before


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_an_interrupt_ends_all_processes(jobs: int) -> None:
    """It comes while this process begins with a layer and copies are at others."""

    def interrupted(what: str, done: int, total: int) -> None:
        del what, total
        if done == 1:
            raise KeyboardInterrupt

    before = _children()
    with pytest.raises(KeyboardInterrupt):
        _compiled(jobs, progress=interrupted)
    assert _children() <= before


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def test_the_command_says_once_that_it_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schedule_device_functions, "lowering_of", _interrupt)
    source, output = tmp_path / "net.mlir", tmp_path / "program"
    source.write_text(TEXT, encoding="utf-8")
    before = _children()
    status = main(["compile", str(source), "-o", str(output), "--jobs", "3", "--no-cache"])
    assert (status, capfd.readouterr()) == (INTERRUPTED, ("", "vtac: interrupted\n"))
    assert not output.exists()
    assert _children() <= before


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_progress_counts_every_layer_once(jobs: int) -> None:
    told: list[tuple[int, int]] = []
    _compiled(jobs, progress=lambda what, done, total: told.append((done, total)))
    assert told == [(done, _LAYERS) for done in range(_LAYERS + 1)]


def _refused_task(*_: object) -> str:
    return ""


def _refused(*_: object) -> Lowering:
    raise NoDefaultScheduleError("a planted refusal")


def _messages(jobs: int) -> str:
    with pytest.raises(VtacError) as caught:
        _compiled(jobs)
    return str(caught.value)


@pytest.mark.parametrize("jobs", [2, 3])
def test_of_several_layers_that_fail_the_first_is_named(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whichever order they are lowered; the message and its place are those of one process."""
    monkeypatch.setattr(known_kernels, "lower_task", _refused_task)
    monkeypatch.setattr(schedule_device_functions, "lowering_of", _refused)
    monkeypatch.setattr(schedule_device_functions, "simple_lowering", _refuse_simply)
    said = _messages(jobs)
    assert said == _messages(1)
    assert "device function 'net_0' cannot be scheduled" in said
    assert "a planted refusal" in said


def _refuse_simply(module: ModuleOp, _: object) -> Lowering:
    raise CompileError(f"no schedule of {len(list(module.ops))} operation")


def test_a_layer_that_copies_refuse_is_scheduled_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One tile after the other, which is said as with one process."""
    monkeypatch.setattr(known_kernels, "lower_task", _refused_task)
    monkeypatch.setattr(schedule_device_functions, "lowering_of", _refused)
    one, two = (_contents(_compiled(jobs), tmp_path / str(jobs)) for jobs in (1, 2))
    assert one == two
    assert str(one[2]).count("as the default schedule is refused (a planted refusal)") == _LAYERS
