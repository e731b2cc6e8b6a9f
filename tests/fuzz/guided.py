"""Coverage-guided fuzzing of what reads bytes: assembly, program.json and headers of .npz, under `atheris`.

libFuzzer, which atheris drives, ends its process. So a campaign is a process of its own: `python -m fuzz.guided`.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import NamedTuple, Protocol, cast

Reader = Callable[[bytes], None]


class Entry(NamedTuple):
    """What is read: `seeds` gives valid bytes to begin with, `reader` what raises nothing but a refusal for any."""

    seeds: Callable[[], list[bytes]]
    reader: Callable[[], Reader]


class _Atheris(Protocol):
    """The part of atheris that is used here."""

    def instrument_imports(self, include: list[str]) -> AbstractContextManager[None]: ...
    def Setup(self, argv: list[str], test: Reader) -> object: ...  # noqa: N802 - as atheris names it
    def Fuzz(self) -> None: ...  # noqa: N802 - as atheris names it


def _assembly_seeds() -> list[bytes]:
    from interpreter_streams import CONFIGS, random_stream

    from vtac.targets.vta.isa import disassemble

    return [disassemble(random_stream(Random(seed), CONFIGS[0], 6), CONFIGS[0]).encode() for seed in range(8)]


def _assembly_reader() -> Reader:
    from vtac.dialects.hardware import VTAConfig
    from vtac.errors import VtacError
    from vtac.targets.vta.isa import assemble, disassemble

    config = VTAConfig()

    def read(data: bytes) -> None:
        try:
            words = assemble(data.decode(errors="replace"), config)
        except VtacError:
            return
        if assemble(disassemble(words, config), config) != words:
            raise AssertionError("disassembled and assembled again, the bytes differ")

    return read


def _index_seeds() -> list[bytes]:
    from fuzz.targets.artefact import saved

    return [path.read_bytes() for number in range(3) for path in sorted(saved(number).rglob("program.json"))]


def _index_reader() -> Reader:
    from vtac.errors import VtacError
    from vtac.targets.vta.programs.saved_records import parse_index

    def read(data: bytes) -> None:
        try:
            parse_index(data, Path("program.json")).stream()
        except VtacError:
            return

    return read


def _archive_seeds() -> list[bytes]:
    import numpy as np

    from vtac.files.archives import archive_of

    one, empty, number = np.ones((2, 3), np.int8), np.zeros(0, np.float16), np.full((), 7, np.int32)
    return [archive_of({"a": one}), archive_of({"in_0": empty, "x": number}), archive_of({})]


def _archive_reader() -> Reader:
    import zipfile
    import zlib

    from vtac.files.archives import Archive

    refusals = (OSError, ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)

    def read(data: bytes) -> None:
        try:
            archive = Archive(io.BytesIO(data))
            for name in archive.names:
                archive.header(name)
        except refusals:
            return

    return read


ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        "assembly": Entry(_assembly_seeds, _assembly_reader),
        "program.json": Entry(_index_seeds, _index_reader),
        "npz": Entry(_archive_seeds, _archive_reader),
    }
)
"""What `vtac fuzz NAME --guided` can be given."""

MISSING = (
    "--guided needs the package 'atheris', which is not installed; it comes with "
    "pip install --editable '.[guided]', where its wheels exist (Linux and macOS)"
)


def run_guided(name: str, folder: Path, *, seconds: int, seed: int) -> int:
    """Fuzz one entry in a process of its own; the corpus and what fails go to `folder`. 1 when something failed.

    Raises `LookupError` with what to install when atheris is missing.
    """
    if find_spec("atheris") is None:
        raise LookupError(MISSING)
    corpus = folder / f"guided_{name}"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(ENTRIES[name].seeds()):
        (corpus / f"seed_{number}").write_bytes(data)
    options = [
        f"-artifact_prefix={folder}/{name}_",
        f"-max_total_time={seconds}",
        f"-seed={seed + 1}",
        "-max_len=65536",
    ]
    words = [sys.executable, "-m", "fuzz.guided", name, *options, str(corpus)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return int(subprocess.run(words, env=environment, check=False).returncode != 0)


def main(arguments: list[str]) -> None:
    """Fuzz in this process, to its end; the compiler is imported, and instrumented, here for the first time."""
    name, *options = arguments
    atheris = cast(_Atheris, import_module("atheris"))
    with atheris.instrument_imports(include=["vtac"]):
        reader = ENTRIES[name].reader()
    atheris.Setup([name, *options], reader)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
