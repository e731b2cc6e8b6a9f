"""Instructions that differ in tokens and addresses only are looked at together, and found one by one."""

from __future__ import annotations

import numpy as np
import pytest
from checker_samples import CLEAN, checked, the_finding
from checker_streams import CONFIG
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.targets.vta.isa import assemble
from vtac.targets.vta.proof.stream import stream_of
from vtac.targets.vta.proof.tiles import Tiles
from vtac.targets.vta.proof.touches import meetings

_ADD = "alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1)"
_LOAD = "load.uop sram 0 <- dram 0x1400, 1 x 3 stride 3\n"


def test_tokens_and_addresses_do_not_tell_instructions_apart() -> None:
    text = """
load.inp sram 0 <- dram 0x100, 1 x 2 stride 2
load.inp sram 0 <- dram 0x140, 1 x 2 stride 2 push_next
load.inp sram 2 <- dram 0x100, 1 x 2 stride 2
load.wgt sram 0 <- dram 0x20, 1 x 2 stride 2
store.out sram 0 -> dram 0x400, 1 x 2 stride 2
store.out sram 0 -> dram 0x410, 1 x 2 stride 2
load.uop nop pop_prev
finish
"""
    stream = stream_of(assemble(text, CONFIG), CONFIG)
    assert list(stream.alike) == [0, 0, 2, 3, 4, 4, 6, 7]
    blocks = [stream.block(index) for index in range(8)]
    assert [(one.start, one.end) for one in blocks if one] == list(
        zip(stream.starts[:6].tolist(), stream.ends[:6].tolist(), strict=True)
    )
    assert blocks[0] is not None and blocks[1] == blocks[0]._replace(start=0x1400)


def test_each_of_several_is_found() -> None:
    far = "load.inp sram 2047 <- dram 0x100, 1 x 2 stride 2\n"
    found = [
        finding for finding in checked(CLEAN.replace("finish", f"{far}{far}finish")) if finding.kind == "sram-range"
    ]
    assert [finding.first for finding in found] == [5, 6]
    assert [finding.message.split()[1] for finding in found] == ["#5", "#6"]


@pytest.mark.parametrize("address", ["0x1401", "0x1402"])
def test_a_kernel_is_looked_at_again_when_a_part_of_its_micro_ops_is_loaded_anew(address: str) -> None:
    """The same words again change nothing; others lead elsewhere."""
    again = f"{_LOAD}load.uop sram 0 <- dram {address}, 1 x 1 stride 1\n"
    text = CLEAN.replace("alu.add", f"{_ADD}\n{again}alu.add")
    kinds = {finding.kind for finding in checked(text)}
    assert ("index-range" in kinds) == (address == "0x1402")
    assert ("unwritten" in kinds) == (address == "0x1401")
    assert checked(CLEAN.replace("alu.add", f"{_ADD}\n{_LOAD}alu.add")) == []


def test_a_load_of_inputs_from_where_a_store_writes_is_found_among_those_like_it() -> None:
    load = "load.inp sram {} <- dram {}, 1 x 1 stride 1\n"
    elsewhere = "".join(load.format(0, hex(0x100 + number)) for number in range(8))
    finding = the_finding(CLEAN.replace("alu.add", f"{elsewhere}{load.format(0, '0x403')}alu.add"), "dram-race")
    assert (finding.first, finding.second) == (10, 12)
    assert "store #12" in finding.message and "that load #10" in finding.message


_SETS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 90), st.integers(1, 10)).map(lambda run: slice(run[0], sum(run))),
        st.sets(st.integers(0, 99), min_size=1).map(lambda tiles: np.array(sorted(tiles), np.intp)),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60)
@given(_SETS, _SETS)
def test_sets_meet_where_they_have_a_tile_in_common(ones: list[Tiles], others: list[Tiles]) -> None:
    every = np.arange(100)
    expected = [[bool(np.isin(every[one], every[other]).any()) for other in others] for one in ones]
    assert [row.tolist() for row in meetings(ones, others, 100)] == expected
