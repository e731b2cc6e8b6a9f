"""Printed payloads and scripts parse back to the same text, in custom and in generic syntax."""

from __future__ import annotations

from io import StringIO

import pytest
from directive_programs import PROGRAMS
from random_schedules import RandomDirectives
from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer

import vtac
from vtac.schedule import Schedule


def generic(module: ModuleOp) -> str:
    text = StringIO()
    Printer(text, print_generic_format=True).print_op(module)
    return text.getvalue()


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(4))
def test_roundtrip(name: str, seed: int) -> None:
    schedule = Schedule(PROGRAMS[name])
    for _ in RandomDirectives(schedule, seed).apply(12):
        pass
    schedule.module.body.block.add_op(schedule.script)
    custom, plain = str(schedule.module), generic(schedule.module)
    assert str(vtac.parse(f"{custom}\n")) == custom
    parsed = vtac.parse(f"{plain}\n")
    assert generic(parsed) == plain
    assert str(parsed) == custom
