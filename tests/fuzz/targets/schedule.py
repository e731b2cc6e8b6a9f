"""Random directives: accepted ones keep the numbers, refused ones change nothing, the printed script replays.

They stand alone, or among those of a default schedule, up to the whole of it; what is complete is compiled and run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import cast

import numpy as np
from contraction_programs import convolution
from directive_programs import PROGRAMS, chain
from programs import SmallConv
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

import vtac
from fuzz.case import Json, Payload
from fuzz.directives import MOVES, AnyDirectives, GrowingSchedule
from fuzz.networks import Array
from fuzz.oracles import as_tuple, compare, printed_form
from fuzz.outcome import MismatchError, Outcome
from fuzz.reduction import smaller_numbers, without_chunks
from fuzz.targets.cuda import matmul_text
from vtac.compiler import lower
from vtac.dialects.schedule.declared import RESULT
from vtac.dialects.schedule.script import ScriptOp
from vtac.evaluate import evaluate
from vtac.evaluate.buffers import element_type, shape_of_type
from vtac.evaluate.functions import function_of
from vtac.evaluate.numbers import dtype_of
from vtac.targets.registry import find_target
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.matmul import Matmul
from vtac.workloads.vadd import VectorAdd

SMALL = {
    **PROGRAMS,
    "conv": SmallConv(2, 2, 4, 5).text(),
    "strided": SmallConv(1, 2, 5, 5, stride=2).text(),
    "chain": chain((3, 5), "a", "b", "c"),
}
"""Programs that no machine takes as they are."""
MAPPED = {
    "vta vadd": VectorAdd(channels=96).text(),
    "vta matmul": Matmul(in_features=32, out_features=48).text(),
    "vta conv": Conv2D(height=4, width=3, in_channels=16, out_channels=32).text(),
    "cuda matmul": matmul_text(16, 32, 32),
    "cuda transposed": matmul_text(16, 32, 16, "i8", transposed=True),
    "cuda conv": convolution("nhwc_hwcf", (1, 8, 3, 4), 16, (3, 3), pad=1, bias=True, relu=True).text(),
    "cuda strided": convolution("nchw_fchw", (2, 3, 6, 5), 7, (2, 3), stride=2, narrow=True).text(),
}
"""Programs that have a default schedule, for the target that their name begins with."""


@cache
def default_script(program: str) -> ScriptOp:
    """The default schedule of one of `MAPPED`."""
    (schedule,) = find_target(program.split(maxsplit=1)[0]).schedules(vtac.parse(MAPPED[program]))
    return schedule.script


_VARIED = 0.15
"""Of a default schedule's directives so many have one of the same name, with arguments of its own, before them."""


class ScheduleTarget:
    name = "schedule"
    features = ("many", "mapped", *MOVES)

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        names = [name for name in MOVES if name in features] or ["split", "reorder", "compute_at"]
        mapped = "mapped" in features and random.random() < 0.7
        program = random.choice(sorted(MAPPED if mapped else SMALL))
        length = len(list(default_script(program).body.block.ops)) if mapped else 0
        return {
            "program": program,
            "seed": random.randrange(1 << 30),
            "directives": cast(Json, names),
            "count": random.randint(8, 30) if "many" in features and not mapped else random.randint(1, 4),
            "followed": random.choice([length, length, random.randint(0, length)]),
        }

    def judge(self, payload: Payload) -> Outcome:
        program = cast(str, payload["program"])
        source = MAPPED.get(program) or SMALL[program]
        module = GrowingSchedule(source).module
        arrays = arguments(module)
        want = as_tuple(evaluate(module, *arrays))
        names = [f"result {number}" for number in range(len(want))]
        accepted, refused = Counter[str](), Counter[str]()
        schedule = _scheduled(payload, source, accepted, refused)
        try:
            compare("payload after directives", names, want, as_tuple(evaluate(schedule.module, *arrays)))
        except MismatchError:
            _scheduled(payload, source, Counter(), Counter(), (names, want, arrays))
            raise
        replayed = lower(
            source, program.split()[0] if program in MAPPED else "vta", schedule=f"{schedule}\n", phase="scheduled"
        )
        if _functions(replayed) != _functions(schedule.module):
            raise MismatchError("script against schedule", "replayed, the script gives another payload")
        reach = [_run(program, source, str(schedule), arrays, want)] if program in MAPPED else []
        status = "accepted" if accepted else "refused"
        facts = {"accepted": accepted.total(), "refused": refused.total()}
        return Outcome(status, detail="no directive is legal" if not accepted else "", reach=tuple(reach), facts=facts)

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for name in ("count", "followed"):
            for number in smaller_numbers(cast(int, payload[name]), 0):
                yield {**payload, name: number}
        for names in without_chunks(cast("list[Json]", payload["directives"])):
            if names:
                yield {**payload, "directives": names}


