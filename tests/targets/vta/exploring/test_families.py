"""Machines take the tilings of the next larger ones."""

from __future__ import annotations

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.families import Families
from vtac.targets.vta.exploring.machines import Machine


def config(wgt: int, acc: int, block: int = 4) -> VTAConfig:
    return VTAConfig(log_block=block, log_wgt_buff_size=wgt, log_acc_buff_size=acc)


CONFIGS = [config(17, 16), config(18, 16), config(16, 17), config(18, 17), config(18, 17, 5)]


def families(*, share: bool) -> Families:
    machines = [Machine(one, Timing(memory_latency=latency)) for one in CONFIGS for latency in (16, 64)]
    return Families.of(machines, share=share)


def test_the_next_larger_machines_with_the_same_tiles_are_the_parents() -> None:
    found = families(share=True)
    assert found.parents == {
        config(18, 17): (),
        config(18, 16): (config(18, 17),),
        config(16, 17): (config(18, 17),),
        config(17, 16): (config(18, 16),),
        config(18, 17, 5): (),
    }


def test_a_machine_between_two_others_takes_from_both() -> None:
    square = [Machine(config(wgt, acc), Timing.de10()) for wgt in (17, 18) for acc in (16, 17)]
    found = Families.of(square, share=True)
    assert found.parents[config(17, 16)] == (config(17, 17), config(18, 16))
    assert next(iter(found.parents)) == config(18, 17)


def test_a_lineage_names_all_before() -> None:
    found = families(share=True)
    assert found.lineage(config(18, 17)) == found.lineage(config(18, 17, 5)) == ""
    lineages = [found.lineage(one) for one in CONFIGS[:3]]
    assert lineages[1] == lineages[2] != lineages[0]
    shorter = Families.of([Machine(one, Timing.de10()) for one in CONFIGS[:2]], share=True)
    assert shorter.lineage(CONFIGS[0]) not in ("", lineages[0])


def test_nobody_has_a_parent_who_does_not_share() -> None:
    assert set(families(share=False).parents.values()) == {()}
