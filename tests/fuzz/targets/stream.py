"""Instruction streams: fast against reference interpreter, and the checker against random orders of the units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from random import Random
from typing import cast

from checker_streams import CONFIG, Program, orders, random_program, token_pairs, without_pair
from interpreter_streams import CONFIGS, random_image, random_stream

from fuzz.case import Payload
from fuzz.outcome import MismatchError, Outcome
from fuzz.reduction import smaller_numbers
from vtac.targets.vta.isa import instruction_layout, opcode_of
from vtac.targets.vta.machine import ExecutionError, execute, execute_reference
from vtac.targets.vta.proof import check

_ORDERS = 6


class StreamTarget:
    name = "stream"
    features = ("random", "legal", "field", "tokens", "swap", "delete", "strict")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        changes = [name for name in ("field", "tokens", "swap", "delete") if name in features]
        kind = "random" if "random" in features and random.random() < 0.4 else "legal"
        return {
            "kind": kind,
            "seed": random.randrange(1 << 30),
            "length": random.choice([6, 12, 24, 40]),
            "strict": "strict" in features,
            "change": random.choice(changes) if changes and kind == "legal" and random.random() < 0.8 else "",
        }

    def judge(self, payload: Payload) -> Outcome:
        return self._random(payload) if payload["kind"] == "random" else self._legal(payload)

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for length in smaller_numbers(cast(int, payload["length"])):
            yield {**payload, "length": length}

    def _random(self, payload: Payload) -> Outcome:
        """Both interpreters give the same memory and counters, or the same fault at the same instruction."""
        random, strict = Random(cast(int, payload["seed"])), bool(payload["strict"])
        config = random.choice(CONFIGS)
        data = random_stream(random, config, cast(int, payload["length"]), hardware=strict)
        image = random_image(random, config)
        ends: list[tuple[object, bytes]] = []
        for run in (execute, execute_reference):
            memory = image.copy()
            try:
                ends.append((run(data, memory, config, strict=strict), memory.tobytes()))
            except ExecutionError as error:
                ends.append(((error.kind, error.index), b""))
        if ends[0] != ends[1]:
            raise MismatchError("fast against reference interpreter", f"{ends[0][0]} against {ends[1][0]}"[:400])
        finished = isinstance(ends[0][0], dict)
        return Outcome(
            "accepted" if finished else "refused",
            reach=("stream finished" if finished else f"fault {_kind(ends[0][0])}",),
        )

    def _legal(self, payload: Payload) -> Outcome:
        """What the checker calls clean runs without fault to one result in every order of the units."""
        seed = cast(int, payload["seed"])
        program = random_program(seed, cast(int, payload["length"]))
        change = cast(str, payload["change"])
        program = _changed(program, change, Random(seed))
        findings = check(program.data, dram=program.image)
        if findings:
            if not change:
                raise MismatchError("checker on a legal stream", findings[0].message)
            return Outcome("refused", detail=findings[0].kind, reach=tuple({f"finding {f.kind}" for f in findings}))
        try:
            results = {program.run(order) for order in orders(_ORDERS)}
        except ExecutionError as error:
            raise MismatchError("checker against the units", f"clean, and a run faults: {error.message}") from None
        if len(results) != 1:
            raise MismatchError("checker against the units", f"clean, and {_ORDERS} orders give {len(results)} results")
        return Outcome("accepted", reach=(f"clean after-{change or 'nothing'}",))


def _kind(end: object) -> object:
    """The kind of a fault, `(kind, index)`."""
    return cast("tuple[object, ...]", end)[0] if isinstance(end, tuple) else end


def _changed(program: Program, change: str, random: Random) -> Program:
    instructions = list(program.instructions)
    place = random.randrange(len(instructions))
    if change == "tokens":
        pairs = token_pairs(instructions)
        return without_pair(program, random.choice(pairs)) if pairs else program
    if change == "swap":
        other = random.randrange(len(instructions))
        instructions[place], instructions[other] = instructions[other], instructions[place]
    elif change == "delete":
        del instructions[place]
    elif change == "field":
        instruction = instructions[place]
        names = {field.name for field in fields(instruction)} - {"memory", "opcode"}
        layout = instruction_layout(CONFIG, opcode_of(instruction)).fields
        legal = [field for field in layout if field.name in names]
        if legal:
            field = random.choice(legal)
            limit = 12 if field.name.startswith("iter") else field.maximum
            old = int(getattr(instruction, field.name))
            new = min(max(random.choice([old + 1, old - 1, random.randint(0, 20)]), field.minimum), limit)
            flag = field.name in ("reset", "use_imm")
            instructions[place] = replace(instruction, **{field.name: bool(new) if flag else new})
    return replace(program, instructions=instructions)


TARGET = StreamTarget()
