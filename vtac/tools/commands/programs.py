"""Programs for the subcommands: compiled from a file, or loaded from the directory they were saved in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.interpreter.check.dram import BufferRecord

Array = NDArray[np.generic]


class Value(Protocol):
    """One argument or result of a program."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> np.dtype[np.generic]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...


class Program(Protocol):
    """What the subcommands need of a compiled program."""

    @property
    def arguments(self) -> Sequence[Value]: ...
    @property
    def results(self) -> Sequence[Value]: ...
    @property
    def stats(self) -> Mapping[str, int]: ...
    @property
    def instructions(self) -> bytes: ...
    @property
    def config(self) -> VTAConfig: ...
    @property
    def buffers(self) -> Sequence[BufferRecord]: ...
    def memory_image(self) -> NDArray[np.uint8]: ...
    def __call__(self, *arrays: Array, device: str = "cpu") -> Array | tuple[Array, ...]: ...
    def save(self, directory: Path, inputs: Sequence[Array] | None = None) -> None: ...


def compile_file(path: str, target: str, config_path: str | None, schedule_path: str | None) -> Program:
    """Parses and compiles the file at `path`. Raises `VtacError`."""
    config = None if config_path is None else VTAConfig.from_json(config_path)
    module = vtac.parse(Path(path))
    schedule = None if schedule_path is None else vtac.parse(Path(schedule_path))
    return cast(Program, vtac.compile(module, target=target, config=config, schedule=schedule))


def load_program(directory: str) -> Program:
    """Loads a program that `vtac compile` saved, without the compiler. Raises `VtacError`."""
    return cast(Program, vtac.load_program(directory))
