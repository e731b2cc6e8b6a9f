"""The options of each command line, as its own parser declares them, so that a new one is attacked at once."""

from __future__ import annotations

from argparse import Action, Namespace
from collections.abc import Sequence
from contextlib import redirect_stderr, suppress
from functools import cache
from io import StringIO
from typing import NamedTuple
from unittest.mock import patch

from vtac.tools import vtac as vtac_tool
from vtac.tools import vtac_opt
from vtac.tools.entry import ToolParser

_WRITES = ("output", "output_file", "outputs", "stats", "trace", "timeline", "dump")


class Option(NamedTuple):
    """An option, or a positional argument, whose `spelling` is then empty."""

    spelling: str
    takes_value: bool
    metavar: str
    choices: tuple[str, ...]
    is_output: bool


def commands() -> tuple[str, ...]:
    """`vtac-opt`, and the subcommands of `vtac`; the campaign attacks neither itself nor an agent, which serves on."""
    return ("vtac-opt", *(name for name in vtac_tool.COMMANDS if name not in ("fuzz", "agent")))


@cache
def options_of(command: str) -> tuple[Option, ...]:
    """What the parser of a command takes."""
    seen: list[Option] = []

    def look(self: ToolParser, arguments: Sequence[str], options: Namespace) -> None:
        seen.extend(option for action in self._actions for option in _options(action))  # pyright: ignore[reportPrivateUsage]
        raise SystemExit(0)

    main, words = (vtac_opt.main, [""]) if command == "vtac-opt" else (vtac_tool.main, [command])
    with patch.object(ToolParser, "parse", look), suppress(SystemExit), redirect_stderr(StringIO()):
        main(words)
    return tuple(seen)


def _options(action: Action) -> list[Option]:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    choices = tuple(map(str, action.choices)) if action.choices is not None else ()
    rest = (action.nargs != 0, metavar, choices, action.dest in _WRITES)
    return [Option(spelling, *rest) for spelling in action.option_strings or [""]]
