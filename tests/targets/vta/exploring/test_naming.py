"""Machines are called by all of their parts, or by those in which they differ; no name is cut."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.machines import Machine
from vtac.targets.vta.exploring.naming import full_name, short_names

PLAIN = Machine(VTAConfig(), Timing.de10())


def test_a_full_name_has_all_memories_and_what_is_unlike_the_default() -> None:
    assert full_name(PLAIN) == "1x16 uop 32 inp 32 wgt 256 acc 128 KiB"
    other = Machine(replace(PLAIN.config, log_block_in=5, queue_depth=64), replace(PLAIN.timing, memory_latency=0))
    assert full_name(other) == "1x32x16 uop 32 inp 32 wgt 256 acc 128 KiB, latency 0, queue_depth 64"


def test_short_names_say_what_differs_and_what_is_common() -> None:
    wide, small = (
        replace(PLAIN, timing=replace(PLAIN.timing, bus_bytes=16)),
        replace(PLAIN, config=replace(PLAIN.config, log_wgt_buff_size=16)),
    )
    names, common = short_names([PLAIN, small])
    assert (names, common) == (["wgt 256 KiB", "wgt 64 KiB"], "1x16 uop 32 inp 32 acc 128 KiB")
    names, common = short_names([PLAIN, wide])
    assert (names, common) == (["bus_bits 64", "bus_bits 128"], "1x16 uop 32 inp 32 wgt 256 acc 128 KiB")
    names, common = short_names([wide, replace(wide, config=small.config)])
    assert (names, common) == (["wgt 256 KiB", "wgt 64 KiB"], "1x16 uop 32 inp 32 acc 128 KiB, bus_bits 128")


def test_one_machine_has_its_full_name() -> None:
    assert short_names([PLAIN]) == ([full_name(PLAIN)], "")
    assert short_names([]) == ([], "")


@given(st.lists(st.tuples(st.integers(10, 15), st.integers(13, 18), st.sampled_from([0, 16, 64])), unique=True))
def test_no_two_machines_have_one_name(sizes: list[tuple[int, int, int]]) -> None:
    machines = [
        Machine(
            replace(PLAIN.config, log_inp_buff_size=inp, log_wgt_buff_size=wgt),
            replace(PLAIN.timing, memory_latency=latency),
        )
        for inp, wgt, latency in sizes
    ]
    names, _ = short_names(machines)
    assert len(set(names)) == len({full_name(machine) for machine in machines}) == len(machines)
