"""Default schedules with edited numbers: refused at a directive, or a program that computes the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import cast

import numpy as np

import vtac
from fuzz.case import Json, Payload
from fuzz.mutations import mutated_until, simpler_texts
from fuzz.outcome import MismatchError, Outcome
from fuzz.reduction import without_chunks
from vtac.evaluate import evaluate
from vtac.targets.vta.schedules import default_schedule

NUMBER = re.compile(r"(?<=[ \[])\d+(?=[ ,\]\n:])")


_EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@cache
def sources() -> tuple[str, ...]:
    """Programs on tiles: the examples without their scripts, with fewer tiles."""
    texts = [(_EXAMPLES / f"vta_{name}.mlir").read_text() for name in ("vadd", "matmul", "conv2d")]
    return tuple(text.split("schedule.script")[0] for text in texts)


@cache
def scripts() -> tuple[str, ...]:
    """The default schedule of each."""
    return tuple(str(default_schedule(vtac.parse(source))) for source in sources())


def edited(script: str, edits: list[list[int]]) -> str:
    """The script with some of its numbers replaced, each given by its position among them."""
    places = list(NUMBER.finditer(script))
    for place, value in sorted(edits, reverse=True):
        match = places[place % len(places)]
        script = f"{script[: match.start()]}{value}{script[match.end() :]}"
    return script


def draw_edits(random: Random, script: str, many: bool) -> list[list[int]]:
    """Numbers to replace: by halves, doubles, neighbours."""
    places = list(NUMBER.finditer(script))
    edits: list[list[int]] = []
    for _ in range(random.randint(2, 5) if many else 1):
        place = random.randrange(len(places))
        old = int(places[place].group())
        edits.append(
            [place, random.choice([old * 2, old // 2, old // 4, old + 1, max(old - 1, 0), 1, 1 << 31, 1 << 40])]
        )
    return edits


class ScriptTarget:
    name = "script"
    features = ("many", "lines", "tokens", "divisors")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        number = random.randrange(len(sources()))
        lines = scripts()[number].count("\n")
        dropped = random.sample(range(lines), 1) if "lines" in features and random.random() < 0.3 else []
        if "tokens" in features and random.random() < 0.7:
            count = random.randint(2, 4) if "many" in features else 1
            text = mutated_until(random, scripts()[number], count, _is_read)
            return {"program": number, "text": text}
        edits = draw_edits(random, scripts()[number], "many" in features)
        if "divisors" in features:
            edits = [[place, random.choice((1, 2, 4, 8, 14, 16, 28, 56))] for place, _ in edits]
        return {"program": number, "edits": cast(Json, edits), "dropped": cast(Json, dropped)}

    def judge(self, payload: Payload) -> Outcome:
        number, script = cast(int, payload["program"]), _script(payload)
        reach = ("script parsed",) if _is_read(script) else ()
        try:
            program = vtac.compile(sources()[number], schedule=f"{script}\n")
        except vtac.VtacError as error:
            return Outcome("refused", detail=str(error), reach=reach)
        rng = np.random.default_rng(0)
        arrays = [rng.integers(-128, 128, b.shape).astype(b.dtype) for b in program.arguments]
        found = program(*arrays)
        want = evaluate(vtac.parse(sources()[number]), *arrays)
        if not np.array_equal(np.asarray(found), np.asarray(want)):
            raise MismatchError("stream of an edited schedule", "the numbers differ from the input level's")
        if vtac.check(program):
            raise MismatchError("checker on a compiled stream", vtac.check(program)[0].message)
        return Outcome("accepted", reach=reach)

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        if "text" in payload:
            for text in simpler_texts(cast(str, payload["text"])):
                yield {**payload, "text": text}
            return
        for edits in without_chunks(cast("list[Json]", payload["edits"])):
            yield {**payload, "edits": edits}
        if payload["dropped"]:
            yield {**payload, "dropped": []}


def _script(payload: Payload) -> str:
    """The changed script: as text, or as the default one with other numbers and without some lines."""
    if "text" in payload:
        return cast(str, payload["text"])
    script = edited(scripts()[cast(int, payload["program"])], cast("list[list[int]]", payload["edits"]))
    dropped = cast("list[int]", payload["dropped"])
    return "\n".join(line for i, line in enumerate(script.split("\n")) if i not in dropped)


def _is_read(script: str) -> bool:
    """Whether a script gets past the parser and the verifier, or fails there as no script may."""
    try:
        vtac.parse(f"{script}\n")
    except Exception as error:
        return not isinstance(error, vtac.VtacError)
    return True


TARGET = ScriptTarget()
