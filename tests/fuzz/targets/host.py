"""Programs by hand in the vta dialect: refused for a reason and with a place, or the transfers that they say."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import cast

from hand_written import load, program

import vtac
from fuzz.case import Json, Payload
from fuzz.outcome import MismatchError, Outcome
from fuzz.reduction import without_chunks
from vtac.errors import EncodingError, VtacError
from vtac.targets.vta.isa import Load, decode
from vtac.targets.vta.stream.build import build_program

_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "addi": operator.add,
    "subi": operator.sub,
    "muli": operator.mul,
    "maxsi": max,
    "minsi": min,
    "andi": int.__and__,
    "ori": int.__or__,
}
_APPLIED: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "*": operator.mul,
    "floordiv": int.__floordiv__,
    "ceildiv": lambda left, right: -(-left // right),
    "mod": operator.mod,
}
_COMPARED: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "slt": operator.lt,
    "sle": operator.le,
    "sgt": operator.gt,
    "sge": operator.ge,
}
_SMALL = (0, 1, 2, 3, 5, 12)
_WILD = (-1, -7, 4096, 1 << 40, (1 << 62) + 1, (1 << 63) - 1, -(1 << 63))
_CAPACITY = 2048
_REACH = 1 << 28
_FIRST = 0x100
"""The tile of the first buffer in DRAM."""
Statement = list[Json]


class _WrongError(Exception):
    """What no stream can say."""


@dataclass
class _Meaning:
    """What a program transfers: tiles on the chip and in DRAM, found without the compiler."""

    loads: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    wrong: bool = False

    def run(self, body: list[Statement], outer: list[int]) -> None:
        values = list(outer)
        for kind, *parts in body:
            if kind in ("for", "if"):
                self._nested(cast(str, kind), parts, values)
                continue
            numbers = [cast(int, part) for part in parts if isinstance(part, int)]
            if kind == "number":
                values.append(numbers[0])
                continue
            left, right = values[numbers[0] % len(values)], numbers[1]
            if kind == "op":
                values.append(_held(_OPERATIONS[cast(str, parts[0])](left, values[right % len(values)])))
            elif kind == "apply":
                values.append(_held(_APPLIED[cast(str, parts[0])](left, right)))
            else:
                self._load(left, values[right % len(values)])

    def _load(self, sram: int, dram: int) -> None:
        fits = sram >= 0 and sram + 4 <= _CAPACITY and dram + _FIRST >= 0 and dram + _FIRST + 4 <= _REACH
        self.wrong = self.wrong or not fits
        self.loads.append((sram, dram))

    def _nested(self, kind: str, parts: list[Json], values: list[int]) -> None:
        body = cast("list[Statement]", parts[-1])
        if kind == "if":
            name, left, right = cast("tuple[str, int, int]", tuple(parts[:3]))
            if _COMPARED[name](values[left % len(values)], values[right % len(values)]):
                self.run(body, values)
            return
        first, end, step = cast("tuple[int, int, int]", tuple(parts[:3]))
        if step < 1 or _runs_long(first, end, step):
            raise _WrongError
        for number in range(first, end, step):
            self.run(body, [*values, number])


def _runs_long(first: int, end: int, step: int) -> bool:
    return step > 0 and (end - first) // step > 1 << 13


def _held(number: int) -> int:
    if not -(1 << 63) <= number < 1 << 63:
        raise _WrongError
    return number


def _lines(body: list[Statement], outer: list[str], names: Iterator[int]) -> Iterator[str]:
    values = list(outer)
    for kind, *parts in body:
        new = f"%v{next(names)}"
        if kind == "number":
            yield f"{new} = arith.constant {parts[0]} : index"
        elif kind == "op":
            left, right = (values[cast(int, part) % len(values)] for part in parts[1:])
            yield f"{new} = arith.{parts[0]} {left}, {right} : index"
        elif kind == "apply":
            value = values[cast(int, parts[1]) % len(values)]
            yield f"{new} = affine.apply affine_map<(d0) -> (d0 {parts[0]} {parts[2]})>({value})"
        elif kind == "load":
            sram, dram = (values[cast(int, part) % len(values)] for part in parts)
            yield load(dram, sram=sram)
        elif kind == "if":
            left, right = (values[cast(int, part) % len(values)] for part in parts[1:3])
            yield f"{new} = arith.cmpi {parts[0]}, {left}, {right} : index\nscf.if {new} {{"
            yield from _lines(cast("list[Statement]", parts[3]), values, names)
            yield "}"
        else:
            yield from (f"{new}_{n} = arith.constant {part} : index" for n, part in enumerate(parts[:3]))
            yield f"scf.for {new} = {new}_0 to {new}_1 step {new}_2 {{"
            yield from _lines(cast("list[Statement]", parts[3]), [*values, new], names)
            yield "}"
        if kind in ("number", "op", "apply"):
            values.append(new)


class HostTarget:
    name = "host"
    features = ("wild", "loops", "choices", "affine", "dataflow")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        body = _drawn(random, features, 0)
        return {"body": cast(Json, [["number", 1], *body]), "dataflow": "dataflow" in features}

    def judge(self, payload: Payload) -> Outcome:
        body, meaning = cast("list[Statement]", payload["body"]), _Meaning()
        try:
            meaning.run(body, [0])
        except (_WrongError, ZeroDivisionError):
            meaning.wrong = True
        text = "\n".join(["%v = arith.constant 0 : index", *_lines(body, ["%v"], iter(range(1 << 30)))])
        end = "\nvta.sync dataflow" if payload["dataflow"] else "\nvta.sync"
        try:
            built = build_program(vtac.parse(program(f"{text}{end}")))
        except VtacError as error:
            if not error.locations:
                raise MismatchError("a refusal without a place", str(error)) from None
            if not meaning.wrong and not _is_refused_unrun(body):
                raise MismatchError("a refusal without a reason", str(error)) from None
            return Outcome("refused", detail=str(error), reach=(f"host {type(error) is EncodingError}",))
        found = [one for one in decode(built.instructions, built.config) if isinstance(one, Load) and one.x_size]
        loads = [(one.sram_base, one.dram_base - _FIRST) for one in found]
        expected = _without_repeats(meaning.loads) if payload["dataflow"] else meaning.loads
        if meaning.wrong or loads != expected:
            raise MismatchError("transfers against the text's", f"{loads[:9]} are {expected[:9]}")
        return Outcome("accepted", reach=("host issued",))

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for kept in without_chunks(cast("list[Json]", payload["body"])[1:]):
            yield {**payload, "body": [["number", 1], *kept]}


def _drawn(random: Random, features: frozenset[str], depth: int) -> list[Statement]:
    numbers = (*_SMALL, *(_WILD if "wild" in features else ()))
    kinds = ["number", "op", "op", "load", "load", *(["apply"] if "affine" in features else [])]
    kinds += [*(["for", "for"] if "loops" in features else []), *(["if"] if "choices" in features else [])]
    body: list[Statement] = []
    for _ in range(random.randint(1, 5)):
        kind, left, right = random.choice(kinds), random.randrange(64), random.randrange(64)
        if kind in ("for", "if") and depth < 3:
            inner = cast(Json, _drawn(random, features, depth + 1))
            bounds = [random.choice(numbers), random.choice(numbers), random.choice((1, 1, 2, random.choice(numbers)))]
            chosen = [random.choice(sorted(_COMPARED)), left, right]
            body.append([kind, *(bounds if kind == "for" else chosen), inner])
        elif kind == "number":
            body.append([kind, random.choice(numbers)])
        elif kind == "apply":
            body.append([kind, random.choice(sorted(_APPLIED)), left, random.choice(numbers)])
        else:
            body.append(
                ["op", random.choice(sorted(_OPERATIONS)), left, right] if kind == "op" else ["load", left, right]
            )
    return body


def _is_refused_unrun(body: list[Statement]) -> bool:
    """Whether an index divides by what is not positive, or a loop runs too often: refused wherever it stands."""
    for kind, *parts in body:
        if kind == "apply" and parts[0] not in ("+", "*") and cast(int, parts[2]) < 1:
            return True
        if kind == "for" and _runs_long(*cast("tuple[int, int, int]", tuple(parts[:3]))):
            return True
        if kind in ("for", "if") and _is_refused_unrun(cast("list[Statement]", parts[3])):
            return True
    return False


def _without_repeats(loads: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is loaded where the same tiles are not loaded again to the same place."""
    held: dict[int, int] = {}
    kept: list[tuple[int, int]] = []
    for sram, dram in loads:
        tiles = {sram + n: dram + n for n in range(4)}
        if any(held.get(place) != tile for place, tile in tiles.items()):
            kept.append((sram, dram))
        held |= tiles
    return kept


TARGET = HostTarget()
