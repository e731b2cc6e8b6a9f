"""What a run and a machine cost by a table of energies and areas: counts times what each thing takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import log2
from pathlib import Path
from typing import cast

from vtac.errors import VtacError
from vtac.files.reading import RECORD_BYTES, read_regular
from vtac.targets.vta.exploring.machines import Machine
from vtac.text.short import short_name


@dataclass(frozen=True)
class CostTable:
    """Picojoules of one event each, and square micrometres of one thing each.

    `multiply`: an 8-bit product; `add`: a 32-bit sum, of GEMM or ALU; `dram_byte`: a byte to or from memory;
    `sram_8k`, `sram_32k`, `sram_1m`: 8 bytes read from or written to a memory of 8 KiB, 32 KiB and 1 MiB; others lie
    on the power of the size that goes through the two next to them, about its square root. A wider access counts as
    several. `multiplier_area`, `adder_area`, `sram_bit_area`. `source` says where
    the numbers are from.
    """

    source: str
    multiply: float
    add: float
    dram_byte: float
    sram_8k: float
    sram_32k: float
    sram_1m: float
    multiplier_area: float
    adder_area: float
    sram_bit_area: float

    def sram_byte(self, nbytes: int) -> float:
        """Picojoules of a byte of a memory of that size."""
        known = ((13.0, self.sram_8k), (15.0, self.sram_32k), (20.0, self.sram_1m))
        at = log2(nbytes)
        (small, least), (large, most) = known[:2] if at <= known[1][0] else known[1:]
        share = (at - small) / (large - small)
        if least > 0 and most > 0:
            return least * (most / least) ** share / 8
        return max(0.0, least + share * (most - least)) / 8


HOROWITZ_45NM = CostTable(
    source="energies: M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014, pp. 10-14: "
    "45 nm, 0.9 V; areas of arithmetic (45 nm): unconfirmed, as others quote them; an SRAM cell, second-hand: "
    "K. Mistry et al., IEDM 2007, pp. 247-250 (Intel 45 nm)",
    multiply=0.2,
    add=0.1,
    dram_byte=162.5,
    sram_8k=10.0,
    sram_32k=20.0,
    sram_1m=100.0,
    multiplier_area=282.0,
    adder_area=137.0,
    sram_bit_area=0.346,
)
"""The table that is used when none is given."""


_MOST = 10**12
"""Of any field: no event takes a joule, and no part a square metre."""


def read_table(path: str | Path) -> CostTable:
    """A table from a JSON object with its fields. Raises `VtacError`."""
    try:
        found: object = json.loads(read_regular(Path(path), RECORD_BYTES))
    except OSError as error:
        raise VtacError(f"cannot read the table {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise VtacError(
            f"{path} is no table: {error}; give a JSON object with the fields of docs/exploring.md"
        ) from None
    values = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    names = [field.name for field in fields(CostTable)]
    missing, unknown = [name for name in names if name not in values], sorted({*values} - {*names})
    if missing:
        raise VtacError(f"{path}: {', '.join(missing)} missing; a table has all fields, as they belong together")
    if unknown:
        raise VtacError(f"{path}: nothing is called '{unknown[0]}'; the fields are {', '.join(names)}")
    for name, value in values.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST
        if not (isinstance(value, str) if name == "source" else is_number):
            wanted = "text" if name == "source" else f"number from 0 to {_MOST:,}"
            raise VtacError(f"{path}: {name} is {short_name(repr(value), 40)}; a {wanted} is required")
    return CostTable(**values)  # pyright: ignore[reportArgumentType]


def energy_of(counts: Mapping[str, int], machine: Machine, table: CostTable) -> float:
    """Microjoules of a run: products, sums, tiles read from and written to SRAM, and bytes of DRAM.

    A GEMM step reads a tile of INP and WGT and reads and writes one of ACC; an ALU step reads up to two tiles of ACC,
    of which one is counted, and writes one. What is loaded is written to SRAM once, what is stored read once.
    """
    config = machine.config
    gemm, alu = counts["gemm_counter"], counts["alu_counter"]
    lanes = config.batch * config.block_out
    moved = {
        "inp": gemm * config.inp_element_bytes + counts["inp_load_nbytes"],
        "wgt": gemm * config.wgt_element_bytes + counts["wgt_load_nbytes"],
        "acc": 2 * (gemm + alu) * config.acc_element_bytes + counts["acc_load_nbytes"] + counts["out_store_nbytes"],
        "uop": (gemm + alu) * config.uop_element_bytes + counts["uop_load_nbytes"],
    }
    picojoules = gemm * machine.multipliers * (table.multiply + table.add) + alu * lanes * table.add
    for name, nbytes in moved.items():
        picojoules += nbytes * table.sram_byte(1 << int(getattr(config, f"log_{name}_buff_size")))
    dram = sum(value for name, value in counts.items() if name.endswith("_nbytes"))
    return (picojoules + dram * table.dram_byte) / 1e6


def area_of(machine: Machine, table: CostTable) -> float:
    """Square millimetres of multipliers, adders, ALU lanes and memory cells; wires and control are none of it."""
    lanes = machine.config.batch * machine.config.block_out
    arithmetic = machine.multipliers * (table.multiplier_area + table.adder_area) + lanes * table.adder_area
    return (arithmetic + machine.sram_bytes * 8 * table.sram_bit_area) / 1e6
