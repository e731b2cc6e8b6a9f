"""The reference of the command line: each command's own help."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO

from sitegen.text import fence, page, section
from vtac.tools.opt_options import parse_options
from vtac.tools.vtac import COMMANDS

_WIDTH = "100"


def commands_page() -> str:
    """Every command of `vtac`, and `vtac-opt`."""
    intro = (
        "Results go to stdout, everything else to stderr; an error is one message, and the exit status 1. "
        "These are the helps that the commands print."
    )
    entries = (section(2, f"vtac {name}", f"{one.summary}.", fence(help_of(name))) for name, one in COMMANDS.items())
    opt = section(2, "vtac-opt", fence(_printed(parse_options, ["--help"])))
    return page("Command line", intro, *entries, opt)


def help_of(name: str) -> str:
    """What `vtac NAME --help` prints."""
    main: Callable[[Sequence[str]], int] = import_module(f"vtac.tools.commands.{COMMANDS[name].module}").main
    return _printed(main, ["--help"])


def _printed(call: Callable[[Sequence[str]], object], arguments: Sequence[str]) -> str:
    text = StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _WIDTH
    try:
        with redirect_stdout(text):
            call(arguments)
    except SystemExit:
        pass
    finally:
        os.environ.pop("COLUMNS", None)
        if before is not None:
            os.environ["COLUMNS"] = before
    return text.getvalue()
