"""Launch records and constants of saved CUDA programs with changed fields: refused by name, or loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import cast

import vtac
from fuzz.case import Payload
from fuzz.outcome import Outcome
from fuzz.targets.artefact import change_file
from fuzz.targets.cuda import matmul_text
from vtac.targets.cuda.program import load_cuda_program


@cache
def _saved() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="saved-")) / "program"
    vtac.compile(matmul_text(16, 16, 16), "cuda").save(folder)
    return folder


class LaunchTarget:
    name = "launch"
    features = ("json", "text", "truncate", "bytes", "missing", "others")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        files = sorted(path.name for path in _saved().iterdir())
        kinds = [name for name in self.features[:-1] if name in features] or ["json"]
        kind = random.choice([*kinds, *(one for one in kinds if one != "missing")])
        file = random.choice(files) if "others" in features and kind != "json" else "launch.json"
        return {"kind": kind, "seed": random.randrange(1 << 30), "file": file}

    def judge(self, payload: Payload) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            for path in _saved().iterdir():
                (Path(folder) / path.name).write_bytes(path.read_bytes())
            change_file(
                Path(folder) / cast(str, payload["file"]),
                cast(str, payload["kind"]),
                Random(cast(int, payload["seed"])),
            )
            try:
                program = load_cuda_program(folder)
                program.save(Path(folder) / "again")
            except vtac.VtacError as error:
                return Outcome("refused", detail=str(error).replace(folder, ""))
        return Outcome("accepted")

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        for seed in range(min(cast(int, payload["seed"]), 20)):
            yield {**payload, "seed": seed}


TARGET = LaunchTarget()
