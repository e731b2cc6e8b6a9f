"""Every rule of the checker: a clean program, one line of it changed, and the finding that this makes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from checker_samples import CLEAN, PRODUCT, the_finding

from vtac.targets.vta.proof import Finding


@dataclass(frozen=True)
class Case:
    """A piece of a program, what replaces it, and the finding; of its message, a part."""

    program: str
    piece: str
    instead: str
    finding: Finding


CASES = {
    "load has no previous unit": Case(
        PRODUCT,
        "load.inp sram 0 <- dram 0x100, 1 x 1 stride 1",
        "load.inp sram 0 <- dram 0x100, 1 x 1 stride 1 push_prev",
        Finding(
            "dependence", 1, None, None, None, "the load unit has no previous unit; pop_prev and push_prev must be 0"
        ),
    ),
    "STORE with pads": Case(
        CLEAN,
        "store.out sram 0 -> dram 0x400, 1 x 4 stride 4",
        "store.out sram 0 -> dram 0x400, 1 x 4 stride 4, pad 0 0 0 1",
        Finding("pad", 3, None, None, None, "a STORE has no pads; all four must be 0"),
    ),
    "ACC_8BIT": Case(
        CLEAN,
        "load.acc sram 0 <- dram 0xc0",
        "load.acc8 sram 0 <- dram 0x300",
        Finding("memory", 1, None, None, None, "the hardware does not decode ACC_8BIT; load i32 into ACC"),
    ),
    "load of OUT": Case(
        CLEAN,
        "load.acc sram 0 <- dram 0xc0",
        "load.out sram 0 <- dram 0xc0",
        Finding("memory", 1, None, None, None, "memory id OUT cannot be loaded"),
    ),
    "store of INP": Case(
        CLEAN,
        "store.out",
        "store.inp",
        Finding("memory", 3, None, None, None, "memory id INP cannot be stored; STORE reads OUT only"),
    ),
    "no rows": Case(
        CLEAN,
        "dram 0xc0, 1 x 4 stride 4",
        "dram 0xc0, 0 x 4 stride 4, pad 2 0 0 0",
        Finding("zero-rows", 1, None, None, None, "y_size is 0 and x_size is not; the hardware never finishes"),
    ),
    "beyond ACC": Case(
        CLEAN,
        "load.acc sram 0 <-",
        "load.acc sram 2046 <-",
        Finding("sram-range", 1, None, "acc", (2046, 2050), "the block ends at SRAM element 2050; the memory holds"),
    ),
    "micro-ops beyond the hardware's memory": Case(
        CLEAN,
        "load.uop sram 0 <-",
        "load.uop sram 2046 <-",
        Finding(
            "uop-range",
            0,
            None,
            "uop",
            (2046, 2049),
            "micro-ops end at 2049; the hardware's UOP memory holds 2048, whatever the configuration says",
        ),
    ),
    "beyond the image": Case(
        CLEAN,
        "dram 0x400, 1 x 4",
        "dram 0x5fd, 1 x 4",
        Finding(
            "dram-range",
            3,
            None,
            "dram",
            (24528, 24592),
            "touches DRAM bytes 24528 to 24591; the memory image has 24576 bytes",
        ),
    ),
    "no micro-ops": Case(
        CLEAN,
        "uops 0:1",
        "uops 1:1",
        Finding("zero-trip", 2, None, None, None, "a loop or the micro-op range is empty; the hardware would"),
    ),
    "no iterations": Case(
        CLEAN,
        "for 4 (",
        "for 0 (",
        Finding("zero-trip", 2, None, None, None, "a loop or the micro-op range is empty; the hardware would"),
    ),
    "micro-ops beyond the memory": Case(
        CLEAN,
        "uops 0:1",
        "uops 0:8193",
        Finding("uop-range", 2, None, "uop", (0, 8193), "micro-ops end at 8193; the UOP memory holds 8192"),
    ),
    "index beyond the memory": Case(
        CLEAN,
        "uops 0:1",
        "uops 2:3",
        Finding(
            "index-range",
            2,
            None,
            "acc",
            (2048, 2051),
            ("dst reaches index 2050; ACC holds 2048 elements, and the hardware wraps around"),
        ),
    ),
    "multiplication": Case(
        CLEAN,
        "alu.add",
        "alu.mul",
        Finding("alu-opcode", 2, None, None, None, "the hardware has no MUL"),
    ),
    "shift": Case(
        CLEAN,
        "alu.add imm 1",
        "alu.shr imm -32",
        Finding(
            "shift",
            2,
            None,
            None,
            None,
            "shift by -32; the hardware shifts by the low 5 bits, so -31 to 31",
        ),
    ),
    "immediate source": Case(
        CLEAN,
        "for 4 (dst+1 src+1)",
        "for 4 (dst+1 src+0)",
        Finding(
            "immediate-source",
            2,
            None,
            "acc",
            (0, 1),
            ("it has an immediate and src differs from dst; the hardware reads src"),
        ),
    ),
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
    assert case.program.count(case.piece) == 1
    expected = case.finding
    found = the_finding(case.program.replace(case.piece, case.instead), expected.kind)
    assert (found.first, found.second) == (expected.first, expected.second)
    assert (found.buffer, found.range) == (expected.buffer, expected.range)
    assert expected.message in found.message
