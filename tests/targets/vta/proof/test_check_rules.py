"""Rules of the checker for one instruction, its micro-ops and places: what breaks each, and the finding."""

from __future__ import annotations

import pytest
from checker_rules import Case, assert_found
from checker_samples import CLEAN, PRODUCT

from vtac.targets.vta.proof import Finding

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
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_rule_has_its_finding(case: Case) -> None:
    assert_found(case)
