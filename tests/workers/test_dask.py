"""A real Dask scheduler with two workers on loopback, one of which is killed at work."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from worker_tasks import squares_once_killed

from vtac.workers.crew import Crew
from vtac.workers.errors import WorkersError
from vtac.workers.places import executor_at

pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")

_CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=int(sys.argv[1]), threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as at:
        print(at.scheduler_address, flush=True)
        sys.stdin.read()
"""


def _cluster(workers: int, folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    script = folder / "cluster.py"
    script.write_text(_CLUSTER)
    paths = ":".join(path for path in sys.path if path)
    with subprocess.Popen(
        [sys.executable, str(script), str(workers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip(), process
        process.stdin.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    yield from (address for address, _ in _cluster(2, tmp_path))


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    yield from _cluster(1, tmp_path)


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[str]:
    yield from (address for address, _ in _cluster(0, tmp_path))


def test_a_killed_worker_loses_nothing(cluster: str, tmp_path: Path) -> None:
    with executor_at(f"dask:{cluster}") as executor:
        crew = Crew(executor, squares_once_killed)
        for number in range(8):
            crew.submit(number, [(number, str(tmp_path / "marker") if number == 3 else ""), (number + 1, "")])
        found: dict[int, tuple[object, ...]] = {}
        while len(crew):
            found |= {done.number: done.results for done in crew.collect()}
    assert found == {number: (number**2, (number + 1) ** 2) for number in range(8)}
    assert (tmp_path / "marker").exists()


def test_a_scheduler_that_is_gone_is_one_message(
    mortal: tuple[str, subprocess.Popen[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    """Dask's client would print a traceback beside it."""
    address, process = mortal
    level = logging.getLogger("distributed.client").level
    with executor_at(f"dask:{address}") as executor:
        crew = Crew(executor, squares_once_killed)
        process.kill()
        process.wait()
        with pytest.raises(WorkersError, match="the executor is gone and takes no more tasks"):
            while True:
                crew.submit(0, [(0, "")])
                crew.collect()
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("distributed.client").level == level


def test_a_scheduler_without_workers_is_refused(idle: str) -> None:
    with pytest.raises(WorkersError, match="has no workers: start some with 'dask worker tcp://"):
        executor_at(f"dask:{idle}")


def test_no_scheduler_is_refused() -> None:
    with pytest.raises(
        WorkersError, match=r"no Dask scheduler answers at 'nonsense://x'.*start one with 'dask scheduler'"
    ):
        executor_at("dask:nonsense://x")
