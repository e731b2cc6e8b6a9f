"""Assembly text: refused with its line, or assembled to bytes that disassemble to text of the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import cast

from interpreter_streams import CONFIGS, random_stream

import vtac
from fuzz.case import Payload
from fuzz.mutations import mutated, simpler_texts
from fuzz.outcome import MismatchError, Outcome
from vtac.targets.vta.isa import assemble, disassemble


class AssemblyTarget:
    name = "assembly"
    features = ("many", "other_machines", "numbers")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        number = random.randrange(len(CONFIGS)) if "other_machines" in features else 0
        config = CONFIGS[number]
        text = disassemble(random_stream(random, config, random.choice([2, 5, 12])), config)
        count = random.randint(2, 6) if "many" in features else 1
        return {"config": number, "text": mutated(random, text, count, numbers="numbers" in features)}

    def judge(self, payload: Payload) -> Outcome:
        text, config = cast(str, payload["text"]), CONFIGS[cast(int, payload["config"])]
        try:
            data = assemble(text, config)
        except vtac.VtacError as error:
            return Outcome("refused", detail=str(error))
        if assemble(disassemble(data, config), config) != data:
            raise MismatchError("assembly round trip", "disassembled and assembled again, the bytes differ")
        return Outcome("accepted")

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for text in simpler_texts(cast(str, payload["text"])):
            yield {**payload, "text": text}


TARGET = AssemblyTarget()
