"""pytest's hooks for programs on other devices: of tests marked `everywhere`, and of all with `pytest --everywhere`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from everywhere import Everywhere

_COUNTED = pytest.StashKey["Everywhere"]()


def _counts(config: pytest.Config) -> Everywhere:
    """What this process, or all workers together, have counted."""
    from everywhere import Everywhere

    return config.stash.setdefault(_COUNTED, Everywhere())


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--everywhere", action="store_true", help="run programs of all tests on other devices, too")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "everywhere: its programs run behind a pipe and on models of registers, too")
    config.pluginmanager.register(Workers(config))


@pytest.fixture(autouse=True)
def on_other_devices(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test's programs do on other devices."""
    wanted = cast("bool", request.config.getoption("--everywhere"))
    if not wanted and request.node.get_closest_marker("everywhere") is None:  # pyright: ignore[reportUnknownMemberType]
        yield
        return
    with _counts(request.config).following():
        yield


def pytest_sessionfinish(session: pytest.Session) -> None:
    found = session.config.stash.get(_COUNTED, None)
    if found is None:
        return
    found.close()
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["everywhere"] = [[*key, count] for key, count in found.counts.items()]


class Workers:
    """What workers of xdist have counted."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """A worker has ended."""
        output = cast("dict[str, list[tuple[str, str, int]]]", getattr(node, "workeroutput", {}))
        for device, outcome, count in output.get("everywhere", []):
            _counts(self._config).counts[device, outcome] += count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(_COUNTED, None)
    if found is not None and config.getoption("--everywhere"):
        terminalreporter.section("other devices")
        for line in found.lines():
            terminalreporter.line(line)
