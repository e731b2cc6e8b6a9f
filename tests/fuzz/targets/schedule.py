"""Random directives: accepted ones keep the numbers, refused ones change nothing, the printed script replays."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import cast

import numpy as np
from directive_programs import PROGRAMS, chain
from numpy.typing import NDArray
from programs import SmallConv
from random_schedules import RandomDirectives
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from fuzz.case import Payload
from fuzz.outcome import MismatchError, Outcome
from fuzz.reduction import smaller_numbers
from fuzz.targets.linalg import printed_form
from vtac.compiler import lower
from vtac.dialects.schedule.declared import RESULT
from vtac.evaluate import evaluate
from vtac.evaluate.buffers import element_type, shape_of_type
from vtac.evaluate.functions import function_of
from vtac.evaluate.numbers import dtype_of
from vtac.schedule import Schedule

SOURCES = {
    **PROGRAMS,
    "conv": SmallConv(2, 2, 4, 5).text(),
    "strided": SmallConv(1, 2, 5, 5, stride=2).text(),
    "chain": chain((3, 5), "a", "b", "c"),
}


class ScheduleTarget:
    name = "schedule"
    features = ("many", "replay")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        return {
            "program": random.choice(sorted(SOURCES)),
            "seed": random.randrange(1 << 30),
            "count": random.randint(10, 40) if "many" in features else random.randint(1, 10),
        }

    def judge(self, payload: Payload) -> Outcome:
        source = SOURCES[cast(str, payload["program"])]
        schedule = Schedule(source)
        arrays = _arguments(schedule.module)
        want = _results(schedule.module, arrays)
        applied: list[str] = []
        for name in RandomDirectives(schedule, cast(int, payload["seed"])).apply(cast(int, payload["count"])):
            applied.append(name)
            found = _results(schedule.module, arrays)
            if any((a != b).any() for a, b in zip(want, found, strict=True)):
                raise MismatchError("payload after a directive", f"{' '.join(applied)}: the numbers differ")
        replayed = _replayed(source, schedule)
        if _functions(replayed) != _functions(schedule.module):
            raise MismatchError(
                "script against schedule", f"{' '.join(applied)}: replayed, the script gives another payload"
            )
        reach = tuple(sorted({f"directive {name}" for name in applied}))
        return Outcome("accepted" if applied else "refused", reach=reach)

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for count in smaller_numbers(cast(int, payload["count"])):
            yield {**payload, "count": count}


def _functions(module: ModuleOp) -> list[str]:
    """The functions of a module as text, whatever hardware it states."""
    return [printed_form(ModuleOp([op.clone()])) for op in module.ops if isinstance(op, FuncOp)]


def _replayed(source: str, schedule: Schedule) -> ModuleOp:
    return lower(source, schedule=f"{schedule}\n", phase="scheduled")


def _arguments(module: ModuleOp) -> list[NDArray[np.generic]]:
    """Random arrays for a payload's arguments, those of its results left out."""
    function = function_of(module)
    rng = np.random.default_rng(0)
    return [
        rng.integers(-100, 100, shape_of_type(kind)).astype(dtype_of(element_type(kind)))
        for position, kind in enumerate(function.function_type.inputs)
        if not RESULT.of_argument(function, position)
    ]


def _results(module: ModuleOp, arrays: list[NDArray[np.generic]]) -> tuple[NDArray[np.generic], ...]:
    found = evaluate(module, *arrays)
    return found if isinstance(found, tuple) else (found,)


TARGET = ScheduleTarget()