Expected = tuple[list[str], Sequence[Array], list[Array]]


def _scheduled(
    payload: Payload, source: str, accepted: Counter[str], refused: Counter[str], expected: Expected | None = None
) -> GrowingSchedule:
    """The schedule of a payload, what became of its random directives; their numbers after each if they are given."""
    program, random = cast(str, payload["program"]), Random(cast(int, payload["seed"]))
    schedule = GrowingSchedule(source)
    moves = AnyDirectives(schedule, random, cast("list[str]", payload["directives"]))
    steps = schedule.follow(default_script(program))[: cast(int, payload["followed"])] if program in MAPPED else []
    late = [random.choice([len(steps), random.randint(0, len(steps))]) for _ in range(cast(int, payload["count"]))]
    for number in range(len(steps) + 1):
        tries: list[str | None] = [None] * late.count(number)
        if number < len(steps) and steps[number][0] in moves.names and random.random() < _VARIED:
            tries.append(steps[number][0])
        for wanted in tries:
            name, taken = moves.try_one(wanted)
            (accepted if taken else refused)[name] += 1
            if expected is not None and taken:
                names, want, arrays = expected
                compare(f"payload after {name}", names, want, as_tuple(evaluate(schedule.module, *arrays)))
        if number < len(steps):
            steps[number][1]()
    return schedule


def _run(program: str, source: str, script: str, arrays: list[Array], want: Sequence[Array]) -> str:
    """Compile what is scheduled and run it: the stream, or the kernel at the wmma level."""
    names = [f"result {number}" for number in range(len(want))]
    try:
        if program.startswith("vta"):
            compiled = vtac.compile(source, schedule=f"{script}\n")
            found = as_tuple(compiled(*arrays))  # pyright: ignore[reportArgumentType]
        else:
            vtac.compile(source, "cuda", schedule=f"{script}\n")
            found = as_tuple(evaluate(lower(source, "cuda", schedule=f"{script}\n"), *arrays))
    except vtac.CompileError:
        return "a schedule that does not compile"
    compare(f"{program.split(maxsplit=1)[0]} program of a random schedule", names, want, found)
    return f"a {program.split(maxsplit=1)[0]} program"


def _functions(module: ModuleOp) -> list[str]:
    """The functions of a module as text, whatever hardware it states."""
    return [printed_form(ModuleOp([op.clone()])) for op in module.ops if isinstance(op, FuncOp)]


def arguments(module: ModuleOp) -> list[Array]:
    """Small whole numbers for a payload's arguments, those of its results left out; every order adds them up alike."""
    function = function_of(module)
    rng = np.random.default_rng(0)
    found: list[Array] = []
    for position, kind in enumerate(function.function_type.inputs):
        if not RESULT.of_argument(function, position):
            dtype = dtype_of(element_type(kind))
            bound = 4 if dtype.kind == "f" else 100
            found.append(rng.integers(-bound, bound, shape_of_type(kind)).astype(dtype))
    return found


TARGET = ScheduleTarget()
