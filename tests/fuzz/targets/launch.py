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
    folder = Path(tempfile.mkdtemp(prefix="vtac-fuzz-")) / "program"
    vtac.compile(matmul_text(16, 16, 16), "cuda").save(folder)
    return folder


class LaunchTarget:
    name = "launch"
    features = ("json", "text", "truncate")

    def draw(self, random: Random, features: frozenset[str]) -> Payload:
        _saved()
        kinds = [name for name in self.features if name in features] or ["json"]
        return {"kind": random.choice(kinds), "seed": random.randrange(1 << 30)}

    def judge(self, payload: Payload) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="vtac-fuzz-") as folder:
            for path in _saved().iterdir():
                (Path(folder) / path.name).write_bytes(path.read_bytes())
            change_file(Path(folder) / "launch.json", cast(str, payload["kind"]), Random(cast(int, payload["seed"])))
            try:
                load_cuda_program(folder)
            except vtac.VtacError as error:
                return Outcome("refused", detail=str(error).replace(folder, ""))
        return Outcome("accepted")

    def shrink(self, payload: Payload) -> Iterator[Payload]:
        return iter(())


TARGET = LaunchTarget()
