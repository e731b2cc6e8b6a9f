"""A compiled program of a quantised model: all that a VTA program is, and floats in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ModelError, ProgramError
from vtac.lazily import text_by, written_by
from vtac.models.layer import Array
from vtac.targets.vta.machine import Progress
from vtac.targets.vta.programs.arrays import Array as AnyArray
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.summary import Summary
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.stream.layout import Buffer

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.devices.device import Device
    from vtac.devices.loading import Loaded

Floats: TypeAlias = tuple[Array, ...]


class Runs(Protocol):
    """A program on integers, here or on a device."""

    def __call__(self, *arrays: AnyArray) -> AnyArray | tuple[AnyArray, ...]: ...


class Measured(Protocol):
    """A report of a model."""

    def to_json(self) -> dict[str, object]: ...


@dataclass(frozen=True, eq=False, repr=False)
class QuantisedProgram:
    """`program` on integers; `predict` on floats, through the functions that say what integers stand for."""

    program: VtaProgram
    batches: Callable[..., Sequence[Floats]] = field(repr=False)
    """Float arrays cut into batches, the last one filled up with zeros."""
    integers: Callable[..., tuple[NDArray[Any], ...]] = field(repr=False)
    floats: Callable[..., Floats] = field(repr=False)
    hosted: tuple[str, ...] = ()
    """What the model leaves to the host, a line each."""
    measure: Callable[[], Measured] | None = field(default=None, repr=False)
    """Makes the report of the model, on the calibration data; None where there are none."""

    def predict(self, *arrays: NDArray[Any]) -> Array | Floats:
        """Float results for float arrays, whose first dimension may be any number of samples.

        Raises `ModelError` for NaN and infinity, for which no integers stand.
        """
        return self._predicted(self.program, arrays)

    def to(self, device: Device, timeout: float | None = None) -> LoadedQuantisedProgram:
        """The program in the memory of a device; floats become integers, and integers floats, here.

        `timeout` is in seconds, for each run of a stream. Raises `DeviceError` where the device cannot run it.
        """
        return LoadedQuantisedProgram(self, self.program.to(device, timeout))

    def _predicted(self, run: Runs, arrays: Sequence[NDArray[Any]]) -> Array | Floats:
        for number, array in enumerate(arrays):
            _check_finite(number, array)
        parts: list[Floats] = []
        for batch in self.batches(*arrays):
            found = run(*self.integers(*batch))
            parts.append(self.floats(*(found if isinstance(found, tuple) else (found,))))
        results = tuple(np.concatenate(pieces)[: arrays[0].shape[0]] for pieces in zip(*parts, strict=True))
        return results[0] if len(results) == 1 else results

    def __call__(self, *arrays: AnyArray, progress: Progress | None = None) -> AnyArray | tuple[AnyArray, ...]:
        """Integers in, integers out; what they stand for, `predict` knows. Raises `ProgramError` for other arrays."""
        for buffer, array in zip(self.program.arguments, arrays, strict=False):
            kind = getattr(array, "dtype", np.dtype(np.int8)).kind
            if kind == "f" and not buffer.dtype.startswith(("f", "bf")):
                raise ProgramError(
                    f"argument '{buffer.name}' is of {array.dtype}; the program computes on integers: call "
                    "program.predict with floats, or make integers of them by quantised.integers"
                )
        return self.program(*arrays, progress=progress)

    def __str__(self) -> str:
        return str(self.program)

    def __repr__(self) -> str:
        return f"<QuantisedProgram {self.program!r}>"

    _repr_html_ = text_by("vtac.report.notebook", "quantised_html")

    @property
    def config(self) -> VTAConfig:
        return self.program.config

    @property
    def arguments(self) -> tuple[Buffer, ...]:
        return self.program.arguments

    @property
    def results(self) -> tuple[Buffer, ...]:
        return self.program.results

    @property
    def choices(self) -> tuple[str, ...]:
        return (*self.hosted, *self.program.choices)

    @property
    def summary(self) -> Summary:
        return self.program.summary

    @property
    def work_line(self) -> str:
        return self.program.work_line

    @property
    def devices(self) -> Mapping[str, Program]:
        return self.program.devices

    @property
    def stream(self) -> Program:
        return self.program.stream

    @property
    def stats(self) -> dict[str, int]:
        return self.program.stats

    @property
    def cycles(self) -> int:
        return self.program.cycles

    @property
    def source(self) -> ModuleOp | None:
        return self.program.source

    def disassemble(self) -> str:
        return self.program.disassemble()

    def report(self, path: str | Path | None = None) -> str:
        """The report of the program, what its integers cost included; see `vtac.report`."""
        return written_by("vtac.report.page.document", "report")(self, path)

    def save(self, directory: str | Path, inputs: Sequence[AnyArray] | None = None) -> None:
        self.program.save(directory, inputs)


@dataclass(frozen=True, eq=False)
class LoadedQuantisedProgram:
    """A quantised program on a device: `loaded` on integers, `predict` on floats."""

    quantised: QuantisedProgram = field(repr=False)
    loaded: Loaded

    def predict(self, *arrays: NDArray[Any]) -> Array | Floats:
        """As the program's own; what the VTA computes runs on the device. Raises `ModelError` and `DeviceError`."""
        return self.quantised._predicted(self.loaded, arrays)  # pyright: ignore[reportPrivateUsage]

    def __call__(self, *arrays: AnyArray) -> AnyArray | tuple[AnyArray, ...]:
        """Integers in, integers out."""
        return self.loaded(*arrays)

    def close(self) -> None:
        """Give back its memory on the device."""
        self.loaded.close()


def _check_finite(number: int, array: NDArray[Any]) -> None:
    if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelError(f"input {number} is a {type(array).__name__}; a numpy array of floats is required")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        first = [int(at[0]) for at in np.nonzero(~np.isfinite(array))]
        raise ModelError(f"input {number} is {array[tuple(first)]} at {first}; finite numbers are required")
