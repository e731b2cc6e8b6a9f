"""More memory never needs to be slower: where a point is, a note names the one that it could be as fast as."""

from __future__ import annotations

from dataclasses import replace

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.energy import HOROWITZ_45NM
from vtac.targets.vta.exploring.machines import Machine
from vtac.targets.vta.exploring.overtaken import overtaken, said_of_overtaken
from vtac.targets.vta.exploring.point import Figures, Point
from vtac.targets.vta.exploring.sweep import Sweep
from vtac.targets.vta.machine.counters import COUNTER_NAMES


def _point(cycles: int, *, inp: int = 15, wgt: int = 18, block: int = 4, timing: Timing | None = None) -> Point:
    config = VTAConfig(log_inp_buff_size=inp, log_wgt_buff_size=wgt, log_block=block)
    figures = Figures("net", cycles, 10, dict.fromkeys(COUNTER_NAMES, 0), limit="loads", macs=1)
    return Point(Machine(config, timing or Timing.de10()), (figures,), HOROWITZ_45NM)


def test_a_point_with_more_memory_is_named_with_the_fastest_below_it() -> None:
    small, middle, large = _point(90, inp=13), _point(100, inp=14), _point(95)
    assert overtaken([small, middle, large]) == [(middle, small), (large, small)]
    assert overtaken([large, small]) == [(large, small)]


def test_what_is_smaller_in_one_memory_and_larger_in_another_says_nothing() -> None:
    assert overtaken([_point(90, inp=14, wgt=17), _point(100, inp=13, wgt=18)]) == []


def test_other_tiles_and_other_buses_are_not_compared() -> None:
    wide = replace(Timing.de10(), bus_bytes=16)
    assert overtaken([_point(100), _point(90, inp=13, block=5), _point(80, inp=13, timing=wide)]) == []


def test_table_and_page_say_so() -> None:
    small, large = _point(90, inp=13), _point(180)
    sweep = Sweep(("net",), (small, large), HOROWITZ_45NM)
    said = (
        "one point takes more cycles than one with the same tiles and no larger memories, most of all 1x16 uop 32 inp "
        "32 wgt 256 acc 128 KiB (180) than 1x16 uop 32 inp 8 wgt 256 acc 128 KiB (90), whose tilings fit there, too: "
        "tilings are chosen by estimates, and more memory allows more of them; vtac tune --config FILE searches on"
    )
    assert said_of_overtaken(overtaken(sweep.points)) == said
    assert f"{said}\n" in str(sweep)
    assert f"<p>{said}.</p>" in sweep.to_html()
    assert "no larger memories" not in str(Sweep(("net",), (small,), HOROWITZ_45NM))


def test_networks_are_listed_as_people_do() -> None:
    sweeps = [Sweep(tuple("abc"[:count]), (_point(1),), HOROWITZ_45NM) for count in (1, 2, 3)]
    assert [sweep.title for sweep in sweeps] == ["a", "a and b", "a, b and c"]
    assert "1 machine<" in sweeps[0].to_html()
    assert "<p>1 point, of both measures" in sweeps[0].to_html()
