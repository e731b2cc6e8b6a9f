"""What a LOAD takes at least beside its beats: the bus itself, asked with every delay between two units."""

from __future__ import annotations

import pytest

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.cycles.bus import COMMAND_DELAY, ReadBus, Transfer
from vtac.targets.vta.cycles.load_time import load_end
from vtac.targets.vta.cycles.plan import LoadShape
from vtac.targets.vta.isa import Memory
from vtac.targets.vta.tuning.bound_starts import Starts

NARROW = VTAConfig(log_block=3, log_inp_buff_size=13, log_wgt_buff_size=14, log_acc_buff_size=15)
CONFIGS = [
    pytest.param(VTAConfig(), id="16x16"),
    pytest.param(NARROW, id="8x8: inputs no wider than the bus"),
    pytest.param(VTAConfig(log_block=5), id="32x32"),
]
BEATS = 5


def _beside(memory: Memory, element_bytes: int, others: int, before: int) -> int:
    """Cycles beside its beats of a LOAD that starts so long after another unit's of one burst of `others` beats."""
    timing = Timing.de10()
    bus, start = ReadBus(timing), 100 + before
    shape = LoadShape(memory, [BEATS], BEATS * timing.bus_bytes, 1, 1, 0, 0, 0, 0, timing.beat_delay(element_bytes))
    bus.request(Transfer("other", 0, 0, [others], 100 + COMMAND_DELAY))
    bus.serve()
    bus.request(Transfer("own", 1, 1, shape.bursts, start + COMMAND_DELAY))
    return load_end(shape, start, bus.serve().spans) - start - BEATS


@pytest.mark.parametrize("config", CONFIGS)
def test_the_least_is_reached_and_nothing_is_below(config: VTAConfig) -> None:
    starts = Starts(config)
    shortest = 1 if config.inp_element_bytes <= 8 else 2
    for memory, nbytes, others, least, first in (
        (Memory.INP, config.inp_element_bytes, 1, starts.inputs, starts.first_load),
        (Memory.WGT, config.wgt_element_bytes, 1, starts.weights, starts.first_load),
        (Memory.UOP, config.uop_element_bytes, shortest, starts.micro_ops, starts.first_micro_ops),
    ):
        taken = [_beside(memory, nbytes, others, before) for before in range(1, 40)]
        assert min(taken) == least
        assert taken[-1] == least + first


def test_behind_a_full_burst_one_cycle_is_spared() -> None:
    config = VTAConfig()
    taken = [_beside(Memory.UOP, config.uop_element_bytes, 16, before) for before in range(1, 40)]
    assert min(taken) == taken[-1] - 1


def test_elements_wider_than_the_bus_are_written_a_cycle_later() -> None:
    assert (Starts(NARROW).inputs, Starts(NARROW).weights) == (6, 7)
    assert (Starts(VTAConfig()).inputs, Starts(VTAConfig()).weights) == (7, 7)
