"""Changed IR texts through parsing, verification and compilation: refused with a message, or compiled."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import cast

import numpy as np
from xdsl.dialects.builtin import ModuleOp

import vtac
from fuzz.case import Payload
from fuzz.mutations import mutated_until, simpler_texts
from fuzz.networks import build
from fuzz.outcome import MismatchError, Outcome
from fuzz.targets.linalg import TARGET as LINALG
from vtac.evaluate import evaluate
from vtac.targets.vta.programs.host_program import HostProgram

_ROOT = Path(__file__).resolve().parents[3]


@cache
def seeds() -> tuple[str, ...]:
    """The programs of the examples and of the tests' `.mlir` files, each in a chunk of its own."""
    files = [*sorted((_ROOT / "examples").glob("*.mlir")), *sorted((_ROOT / "tests").rglob("*.mlir"))]
    chunks = [chunk for file in files for chunk in file.read_text().split("// -----")]
    texts = ["\n".join(_code(chunk)) for chunk in chunks if "expected-error" not in chunk]
    return tuple(text for text in texts if "func.func" in text and len(text) < 20_000)


def _code(chunk: str) -> list[str]:
    return [line for line in chunk.splitlines() if line.strip() and not line.lstrip().startswith("//")]


def _network(random: Random) -> str:
    """A small valid network, as the linalg target draws them."""
    chosen = frozenset(feature for feature in LINALG.features if random.random() < 0.6) - {"long", "capacity", "limits"}
    network, results = build(LINALG.draw(random, chosen - {"constants"}))
    return network.text(results)


class TextTarget:
    name = "text"
    features = ("many", "cuda", "networks", "numbers")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        text = _network(random) if "networks" in features and random.random() < 0.7 else random.choice(seeds())
        count = random.randint(2, 6) if "many" in features else 1
        target = "cuda" if "cuda" in features and random.random() < 0.4 else "vta"
        changed = mutated_until(random, text, count, is_read, numbers="numbers" in features)
        return {"text": changed, "target": target}

    def judge(self, payload: Payload) -> Outcome:
        text = cast(str, payload["text"])
        reach: list[str] = []
        try:
            module = vtac.parse(f"{text}\n")
            reach.append("text parsed")
            program = vtac.compile(module, cast(str, payload["target"]))  # pyright: ignore[reportCallIssue, reportArgumentType]
        except vtac.VtacError as error:
            return Outcome("refused", detail=_message(error), reach=tuple(reach))
        if "inputs" in payload:
            _compare(module, cast(HostProgram, program), cast("list[list[int]]", payload["inputs"]))
        return Outcome("accepted", reach=(*reach, "text compiled"))

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for text in simpler_texts(cast(str, payload["text"])):
            yield {**payload, "text": text}


def _compare(module: ModuleOp, program: HostProgram, inputs: list[list[int]]) -> None:
    """What a program gives for inputs that a proof of its rules has found, against the input level."""
    buffers = program.arguments
    arrays = [np.resize(np.array(one), b.shape).astype(b.dtype) for one, b in zip(inputs, buffers, strict=True)]
    want, found = evaluate(module, *arrays), program(*arrays)
    if not np.array_equal(np.asarray(want), np.asarray(found)):
        raise MismatchError("program against the input level", f"{np.asarray(want)} is {np.asarray(found)}")


def is_read(text: str) -> bool:
    """Whether a text gets past the parser and the verifier, or fails there as no text may."""
    try:
        vtac.parse(f"{text}\n")
    except Exception as error:
        return not isinstance(error, vtac.VtacError)
    return True


def _message(error: vtac.VtacError) -> str:
    """The message. Raises `AssertionError` for one that says nothing of use."""
    text = str(error)
    for sign in ("internal error", "Traceback", " object at 0x"):
        if sign in text:
            raise AssertionError(f"a message with {sign!r}: {text[:300]}")
    if not text.strip():
        raise AssertionError("an empty message")
    return text


TARGET = TextTarget()
