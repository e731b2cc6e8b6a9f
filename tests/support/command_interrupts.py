"""Commands that are interrupted while they work: they say what their store keeps, and end as an interrupt does."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from vtac.tools.vtac import main


def interrupted_command(
    command: str,
    program: str,
    store: Path,
    place: str,
    patch: pytest.MonkeyPatch,
    by: type[BaseException] = KeyboardInterrupt,
) -> int:
    """The status of a command on a program, whose work at `place` is interrupted; `store` is where it keeps things."""

    def interrupt(*_: object) -> NoReturn:
        raise by

    patch.setattr(place, interrupt)
    return main([command, program, "--executor", "local:1", "--store", str(store)])


def said_of_interrupt(kept: str, store: Path) -> str:
    """What such a command writes to stderr, by the things of its store that it counts, such as "points"."""
    return f"0 {kept} are kept in {store}: the same command goes on\nvtac: interrupted\n"
