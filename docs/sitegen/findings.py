"""The reference of findings, faults and refusals: what `vtac explain` says, its examples run."""

from __future__ import annotations

from sitegen.text import page, section, wrapped
from vtac.targets.cuda.cpu.kinds import KERNEL_RULES
from vtac.targets.vta.rules import RULES
from vtac.tools.commands.explain import explanation
from vtac.tools.refusals import REFUSALS


def findings_page() -> str:
    """Every kind of finding, fault and refusal."""
    intro = (
        "`kind` of an error or a finding is one of these words; `vtac explain KIND` prints the same in a shell. "
        "What an example gives is what it gave when this page was built."
    )
    kinds = sorted({*RULES, *KERNEL_RULES, *REFUSALS})
    return page(
        "Findings, faults, refusals",
        intro,
        *(section(2, kind, wrapped(explanation(kind))) for kind in kinds),
    )
