"""A directive is declared once: its operation; the API, the documentation and the rewrite follow."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from directive_programs import chain
from xdsl.irdl import irdl_op_definition, operand_def, prop_def

from vtac.dialects.schedule import DIRECTIVES, ForOp
from vtac.dialects.schedule.arguments import argument_names, directive_name
from vtac.dialects.schedule.script import I64, LOOP, DirectiveOp
from vtac.errors import ScheduleError
from vtac.passes.directives import Handles, rewrites
from vtac.schedule import Schedule

DOCS = Path(__file__).parents[3] / "docs"
REWRITING = [kind for kind in DIRECTIVES if not directive_name(kind).startswith("get_")]
VARIADIC = {"set_scope": ["target", "index_and_scope"]}
SHORT = {"block_name": "name", "loop_name": "name", "buffer_name": "name"}


@pytest.mark.parametrize("kind", DIRECTIVES, ids=directive_name)
def test_the_python_method_takes_what_the_operation_declares(kind: type[DirectiveOp]) -> None:
    name = directive_name(kind)
    parameters = list(inspect.signature(getattr(Schedule, name)).parameters)[1:]
    assert parameters == VARIADIC.get(name, [SHORT.get(what, what) for what in argument_names(kind)])
    assert inspect.getdoc(kind), f"{kind.name} says in no sentence what it does"


@pytest.mark.parametrize("kind", REWRITING, ids=directive_name)
def test_the_documentation_has_a_row(kind: type[DirectiveOp]) -> None:
    rows = [line for page in ("schedules.md", "tensor-cores.md") for line in (DOCS / page).read_text().splitlines()]
    assert any(line.startswith("|") and f"`{directive_name(kind)}(" in line for line in rows)


def test_the_documentation_has_no_row_too_many() -> None:
    table = (DOCS / "schedules.md").read_text().split("## Three rules")[0]
    named = set(re.findall(r"^\| .*?`(\w+)\(", table, re.MULTILINE))
    assert named <= {directive_name(kind) for kind in DIRECTIVES}


@irdl_op_definition
class StretchOp(DirectiveOp):
    """Run a loop so many times as often: a directive of another package."""

    name = "stretching.stretch"
    loop = operand_def(LOOP)
    times = prop_def(I64)
    assembly_format = "$loop `,` $times attr-dict"


@rewrites(StretchOp)
def stretch(op: StretchOp, handles: Handles) -> None:
    loop = handles.loop(op.loop, op)
    assert isinstance(loop, ForOp)
    loop.trip_count = loop.trip_count * op.times.value.data


def test_a_directive_of_another_package() -> None:
    schedule = Schedule(chain((8,), "a"))
    loop = schedule.get_loop(schedule.get_block("a"), 0)
    schedule.direct(StretchOp, loop=loop, times=3)
    assert "stretching.stretch %i0, 3" in str(schedule)
    assert "schedule.for %i0 = 0 to 24" in str(schedule.module)


def test_arguments_that_a_directive_does_not_take() -> None:
    schedule = Schedule(chain((8,), "a"))
    loop = schedule.get_loop(schedule.get_block("a"), 0)
    with pytest.raises(ScheduleError, match=r"^stretch: times is 'x'; an integer of 64 bits is required$"):
        schedule.direct(StretchOp, loop=loop, times="x")
    with pytest.raises(ScheduleError, match=r"^stretch: no argument 'factor'; the arguments are loop, times$"):
        schedule.direct(StretchOp, loop=loop, factor=3)


def test_a_directive_has_one_rewrite() -> None:
    with pytest.raises(ValueError, match=r"stretching\.stretch has two rewrites"):
        rewrites(StretchOp)(stretch)
