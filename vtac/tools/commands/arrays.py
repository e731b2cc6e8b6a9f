"""Arrays for a program's arguments, from an archive or at random, and its results as an archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from vtac.errors import VtacError
from vtac.targets.vta.programs.program import Array
from vtac.tools.output import write_file

DEFAULT_LOW = -128
DEFAULT_HIGH = 128


class Argument(Protocol):
    """What an array has to be like."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...


class ArchiveError(VtacError):
    """An archive that cannot be read or that does not hold what a program needs."""


def read_arrays(path: str, arguments: Sequence[Argument]) -> list[Array]:
    """Returns the arguments' arrays from the `.npz` at `path`: by name, else `in_*` in the archive's order.

    Raises `ArchiveError`. Shapes and dtypes are the program's to check.
    """
    archive = _read_archive(path)
    names = [argument.name for argument in arguments]
    if all(name in archive for name in names):
        return [archive[name] for name in names]
    positional = [name for name in archive if name.startswith("in_")]
    if len(positional) == len(names):
        return [archive[name] for name in positional]
    raise ArchiveError(
        f"'{path}' holds {', '.join(archive) or 'nothing'}; expected the arguments {', '.join(names)}, "
        f"or {len(names)} arrays whose names begin with in_"
    )


def random_arrays(arguments: Sequence[Argument], seed: int, low: int | None, high: int | None) -> list[Array]:
    """Returns an array per argument, uniform over [low, high); the default range is -128 to 128, within the dtype's.

    The same seed gives the same arrays. Raises `ArchiveError` when a dtype cannot hold a stated range.
    """
    generator = np.random.default_rng(seed)
    return [_random_array(argument, generator, low, high) for argument in arguments]


def write_arrays(path: str, arrays: Mapping[str, Array]) -> None:
    """Writes the `.npz` at `path`, whole or not at all. Raises `OutputError`."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_file(buffer.getvalue(), path)


def _read_archive(path: str) -> dict[str, Array]:
    try:
        archive = np.load(Path(path), allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ArchiveError(f"'{path}' is a single array; expected an archive as numpy.savez writes it")
        with archive:
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise ArchiveError(f"cannot read '{path}': {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ArchiveError(f"'{path}' is no archive of numbers as numpy.savez writes it: {error}") from None


def _random_array(argument: Argument, generator: np.random.Generator, low: int | None, high: int | None) -> Array:
    dtype = np.dtype(argument.dtype)
    if dtype.kind == "f":
        first, last = _range(low, high, DEFAULT_LOW, DEFAULT_HIGH, argument)
        return _typed(generator.uniform(first, last, argument.shape), dtype)
    limits = (0, 2) if dtype.kind == "b" else (int(np.iinfo(dtype.name).min), int(np.iinfo(dtype.name).max) + 1)
    first, last = _range(low, high, max(DEFAULT_LOW, limits[0]), min(DEFAULT_HIGH, limits[1]), argument)
    if first < limits[0] or last > limits[1]:
        raise ArchiveError(
            f"random values from {first} to below {last} do not fit argument '{argument.name}' of {dtype}; "
            f"choose --low and --high between {limits[0]} and {limits[1]}"
        )
    return _typed(generator.integers(first, last, argument.shape, dtype=np.int64), dtype)


def _typed(values: NDArray[np.generic], dtype: np.dtype[np.generic]) -> Array:
    return cast(Array, values.astype(dtype))


def _range(
    low: int | None, high: int | None, default_low: int, default_high: int, argument: Argument
) -> tuple[int, int]:
    first = default_low if low is None else low
    last = default_high if high is None else high
    if first >= last:
        raise ArchiveError(f"the range of random values for '{argument.name}' is empty: --low {first} --high {last}")
    return first, last
