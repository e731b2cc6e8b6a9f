"""Compiled text of a program, by architecture: saved with it, or compiled when it is needed, once in a process."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import cast

from vtac.dialects.gpu_hardware import gpu_architectures
from vtac.errors import CompileError, ConfigError, ToolMissingError
from vtac.files.reading import read_regular
from vtac.targets.cuda.gpu.compile import CompiledKernel, compile_kernels

Cubins = Mapping[str, tuple[CompiledKernel, ...]]
"""Kernels of a program in its order, by architecture; all kernels of one architecture have one cubin."""

_KEPT_TEXTS = 64
CUBIN_BYTES = 1 << 28
"""The most that is read as compiled text."""
_OF_ONE_ARCHITECTURE = re.compile(r"\b(?:wgmma|setmaxnreg)\.")
"""Instructions that later architectures do not have, so that their text is compiled for one whose name ends in `a`."""
_SERIALISED = "serialised"
"""In a record only where there is a reason."""
_FACTS = tuple(
    one.name for one in fields(CompiledKernel) if one.name not in ("ptx", "cubin", "architecture", _SERIALISED)
)


def compiled_for(
    text: str, kernels: Sequence[str], architecture: str, saved: Cubins | None = None
) -> tuple[CompiledKernel, ...]:
    """The kernels of a text for a device: those saved for an architecture whose cubins it runs, else compiled.

    Raises `ToolMissingError` where neither there is, `KernelTextError` for text that the compiler refuses.
    """
    usable = [name for name in saved or {} if _runs_on(name, architecture)]
    if saved and usable:
        return saved[max(usable, key=_capability)]
    try:
        return _compiled(text, tuple(kernels), _compiled_as(text, architecture))
    except ToolMissingError as error:
        if not saved:
            raise
        raise ToolMissingError(
            f"the program was saved with cubins for {', '.join(saved)}, none of which runs on {architecture}: {error}"
        ) from None


def _compiled_as(text: str, architecture: str) -> str:
    """What a text is compiled as for a device: an architecture with what no other one has, where the text needs it."""
    specific = f"{architecture}a"
    return specific if _OF_ONE_ARCHITECTURE.search(text) and specific in gpu_architectures() else architecture


@lru_cache(maxsize=_KEPT_TEXTS)
def _compiled(text: str, kernels: tuple[str, ...], architecture: str) -> tuple[CompiledKernel, ...]:
    return compile_kernels(text, kernels, architecture)


def forget_compiled() -> None:
    """Compile anew what is asked for from now on."""
    _compiled.cache_clear()


def compiled_cubins(text: str, kernels: Sequence[str], architectures: Sequence[str]) -> Cubins:
    """A program's text compiled for each architecture."""
    return {name: _compiled(text, tuple(kernels), name) for name in dict.fromkeys(architectures)}


def _capability(architecture: str) -> tuple[int, int]:
    digits = architecture.removeprefix("sm_").removesuffix("a")
    return int(digits[:-1]), int(digits[-1])


def _runs_on(cubin: str, device: str) -> bool:
    """Whether a device runs a cubin: of its own generation, and not of a later architecture (CUDA's rule).

    One whose name ends in `a` runs on exactly that architecture.
    """
    (major, minor), (own, own_minor) = _capability(cubin), _capability(device)
    if cubin.endswith("a"):
        return (major, minor) == (own, own_minor)
    return major == own and minor <= own_minor


def cubin_file(text_file: str, architecture: str) -> str:
    """The name of the file that holds a text's cubin."""
    return f"{text_file.removesuffix('.cu')}.{architecture}.cubin"


def cubin_files(text_file: str, cubins: Cubins) -> dict[str, bytes]:
    """The files of a saved program that hold cubins, by name."""
    return {cubin_file(text_file, name): kernels[0].cubin for name, kernels in cubins.items()}


def described_cubins(cubins: Cubins) -> dict[str, object]:
    """What a record says of cubins: of each kernel what its compiler told, by architecture."""
    return {name: [_described(one) for one in kernels] for name, kernels in cubins.items()}


def _described(one: CompiledKernel) -> dict[str, object]:
    told: dict[str, object] = {key: value for key, value in asdict(one).items() if key in _FACTS}
    if one.serialised:
        told[_SERIALISED] = one.serialised
    return told


def read_cubin(path: Path) -> bytes:
    """The contents of a cubin's file. Raises `CompileError`."""
    try:
        return read_regular(path, CUBIN_BYTES)
    except OSError as error:
        raise CompileError(f"cannot read {path}: {error.strerror}") from None


def read_cubins(data: object, kernels: Sequence[str], files: Mapping[str, bytes], source: str) -> Cubins:
    """Read what `described_cubins` gave; `files` are the cubins by architecture. Raises `ConfigError`."""
    if not isinstance(data, Mapping):
        raise ConfigError(f"{source}: cubins is {data!r}; an object of architectures is required")
    found: dict[str, tuple[CompiledKernel, ...]] = {}
    for name, rows in cast("Mapping[str, object]", data).items():
        where = f"{source}: cubins: {name}"
        if not re.fullmatch(r"sm_\d{2,3}a?", name) or name not in files or not isinstance(rows, list):
            raise ConfigError(f"{where} is {rows!r}; a list of compiled kernels, and their file, is required")
        found[name] = tuple(_kernel(row, name, files[name], where) for row in cast("list[object]", rows))
        names = [one.kernel for one in found[name]]
        if names != list(kernels):
            raise ConfigError(
                f"{where} has the kernels {', '.join(names) or 'none'}; those of the program are {', '.join(kernels)}"
            )
    return found


def _kernel(data: object, architecture: str, cubin: bytes, where: str) -> CompiledKernel:
    values = cast("dict[str, object]", data) if isinstance(data, dict) else {}
    words = ("kernel", "compiler")
    wrong = next((key for key in _FACTS if type(values.get(key)) is not (str if key in words else int)), None)
    serialised = values.get(_SERIALISED, "")
    if wrong is not None or set(values) - {_SERIALISED} != set(_FACTS) or not isinstance(serialised, str):
        raise ConfigError(
            f"{where}: found {data!r}; an object with {', '.join(_FACTS)} is required, and a text where it has "
            f"{_SERIALISED}"
        )
    name, compiler = (cast(str, values[key]) for key in words)
    numbers = {key: cast(int, values[key]) for key in _FACTS if key not in words}
    return CompiledKernel(
        name,
        architecture,
        compiler,
        numbers["registers"],
        numbers["static_shared_bytes"],
        numbers["stack_bytes"],
        numbers["spill_store_bytes"],
        numbers["spill_load_bytes"],
        numbers["max_threads"],
        "",
        cubin,
        serialised,
    )
