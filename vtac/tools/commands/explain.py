"""`vtac explain`: what a kind of finding, fault or refusal means, where it comes from, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from textwrap import indent

from vtac.targets.cuda.cpu.kinds import KERNEL_RULES
from vtac.targets.vta.rules import RULES
from vtac.text.reports import suggestion
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.fault_examples import EXAMPLES, messages
from vtac.tools.output import report
from vtac.tools.refusals import REFUSALS, TEXT, message

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
    """Prints the explanation of one kind, or a line on each. Raises `UsageError` for a kind that there is not."""
    parser = ToolParser("vtac explain", "Explains the kinds of findings, faults and refusals.", _EXAMPLE)
    kinds = "as `vtac check`, `--json` and error.kind say it; none: list all"
    parser.add_argument("kind", metavar="KIND", nargs="?", help=kinds)
    options = Options()
    parser.parse(arguments, options)
    report(_list() if options.kind is None else explanation(options.kind))
    return 0


def _list() -> str:
    parts = {
        "findings and faults of instruction streams": {kind: rule.rule for kind, rule in RULES.items()},
        "faults of CUDA kernels run on the CPU": {kind: rule.rule for kind, rule in KERNEL_RULES.items()},
        "refusals": {kind: refusal.meaning for kind, refusal in REFUSALS.items()},
    }
    return "\n".join(
        f"{title}\n" + "".join(f"  {kind:<18} {text}\n" for kind, text in kinds.items())
        for title, kinds in parts.items()
    )


def explanation(kind: str) -> str:
    """All that is said of a kind. Raises `UsageError` for one that there is not."""
    parts = [
        *([_of_streams(kind)] if kind in RULES else []),
        *([_of_kernels(kind)] if kind in KERNEL_RULES else []),
        *([_of_refusals(kind)] if kind in REFUSALS else []),
    ]
    if parts:
        return "\n".join(parts)
    known = list(dict.fromkeys((*RULES, *KERNEL_RULES, *REFUSALS)))
    hint = suggestion(kind, known) or f"; the kinds are {', '.join(known)}"
    raise UsageError(f"unknown kind '{kind}'{hint}")


def _of_streams(kind: str) -> str:
    rule, example = RULES[kind], EXAMPLES[kind]
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


def _of_kernels(kind: str) -> str:
    rule = KERNEL_RULES[kind]
    example = f"\nFor example:\n\n    {rule.example}\n" if rule.example else ""
    return (
        f"{kind}, of a CUDA kernel\n"
        f"  rule      {rule.rule}\n"
        f"  found by  a run on the CPU, `vtac run --target cuda`\n"
        f"  to do     {rule.remedy}\n{example}"
    )


def _of_refusals(kind: str) -> str:
    refusal = REFUSALS[kind]
    where = f", where TEXT is\n\n{indent(TEXT, '    ')}" if refusal.needs_program else ":\n"
    error = message(refusal)
    return (
        f"{kind}, a refusal\n"
        f"  meaning   {refusal.meaning}\n"
        f"  to do     {refusal.remedy}\n"
        f"\nFor example{where}\n{indent(chr(10).join(refusal.example), '    ')}\n\n"
        f"gives\n\n{indent(refusal.said or str(error), '    ')}\n"
    )
