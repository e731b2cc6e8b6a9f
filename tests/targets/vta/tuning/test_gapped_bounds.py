"""Bounds and roofs of products whose sums are pooled in steps beyond the windows: what lies between is not computed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.analysis.ir.device_functions import device_functions
from vtac.dialects.hardware import VTAConfig
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.preparation import prepare
from vtac.schedule import Schedule
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.linking.plain import split_plain
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.roof import roof
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.target import VTA
from vtac.targets.vta.tuning.space import Space, space_of
from vtac.targets.vta.tuning.trials import Job, measure

_FIRST = (Path(__file__).parents[3] / "passes/vta/pool_accumulators.mlir").read_text().split("// A sum that may")[0]


@cache
def pooled(side: int, window: int, stride: int) -> tuple[str, Layer, Space]:
    """A product of 1x1 on an image of that side, pooled; its module, layer and space."""
    size = (side - window) // stride + 1
    text = _FIRST.replace("<2x2xi8>", f"<{window}x{window}xi8>").replace(
        "strides = dense<2>", f"strides = dense<{stride}>"
    )
    text = text.replace("x8x8x", f"x{side}x{side}x").replace("x4x4x", f"x{size}x{size}x")
    module = prepare(text, VTA)
    split_plain(module, phase="owned")
    alone = isolated(device_functions(module)[0], module)
    (layer,) = layers_of(Schedule(alone))
    return str(alone), layer, space_of(layer, VTAConfig())


def assert_bounded(text: str, layer: Layer, space: Space, place: int) -> None:
    """Compare one member of a space with its program."""
    member, limit = space.member(place), roof(layer, VTAConfig())
    (outcome,) = measure([Job(text, member.tiling, Timing.de10())])
    assert outcome.status == "ok", outcome.message
    assert max(member.least_cycles, limit.cycles) <= outcome.cycles
    assert max(member.least_bytes, limit.nbytes) <= outcome.nbytes


@settings(max_examples=14)
@given(st.sampled_from([9, 10, 13, 17]), st.integers(1, 3), st.integers(1, 5), st.integers(0, 10**9))
def test_no_program_goes_below(side: int, window: int, stride: int, number: int) -> None:
    text, layer, space = pooled(side, window, stride)
    assert layer.contraction is not None
    assert_bounded(text, layer, space, number % len(space))


def test_sums_between_two_tiles_are_not_counted() -> None:
    text, layer, space = pooled(9, 1, 3)
    single = next(
        number for number, one in enumerate(space.tilings.listed()) if one.tile == (1, 1, 1, 1) and one.inp == 1
    )
    assert_bounded(text, layer, space, single)
    assert roof(layer, VTAConfig()).cycles < 9 * 9 * 10


def test_a_copy_that_one_tile_at_a_time_spares_is_none_of_the_roof() -> None:
    _, layer, _ = pooled(9, 1, 3)
    assert {stage.spared for stage in layer.stages if stage.kind == "alu"} == {(0, 0), (3, 2)}
    assert all(stage.least_alu >= 0 and stage.least_kernels >= 0 for stage in layer.stages)
