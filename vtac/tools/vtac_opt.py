"""The program `vtac-opt`: what is loaded before an interrupt can be answered, which is little."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from vtac.tools.entry import guarded, version_text


def main(args: Sequence[str] | None = None) -> int:
    """Runs `vtac-opt` with `args`, else with the process's arguments; returns the exit status."""
    arguments = sys.argv[1:] if args is None else list(args)
    return guarded("vtac-opt", lambda: _run(arguments), debug="--debug" in arguments)


def _run(arguments: Sequence[str]) -> int:
    if arguments == ["--version"]:
        print(version_text("vtac-opt"))
        return 0
    if arguments in (["-h"], ["--help"]):
        from vtac.tools.opt_options import parse_options

        parse_options(arguments)
    from vtac.tools.opt_driver import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
