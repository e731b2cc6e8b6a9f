"""Which schedule a device function gets."""

from __future__ import annotations

import pytest
from plain_programs import PlainConv, run_against_numpy

from vtac.interpreter.check import Finding
from vtac.packing import kernels
from vtac.schedule import Schedule


def refuse(*_: object) -> Schedule:
    raise AssertionError("the simple schedule was asked for")


@pytest.mark.parametrize(
    ("kernel", "stride", "pads"),
    [
        ((3, 3), 1, (1, 1, 1, 1)),
        ((1, 1), 2, (0, 0, 0, 0)),
        ((3, 1), 3, (2, 1, 0, 2)),
        ((1, 3), 2, (1, 1, 3, 0)),
        ((1, 2), 3, (3, 3, 3, 2)),
    ],
)
def test_convolutions_get_the_default(
    kernel: tuple[int, int], stride: int, pads: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a window of one element steps over padding, whose iterations are left out."""
    monkeypatch.setattr(kernels, "simple_schedule", refuse)
    run_against_numpy(PlainConv(height=8, width=9, kernel=kernel, stride=stride, pads=pads).text())


def test_several_results_get_the_simple_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    simple = kernels.simple_schedule

    def counted(*arguments: object) -> Schedule:
        asked.append(1)
        return simple(*arguments)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(kernels, "simple_schedule", counted)
    run_against_numpy(PlainConv(tail=None).text())
    assert asked == [1]


def test_a_default_that_is_not_proven_safe_is_replaced_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("race", 3, 5, "INP", (0, 4), "a planted finding")

    def findings(_: object, *, acc_8bit: bool) -> list[Finding]:
        return [finding]

    monkeypatch.setattr(kernels, "check", findings)
    program = run_against_numpy(PlainConv(pads=(1, 1, 1, 1)).text())
    assert program.choices == (
        "layer_0: scheduled one tile after the other, as the default is not proven safe (race: a planted finding)",
    )
