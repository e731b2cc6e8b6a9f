"""Rules of the checker for what instructions leave to each other: values, tokens and races, and their findings."""

from __future__ import annotations

import pytest
from checker_rules import Case, assert_found
from checker_samples import CLEAN, PRODUCT

from vtac.targets.vta.proof import Finding

CASES = {
    "hazard": Case(
        CLEAN,
        "for 4 (dst+1 src+1)",
        "for 4 (dst+0 src+0)",
        Finding(
            "alu-hazard",
            2,
            None,
            "acc",
            (0, 1),
            "a tile operation reads ACC tile 0, which the one right before it writes; the hardware needs another",
        ),
    ),
    "unwritten micro-op": Case(
        CLEAN,
        "uops 0:1",
        "uops 3:4",
        Finding("unwritten", 2, None, "uop", (3, 4), "reads micro-op 3, which nothing before it has written"),
    ),
    "unwritten accumulators": Case(
        CLEAN,
        "dram 0xc0, 1 x 4 stride 4",
        "dram 0xc0, 1 x 2 stride 2",
        Finding("unwritten", 2, None, "acc", (2, 4), "reads acc tiles 2 to 3, which nothing before it has written"),
    ),
    "unwritten weights": Case(
        PRODUCT,
        "load.wgt sram 0 <-",
        "load.wgt sram 1 <-",
        Finding(
            "unwritten",
            4,
            None,
            "wgt",
            (0, 1),
            (
                "compute #4 `gemm uops 0:1, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0) push_prev "
                "push_next` reads wgt tile 0"
            ),
        ),
    ),
    "store of a loaded tile": Case(
        CLEAN,
        "for 4 (dst+1 src+1)",
        "for 3 (dst+1 src+1)",
        Finding(
            "store-source",
            1,
            3,
            "acc",
            (3, 4),
            (
                "stores acc tile 3, which no GEMM or ALU wrote after a load or reset; an ALU instruction must pass "
                "over first; compute #1 `load.acc sram 0 <- dram 0xc0, 1 x 4 stride 4` is the last that wrote there"
            ),
        ),
    ),
    "no FINISH": Case(
        CLEAN,
        "finish\n",
        "",
        Finding("finish", None, None, None, None, "the stream has no FINISH; it must be the last instruction"),
    ),
    "FINISH twice": Case(
        CLEAN,
        "finish\n",
        "finish\nfinish\n",
        Finding("finish", 5, 6, None, None, "compute #6 `finish` stands after the FINISH at 5, which must be last"),
    ),
    "nothing waits for the store": Case(
        CLEAN,
        "stride 4 pop_prev push_prev\nload.uop nop pop_next",
        "stride 4 pop_prev",
        Finding(
            "finish",
            3,
            4,
            None,
            None,
            (
                "may end the run before store #3 `store.out sram 0 -> dram 0x400, 1 x 4 stride 4 pop_prev` is done: "
                "a token from store to compute after #3 and before #4 is missing"
            ),
        ),
    ),
    "token left": Case(
        CLEAN,
        "alu.add imm 1",
        "load.uop nop push_next\nalu.add imm 1",
        Finding("tokens", 3, None, "g2s", None, "queue g2s keeps 1 token after FINISH;"),
    ),
    "no token comes": Case(
        CLEAN,
        "(dst+1 src+1) push_next",
        "(dst+1 src+1)",
        Finding(
            "deadlock",
            3,
            None,
            "g2s",
            None,
            (
                "waits on queue g2s for token 1, which nothing pushes: the compute unit pushes 0 in all, a push_next "
                "on a compute instruction is missing"
            ),
        ),
    ),
    "circular wait": Case(
        CLEAN,
        "(dst+1 src+1) push_next",
        "(dst+1 src+1) pop_next push_next",
        Finding(
            "deadlock",
            2,
            3,
            "s2g",
            None,
            (
                "waits on queue s2g for token 1, which store #3 `store.out sram 0 -> dram 0x400, 1 x 4 stride 4 "
                "pop_prev push_prev` would push; store #3"
            ),
        ),
    ),
    "race with an earlier write": Case(
        PRODUCT,
        (
            "1 x 1 stride 1 push_next\ngemm.reset uops 0:1, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0) "
            "pop_prev"
        ),
        "1 x 1 stride 1\ngemm.reset uops 0:1, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)",
        Finding(
            "race",
            1,
            4,
            "inp",
            (0, 1),
            "in no fixed order: a token from load to compute after #1 and before #4 is missing",
        ),
    ),
    "race with a later write": Case(
        PRODUCT,
        "wgt+0) push_prev push_next\nload.inp sram 0 <- dram 0x101, 1 x 1 stride 1 pop_next",
        "wgt+0) push_next\nload.inp sram 0 <- dram 0x101, 1 x 1 stride 1",
        Finding(
            "race",
            4,
            5,
            "inp",
            (0, 1),
            "in no fixed order: a token from compute to load after #4 and before #5 is missing",
        ),
    ),
    "race of a store": Case(
        CLEAN,
        "push_prev\nload.uop nop pop_next",
        "push_prev\nalu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1)\nload.uop nop pop_next",
        Finding(
            "race",
            3,
            4,
            "acc",
            (0, 4),
            "in no fixed order: a token from store to compute after #3 and before #4 is missing",
        ),
    ),
    "store over what a load reads": Case(
        PRODUCT,
        "store.out sram 0 -> dram 0x400",
        "store.out sram 0 -> dram 0x101",
        Finding(
            "dram-race",
            5,
            6,
            "dram",
            (4112, 4128),
            (
                "reads, in no fixed order: a token from load to compute and on to store after #5 and before #6 is "
                "missing"
            ),
        ),
    ),
    "store over micro-ops": Case(
        CLEAN,
        "finish",
        (
            "load.uop sram 0 <- dram 0x1000, 1 x 1 stride 1\nalu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 4 "
            "(dst+1 src+1)\nfinish"
        ),
        Finding(
            "micro-ops-unknown",
            5,
            6,
            "uop",
            (0, 1),
            (
                "loads them and store #3 `store.out sram 0 -> dram 0x400, 1 x 4 stride 4 pop_prev push_prev` may "
                "write them before compute #5"
            ),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_rule_has_its_finding(case: Case) -> None:
    assert_found(case)
