"""Command lines of `vtac` and `vtac-opt` with odd options and files: a message and a status, never a traceback."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import cast

from run_programs import run_program

from fuzz.case import Json, Payload
from fuzz.command_files import ADD, INPUTS, OUTPUTS, lay_out, master
from fuzz.command_options import Option, commands, options_of
from fuzz.outcome import MismatchError, Outcome
from fuzz.reduction import without_chunks
from vtac.universe import get_all_passes

_ODD = (
    "",
    "-",
    "--",
    "-1",
    "0",
    "1",
    "7",
    "1e9",
    "99999999999999999999",
    "nan",
    "x",
    "ä",
    "a\nb",
    "--seed",
    "--help",
    "=",
)
_SOURCES = ("add.mlir", "add.mlir", "tiled.mlir", "cuda.mlir", "saved", "saved_cuda")
_STREAMS = ("saved", "saved", "saved_cuda", "insn.bin")
_LEFT_OUT = ("-h", "--help", "--version", "--debug", "--output")
_STATUSES = (0, 1, 2)
_WRITERS = ("vtac-opt", "compile", "asm", "disasm", "schedule")
"""Commands whose output appears only when they succeed."""


class CommandTarget:
    name = "command"
    features = ("options", "odd_values", "odd_files", "outputs", "misspelt", "joined", "shuffled", "stdin")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        master()
        command = random.choice(commands())
        words: list[str] = []
        for option in options_of(command):
            if option.spelling in _LEFT_OUT or random.random() > _likelihood(command, option, features):
                continue
            value = _value(random, command, option, features) if option.takes_value else None
            if option.spelling == "":
                words.append(value or "")
            elif value is not None and "joined" in features and random.random() < 0.3:
                words.append(f"{option.spelling}={value}")
            else:
                words += [option.spelling, *([] if value is None else [value])]
        words = [word for word in words if word not in ("", "--debug")] if random.random() < 0.8 else words
        if "misspelt" in features and random.random() < 0.4:
            _misspell(random, words)
        if "shuffled" in features and random.random() < 0.2:
            random.shuffle(words)
        text = random.choice((ADD, "", "\0", "x" * 1000)) if "stdin" in features else ADD
        return {"command": command, "words": cast(Json, words), "stdin": text}

    def judge(self, payload: Payload) -> Outcome:
        command, words = cast(str, payload["command"]), cast("list[str]", payload["words"])
        line = [command, *words] if command == "vtac-opt" else ["vtac", command, *words]
        with tempfile.TemporaryDirectory() as folder:
            lay_out(Path(folder))
            before = set(os.listdir(folder))
            os.chdir(folder)
            try:
                outcome = run_program(line, cast(str, payload["stdin"]).encode(), merge=False)
            finally:
                os.chdir("/")
            new = sorted(set(os.listdir(folder)) - before)
        message = outcome.stderr.decode(errors="replace")
        for sign in ("Traceback (most recent call", "internal error", " object at 0x"):
            if sign in message:
                raise MismatchError(f"{command}: a message with {sign!r}", message[:1000])
        if outcome.status not in _STATUSES:
            raise MismatchError(f"{command}: exit status", f"{outcome.status}: {message[:1000]}")
        if outcome.status and not (message.strip() or outcome.stdout.strip()):
            raise MismatchError(f"{command}: no message", f"status {outcome.status}, and nothing was said")
        if outcome.status and command in _WRITERS and new:
            raise MismatchError(f"{command}: output of a failure", f"{', '.join(new)} appeared; {message[:1000]}")
        reach = (f"command {command}", *(f"option {command} {word.split('=')[0]}" for word in words if word[:1] == "-"))
        return Outcome("refused" if outcome.status else "accepted", detail=message[:2000], reach=reach)

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for words in without_chunks(cast("list[Json]", payload["words"])):
            yield {**payload, "words": words}
        if payload["stdin"]:
            yield {**payload, "stdin": ""}


def _likelihood(command: str, option: Option, features: frozenset[str]) -> float:
    """How probable an option is: what a command cannot do without is nearly always there."""
    if option.spelling == "":
        return 0.97
    if command in ("compile", "asm") and option.spelling in ("-o", "-p"):
        return 0.85
    return 0.2 if "options" in features else 0.0


def _value(random: Random, command: str, option: Option, features: frozenset[str]) -> str:
    """A value of the kind that the option takes, mostly one that fits."""
    if "odd_values" in features and random.random() < 0.15:
        return random.choice(_ODD)
    if option.is_output:
        return random.choice(OUTPUTS if "outputs" in features else OUTPUTS[:5])
    if option.choices:
        return random.choice(option.choices)
    if option.metavar in ("PASS", "PIPELINE"):
        return _pipeline(random, features)
    if option.metavar in ("N", "L", "H"):
        return str(random.choice([0, 1, 2, 3, 100, -128, 128, 1 << 31, -(1 << 70)]))
    if option.metavar == "TARGET":
        return random.choice(("mlir", "cuda", "vta", "ptx", "none"))
    if option.metavar == "sm_NN":
        return random.choice(("sm_70", "sm_80", "sm_90", "sm_7", "90"))
    if "odd_files" in features and random.random() < 0.4:
        return random.choice(INPUTS)
    if option.spelling == "--config":
        return random.choice(("config.json", "config.json", "other.json"))
    if option.spelling == "--inputs":
        return "arrays.npz"
    if option.spelling == "--dram":
        return "dram.bin"
    if option.spelling == "--schedule":
        return "script.mlir"
    streams = {"asm": ("stream.s",), "check": _STREAMS, "disasm": _STREAMS, "diff": _STREAMS}
    return random.choice(streams.get(command, _SOURCES))


def _pipeline(random: Random, features: frozenset[str]) -> str:
    names = [*sorted(get_all_passes()), "lower-to-vta", "lower-to-wmma", "lower-plain-to-vta", "cse", "canonicalize"]
    passes = [random.choice(names) for _ in range(random.choice([1, 1, 1, 2, 3]))]
    if "odd_values" in features and random.random() < 0.4:
        tails = (
            "{phase=payload}",
            "{phase=none}",
            "{phase=vta}",
            "{}",
            "{",
            "{x=1}",
            "{phase=1,phase=2}",
            ",",
            "{file=config.json}",
        )
        passes[-1] += random.choice(tails)
    return ",".join(passes)


def _misspell(random: Random, words: list[str]) -> None:
    """One word fewer, twice, another or with a letter changed."""
    place = random.randrange(len(words)) if words else 0
    roll = random.random()
    if not words or roll < 0.25:
        words.insert(place, random.choice((*_ODD, "--no-such-option", "--verify-eahc")))
    elif roll < 0.5:
        del words[place]
    elif roll < 0.7:
        words.insert(place, words[place])
    elif words[place]:
        letter = random.randrange(len(words[place]))
        words[place] = words[place][:letter] + random.choice("aX-=_ ") + words[place][letter + 1 :]


TARGET = CommandTarget()
