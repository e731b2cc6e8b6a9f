"""Arrays for a program's arguments, from an archive or at random, and its results as an archive."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from vtac.errors import VtacError
from vtac.files.archives import Archive, Header, archive_of, array_bytes, single_array, single_header
from vtac.files.reading import like_missing, open_regular
from vtac.targets.vta.programs.arrays import Array, remedy
from vtac.tools.output import write_file

_SINGLE = b"\x93NUMPY"
"""How a file of one array begins."""
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

    kind = "arrays"


def read_arrays(path: str, arguments: Sequence[Argument]) -> list[Array]:
    """Returns the arguments' arrays from the `.npz` at `path`: by name, else `in_*` in the archive's order.

    A `.npy` is the array of the only argument. Raises `ArchiveError`. Shapes and dtypes are the program's to check.
    """
    try:
        with open_regular(Path(path)) as stream:
            if stream.read(len(_SINGLE)) == _SINGLE:
                return [_only_array(stream, path, arguments)]
            return _chosen_arrays(Archive(stream), path, arguments)
    except OSError as error:
        raise ArchiveError(f"cannot read '{path}': {error.strerror or error}{like_missing(path, error)}") from None
    except (ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ArchiveError(f"'{path}' is no archive of numbers as numpy.savez writes it: {error}") from None


def read_all(path: str) -> dict[str, NDArray[np.generic]]:
    """All arrays of the `.npz` at `path` by name, in the archive's order; that of a `.npy` is called `array`.

    Raises `ArchiveError`.
    """
    try:
        with open_regular(Path(path)) as stream:
            if stream.read(len(_SINGLE)) == _SINGLE:
                return {"array": single_array(stream)}
            archive = Archive(stream)
            return {name: archive.array(name) for name in archive.names}
    except OSError as error:
        raise ArchiveError(f"cannot read '{path}': {error.strerror or error}{like_missing(path, error)}") from None
    except (ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ArchiveError(f"'{path}' is no archive of numbers as numpy.savez writes it: {error}") from None


def _only_array(stream: BinaryIO, path: str, arguments: Sequence[Argument]) -> Array:
    """The array of a `.npy` for a program's only argument."""
    if len(arguments) != 1:
        names = ", ".join(argument.name for argument in arguments) or "none"
        raise ArchiveError(
            f"'{path}' is a single array, and the program takes {len(arguments)} ({names}): save all of them with "
            "numpy.savez, by these names"
        )
    _check_header(single_header(stream), arguments[0])
    return cast("Array", single_array(stream))


def _chosen_arrays(archive: Archive, path: str, arguments: Sequence[Argument]) -> list[Array]:
    headers = {name: archive.header(name) for name in archive.names}
    names = [argument.name for argument in arguments]
    positional = [name for name in archive.names if name.startswith("in_")]
    if all(name in archive.names for name in names):
        chosen = names
    elif len(positional) == len(names):
        chosen = positional
    else:
        raise ArchiveError(
            f"'{path}' holds {', '.join(archive.names) or 'nothing'}; expected the arguments {', '.join(names)}, "
            f"or {f'{len(names)} arrays whose names begin' if len(names) != 1 else 'one whose name begins'} with in_"
        )
    for name, argument in zip(chosen, arguments, strict=True):
        _check_header(headers[name], argument)
    return [cast("Array", archive.array(name)) for name in chosen]


def _check_header(header: Header, argument: Argument) -> None:
    """Refuses an array by what the archive says of it, before its numbers are read."""
    if header.shape != argument.shape or header.dtype.itemsize != np.dtype(argument.dtype).itemsize:
        found, wanted = ("x".join(map(str, shape)) or "scalar" for shape in (header.shape, argument.shape))
        raise ArchiveError(
            f"argument '{argument.name}' is {found} {header.dtype}; the program takes {wanted} {argument.dtype}: "
            f"{remedy(header.shape, header.dtype, argument.shape, np.dtype(argument.dtype))}"
        )


def random_arrays(
    arguments: Sequence[Argument],
    seed: int,
    low: int | None,
    high: int | None,
    floats: tuple[int, int] = (DEFAULT_LOW, DEFAULT_HIGH),
) -> list[Array]:
    """Returns an array per argument, uniform over [low, high); the default range is -128 to 128, within the dtype's.

    That of floating-point numbers is `floats`.

    The same seed gives the same arrays. Raises `ArchiveError` when a dtype cannot hold a stated range.
    """
    generator = np.random.default_rng(seed)
    return [_random_array(argument, generator, (low, high), floats) for argument in arguments]


def write_arrays(path: str, arrays: Mapping[str, Array]) -> None:
    """Writes the `.npz` at `path`, or one array as `.npy`, whole or not at all. Raises `OutputError`."""
    is_single = Path(path).suffix.lower() == ".npy" and len(arrays) == 1
    write_file(array_bytes(next(iter(arrays.values()))) if is_single else archive_of(arrays), path)


def _random_array(
    argument: Argument,
    generator: np.random.Generator,
    stated: tuple[int | None, int | None],
    floats: tuple[int, int],
) -> Array:
    dtype = np.dtype(argument.dtype)
    if dtype.kind == "f":
        first, last = _range(stated, floats, argument)
        return _typed(generator.uniform(first, last, argument.shape), dtype)
    limits = (0, 2) if dtype.kind == "b" else (int(np.iinfo(dtype.name).min), int(np.iinfo(dtype.name).max) + 1)
    first, last = _range(stated, (max(DEFAULT_LOW, limits[0]), min(DEFAULT_HIGH, limits[1])), argument)
    if first < limits[0] or last > limits[1]:
        raise ArchiveError(
            f"random values from {first} to below {last} do not fit argument '{argument.name}' of {dtype}; "
            f"choose --low and --high between {limits[0]} and {limits[1]}"
        )
    return _typed(generator.integers(first, last, argument.shape, dtype=np.int64), dtype)


def _typed(values: NDArray[np.generic], dtype: np.dtype[np.generic]) -> Array:
    return cast(Array, values.astype(dtype))


def _range(stated: tuple[int | None, int | None], default: tuple[int, int], argument: Argument) -> tuple[int, int]:
    (low, high), (default_low, default_high) = stated, default
    first = default_low if low is None else low
    last = default_high if high is None else high
    if first >= last:
        raise ArchiveError(f"the range of random values for '{argument.name}' is empty: --low {first} --high {last}")
    return first, last
