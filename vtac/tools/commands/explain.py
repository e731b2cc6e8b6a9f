"""`vtac explain`: what a kind of finding or fault means, where it comes from, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from textwrap import indent

from vtac.targets.vta.rules import RULES
from vtac.text.reports import suggestion
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.fault_examples import EXAMPLES, messages
from vtac.tools.output import report

_EXAMPLE = """example:
  vtac explain
  vtac explain race
"""

_JUDGES = {
    "machine": "execution",
    "strict": "strict execution, which `vtac run` is",
    "proof": "`vtac check`, before anything runs",
}


class Options(argparse.Namespace):
    """The options, typed."""

    kind: str | None = None


def main(arguments: Sequence[str]) -> int:
    """Prints the explanation of one kind, or a line on each."""
    parser = ToolParser("vtac explain", "Explains the kinds of findings and faults of instruction streams.", _EXAMPLE)
    parser.add_argument("kind", metavar="KIND", nargs="?", help="as `vtac check` prints it; none: list all")
    options = Options()
    parser.parse(arguments, options)
    report(_list() if options.kind is None else _explanation(options.kind))
    return 0


def _list() -> str:
    return "".join(f"{kind:<18} {rule.rule}\n" for kind, rule in RULES.items())


def _explanation(kind: str) -> str:
    rule = RULES.get(kind)
    if rule is None:
        hint = suggestion(kind, RULES) or f"; the kinds are {', '.join(RULES)}"
        raise UsageError(f"unknown kind '{kind}'{hint}")
    example = EXAMPLES[kind]
    known = "" if example.has_image else ", of which the memory image is not given"
    return (
        f"{kind}\n"
        f"  rule      {rule.rule}\n"
        f"  because   {rule.source}\n"
        f"  found by  {', '.join(_JUDGES[judge] for judge in rule.judges)}\n"
        f"  to do     {rule.remedy}\n"
        f"\nFor example{known}:\n\n{indent(example.text, '    ')}\n\n"
        f"gives\n\n{indent(messages(example)[kind], '    ')}\n"
    )
