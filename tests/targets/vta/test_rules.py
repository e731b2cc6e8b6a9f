"""The table of rules, and the two judges that use it: one rule, one kind, the same words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.targets.vta import rules
from vtac.targets.vta.isa import assemble

DEFAULT = vtac.VTAConfig()
ONCE = "for 1 (dst+0 src+0), for 1 (dst+0 src+0)"
UOPS = "load.uop sram 0 <- dram 0, 1 x 8 stride 8"
ACC = "load.acc sram 0 <- dram 4, 1 x 4 stride 4"
BROKEN = {
    "load.out sram 0 <- dram 0, 1 x 1 stride 1": "memory",
    "store.acc sram 0 -> dram 0, 1 x 1 stride 1": "memory",
    "load.acc8 sram 0 <- dram 0, 1 x 1 stride 1": "memory",
    "load.inp nop pop_prev": "dependence",
    "store.out sram 0 -> dram 0, 1 x 1 stride 1, pad 0 0 1 0": "pad",
    "load.inp sram 2047 <- dram 0, 1 x 2 stride 2": "sram-range",
    "load.uop sram 2047 <- dram 0, 1 x 2 stride 2": "uop-range",
    f"alu.add imm 0, uops 8191:8193, {ONCE}": "uop-range",
    "load.inp sram 0 <- dram 0, 0 x 2 stride 2, pad 1 0 0 0": "zero-rows",
    f"{UOPS}\nalu.add imm 0, uops 5:5, {ONCE}": "zero-trip",
    f"{UOPS}\n{ACC}\nalu.mul imm 2, uops 0:1, {ONCE}": "alu-opcode",
    f"{UOPS}\n{ACC}\nalu.shr imm 32, uops 0:1, {ONCE}": "shift",
    f"{UOPS}\n{ACC}\nalu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 3 (dst+1 src+0)": "immediate-source",
    f"{UOPS}\n{ACC}\nalu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 3 (dst+0 src+0)": "alu-hazard",
    f"{UOPS}\n{ACC}\nalu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 3000 (dst+1 src+1)": "index-range",
}


@pytest.mark.parametrize("lines", BROKEN)
def test_both_judges_say_the_same(lines: str) -> None:
    """The words behind the instruction's name are equal, though each judge finds them by its own code."""
    data, image = assemble(f"{lines}\nfinish", DEFAULT), np.zeros(4096, np.uint8)
    with pytest.raises(vtac.ExecutionError) as caught:
        vtac.execute(data, image.copy(), DEFAULT, strict=True)
    assert caught.value.kind == BROKEN[lines]
    words = caught.value.message.partition("): ")[2]
    # A loop's factors are in brackets too: the sentence begins behind the last of them.
    sentence = words.rpartition("): ")[2] or words
    found = [finding for finding in vtac.check(data, DEFAULT, dram=image) if finding.kind == BROKEN[lines]]
    assert any(finding.message.endswith(f"`: {sentence}") for finding in found), (sentence, found)


def test_every_kind_has_a_rule() -> None:
    """Kinds are spelt in the two judges; each stands in the table with its source and a remedy."""
    folder = Path(vtac.__file__).parent / "targets" / "vta"
    spelt = {
        kind
        for path in (*folder.glob("machine/*.py"), *folder.glob("proof/*.py"))
        for kind in rules.RULES
        if f'"{kind}"' in path.read_text()
    }
    assert set(rules.RULES) - spelt <= {"length", "opcode"}
    assert all(rule.rule and rule.source and rule.remedy for rule in rules.RULES.values())
