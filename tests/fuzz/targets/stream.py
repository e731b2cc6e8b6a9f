"""Instruction streams: fast against reference interpreter, and the checker against random orders of the units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from random import Random
from typing import cast

import numpy as np
from checker_streams import CONFIG, Program, orders, token_pairs, without_pair
from interpreter_streams import CONFIGS, random_image, random_stream
from numpy.typing import NDArray
from random_streams import random_program

from fuzz.case import Payload
from fuzz.outcome import MismatchError, Outcome
from fuzz.reduction import smaller_numbers
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import Alu, DecodeError, Gemm, Load, Store, decode, instruction_layout, opcode_of
from vtac.targets.vta.machine import ExecutionError, execute, execute_reference
from vtac.targets.vta.proof import check

_ORDERS = 6
_MOST_WORK = 50_000


class StreamTarget:
    name = "stream"
    features = ("random", "legal", "field", "tokens", "swap", "delete", "strict", "bits")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        changes = [name for name in ("field", "tokens", "swap", "delete") if name in features]
        kind = "random" if "random" in features and random.random() < 0.4 else "legal"
        return {
            "kind": kind,
            "seed": random.randrange(1 << 30),
            "length": random.choice([6, 12, 24, 40]),
            "strict": "strict" in features,
            "bits": random.choice([1, 1, 2, 5]) if "bits" in features and random.random() < 0.5 else 0,
            "change": random.choice(changes) if changes and kind == "legal" and random.random() < 0.8 else "",
        }

    def judge(self, payload: Payload) -> Outcome:
        return self._random(payload) if payload["kind"] == "random" else self._legal(payload)

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for length in smaller_numbers(cast(int, payload["length"])):
            yield {**payload, "length": length}
        for name, plain in (("bits", 0), ("strict", False), ("change", "")):
            if payload[name] != plain:
                yield {**payload, name: plain}

    def _random(self, payload: Payload) -> Outcome:
        """Both interpreters give the same memory and counters, or the same fault at the same instruction."""
        random, strict = Random(cast(int, payload["seed"])), bool(payload["strict"])
        config = random.choice(CONFIGS)
        data = random_stream(random, config, cast(int, payload["length"]), hardware=strict)
        data = _with_flipped_bits(random, data, cast(int, payload["bits"]), config)
        image = random_image(random, config)
        ends = [_end(run, data, image, config, strict=strict) for run in (execute, execute_reference)]
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


def _end(
    run: Callable[..., object], data: bytes, image: NDArray[np.uint8], config: VTAConfig, *, strict: bool
) -> tuple[object, bytes]:
    """What a run of an interpreter returns and leaves in memory, or the kind of its fault and where."""
    memory = image.copy()
    try:
        return run(data, memory, config, strict=strict), memory.tobytes()
    except (ExecutionError, DecodeError) as error:
        return (error.kind, error.index), b""


def _with_flipped_bits(random: Random, data: bytes, count: int, config: VTAConfig) -> bytes:
    """A stream with some of its bits the other way; as it was, if that is too much work for the reference."""
    changed = bytearray(data)
    for _ in range(count):
        place = random.randrange(8 * len(changed))
        changed[place // 8] ^= 1 << place % 8
    return bytes(changed) if _work(bytes(changed), config) < _MOST_WORK else data


def _work(data: bytes, config: VTAConfig) -> int:
    """Tile operations of a stream; 0 for bytes that are none."""
    try:
        instructions = decode(data, config)
    except DecodeError:
        return 0
    work = 0
    for one in instructions:
        if isinstance(one, Load | Store):
            work += one.x_size * one.y_size
        elif isinstance(one, Gemm | Alu):
            work += max(one.uop_end - one.uop_bgn, 0) * one.iter_out * one.iter_in
    return work


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
