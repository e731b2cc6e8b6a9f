"""Saved programs with changed files: refused by name, or loaded; never a traceback."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, cast

import numpy as np
from plain_programs import PlainConv

import vtac
from fuzz.case import Json, Payload
from fuzz.mutations import mutated
from fuzz.networks import Node
from fuzz.outcome import MismatchError, Outcome
from vtac.errors import DecodeError, ExecutionError
from vtac.targets.vta.programs.saving import digest
from vtac.targets.vta.programs.vta_program import VtaProgram

_PLAIN_VALUES: list[Json] = [None, True, False, 0, 1, -1, 16, 4096, 1 << 31, 1 << 62, 1 << 80, 1.5, "", "x", "../x"]
_LONG: list[Json] = [1 for _ in range(65)]
_ODD_VALUES: list[Json] = ["/etc/passwd", "a\0b", [], {}, [0], _LONG, [1 << 62, 0], [True, True]]
_VALUES = (*_PLAIN_VALUES, *_ODD_VALUES)
_TWO_DEVICES = """
func.func @two(%a: tensor<4x16xi32>, %b: tensor<4x16xi32>) -> tensor<4x16xi32> {
  %e = tensor.empty() : tensor<4x16xi32>
  %s = linalg.add ins(%a, %b : tensor<4x16xi32>, tensor<4x16xi32>) outs(%e : tensor<4x16xi32>) -> tensor<4x16xi32>
  %e1 = tensor.empty() : tensor<4x16xi32>
  %d = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%s : tensor<4x16xi32>) outs(%e1 : tensor<4x16xi32>) {
  ^bb0(%x: i32, %o: i32):
    %c = arith.constant 3 : i32
    %y = arith.divsi %x, %c : i32
    linalg.yield %y : i32
  } -> tensor<4x16xi32>
  %e2 = tensor.empty() : tensor<4x16xi32>
  %r = linalg.add ins(%d, %b : tensor<4x16xi32>, tensor<4x16xi32>) outs(%e2 : tensor<4x16xi32>) -> tensor<4x16xi32>
  func.return %r : tensor<4x16xi32>
}
"""
_SOURCES = (PlainConv().text(), PlainConv(channels=3, features=5, bias=True).text(), _TWO_DEVICES)


@cache
def saved(number: int) -> Path:
    """A program saved once for all cases that start from it."""
    folder = Path(tempfile.mkdtemp(prefix="saved-"))
    vtac.compile(_SOURCES[number]).save(folder / "program")
    return folder / "program"


class ArtefactTarget:
    name = "artefact"
    features = ("json", "bytes", "truncate", "missing", "text", "swap", "digests")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        number = random.randrange(len(_SOURCES))
        files = sorted(str(path.relative_to(saved(number))) for path in saved(number).rglob("*") if path.is_file())
        kinds = [name for name in ("json", "bytes", "truncate", "missing", "text") if name in features] or ["json"]
        edits: list[Node] = []
        for _ in range(random.choice([1, 1, 2])):
            kind = random.choice([*(name for name in kinds if name != "missing"), *kinds])
            pool = [f for f in files if f.endswith(".json")] if kind in ("json", "text") else files
            edits.append({"kind": kind, "file": random.choice(pool), "seed": random.randrange(1 << 30)})
        return {"program": number, "edits": cast(Json, edits), "sealed": "digests" in features}

    def judge(self, payload: Payload) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "program"
            shutil.copytree(saved(cast(int, payload["program"])), copy)
            for edit in cast("list[Node]", payload["edits"]):
                change_file(copy / edit["file"], edit["kind"], Random(edit["seed"]))
            if payload["sealed"]:
                seal(copy)
            try:
                program = vtac.load_program(copy, "vta")
            except vtac.VtacError as error:
                return Outcome("refused", detail=str(error).replace(folder, ""))
            return _judge_loaded(program)

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        edits = cast("list[Json]", payload["edits"])
        for place in range(len(edits)):
            yield {**payload, "edits": [*edits[:place], *edits[place + 1 :]]}
        if payload["sealed"]:
            yield {**payload, "sealed": False}
        for number in range(cast(int, payload["program"])):
            yield {**payload, "program": number}


def _judge_loaded(program: VtaProgram) -> Outcome:
    """What loads is shown, checked and run, or refused in all three; streams that are proven clean do not fault."""
    arrays = [np.ones(buffer.shape, buffer.dtype) for buffer in program.arguments]
    findings = [finding for device in program.devices.values() for finding in vtac.check(device)]
    try:
        program.disassemble()
    except DecodeError as error:
        if not findings:
            raise MismatchError("checker against the disassembler", f"clean, and no stream: {error}") from None
        return Outcome("refused", detail=str(error), reach=("artefact is no stream",))
    try:
        program(*arrays)
    except ExecutionError as error:
        if not findings:
            raise MismatchError("checker against a run", f"clean, and it faults: {error.message}") from None
        return Outcome("refused", detail=str(error), reach=("artefact faults",))
    except vtac.VtacError as error:
        return Outcome("refused", detail=str(error), reach=("artefact loaded",))
    return Outcome("accepted", reach=("artefact loaded", f"artefact {'found' if findings else 'clean'}"))


def seal(folder: Path) -> None:
    """Let the digests of a changed program be those of its files, the innermost folders first."""
    for index in sorted(folder.rglob("program.json"), key=lambda path: -len(path.parts)):
        try:
            record: Any = json.loads(index.read_bytes())
            for name in record["digests"]:
                record["digests"][name] = digest((index.parent / name).read_bytes())
        except (ValueError, KeyError, TypeError, OSError):
            continue  # no record of that form any more, which is what is to be read then
        index.write_text(json.dumps(record))


def change_file(path: Path, kind: str, random: Random) -> None:
    """Change one file of a saved program in a way that its kind names."""
    if not path.exists():
        return
    if kind == "missing":
        path.unlink()
        return
    data = path.read_bytes()
    if kind == "truncate":
        data = data[: random.randrange(len(data) + 1)]
    elif kind == "bytes" and data:
        place = random.randrange(len(data))
        data = data[:place] + bytes([random.randrange(256)]) + data[place + 1 :]
    elif kind == "text":
        text = data.decode(errors="surrogateescape")
        data = mutated(random, text, random.randint(1, 3)).encode(errors="surrogateescape")
    elif kind == "json":
        try:
            record: Any = json.loads(data)
        except ValueError:
            return
        _set_somewhere(record, random)
        data = json.dumps(record).encode()
    path.write_bytes(data)


def _set_somewhere(record: Any, random: Random) -> None:
    """Replace, or remove, one value at some depth."""
    keys: list[Any] = list(cast("dict[str, Any]", record)) if isinstance(record, dict) else list(range(len(record)))
    if not keys:
        return
    key = random.choice(keys)
    inner = cast(object, record[key])
    if inner and isinstance(inner, dict | list) and random.random() < 0.8:
        _set_somewhere(inner, random)
    elif random.random() < 0.1:
        del record[key]
    else:
        record[key] = random.choice(_VALUES) if random.random() < 0.4 else _neighbour(random, cast(object, inner))


def _neighbour(random: Random, value: object) -> Json:
    """Another value of the same kind, so that it gets past the first look."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(random.choice([value - 1, value + 1, value * 2, value // 2, value + 16, value + 4096]), 0)
    if isinstance(value, str):
        return random.choice([value + "0", value[:-1], value.upper(), "int32", "int8", "input", "output"])
    return random.choice(_VALUES)


TARGET = ArtefactTarget()
