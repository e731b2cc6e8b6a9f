"""Reads saved CUDA programs of several kernels back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast
from zipfile import BadZipFile

import numpy as np

from vtac.errors import CompileError, ConfigError
from vtac.files.archives import Archive
from vtac.files.digests import changed_file
from vtac.files.reading import RECORD_BYTES, open_regular, read_regular
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.dynamic import dynamic_program
from vtac.targets.cuda.gpu.cubins import cubin_file, read_cubin, read_cubins
from vtac.targets.cuda.network import CudaNetwork
from vtac.targets.cuda.plan import LaunchPlan, PlanBuffer
from vtac.targets.cuda.plan_record import CONSTANTS_FILE, PLAN_FILE, TEXT_FILE


def load_cuda_network(directory: str | Path) -> CudaNetwork:
    """Read back what `CudaNetwork.save` wrote.

    Raises `CompileError` for files that cannot be read, or that are not those of which the record holds digests;
    `ConfigError` for a record that contradicts itself.
    """
    folder = Path(directory)
    source = str(folder / PLAN_FILE)
    fields = _json(_read(folder / PLAN_FILE), source)
    plan = LaunchPlan.from_json(fields, source)
    digests = fields.get("digests")
    if not isinstance(digests, dict) or TEXT_FILE not in digests:
        raise ConfigError(f"{source}: digests is {digests!r}; an object of file names and digests is required")
    described = fields.get("cubins", {})
    names = {name: cubin_file(TEXT_FILE, name) for name in cast("dict[str, object]", described)}
    _check_files(folder, cast("dict[str, str]", digests), (TEXT_FILE, CONSTANTS_FILE, *names.values()))
    text = _read(folder / TEXT_FILE)
    files = {name: read_cubin(folder / file) for name, file in names.items() if file in digests}
    cubins = read_cubins(described, [record.kernel for record in plan.kernels], files, source)
    network = CudaNetwork(text, plan, _constants(folder / CONSTANTS_FILE, plan), cubins=cubins)
    dynamic = fields.get("dynamic")
    return network if dynamic is None else dynamic_program(network, dynamic, source)


def _json(text: str, source: str) -> dict[str, object]:
    try:
        data: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{source}: found {type(data).__name__}; a JSON object is required")
    return cast("dict[str, object]", data)


def _check_files(folder: Path, digests: Mapping[str, str], names: Sequence[str]) -> None:
    missing = next((name for name in digests if name not in names or not (folder / name).exists()), None)
    if missing is not None:
        raise CompileError(f"{folder / PLAN_FILE} holds a digest of {missing!r}, which is not there: save it again")
    there = [name for name in names if (folder / name).exists()]
    try:
        changed = changed_file(folder, there, digests)
    except OSError as error:
        raise CompileError(f"cannot read {error.filename}: {error.strerror}") from None
    foreign = next((name for name in there if name not in digests), changed)
    if foreign is not None:
        raise CompileError(
            f"{folder / foreign} is not the file that was saved with {PLAN_FILE}, whose digest of it differs or is "
            "missing: save the program again"
        )


def _constants(path: Path, plan: LaunchPlan) -> dict[str, Array]:
    wanted = {buffer.name: buffer for buffer in plan.of_role("constant")}
    try:
        found = _arrays(path, wanted) if path.exists() else {}
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError, BadZipFile, zlib.error) as error:
        raise CompileError(f"cannot read {path}: {error}") from None
    missing = next((name for name in wanted if name not in found), None)
    if missing is not None:
        raise CompileError(f"{path} holds no contents of constant '{missing}': save the program again")
    return found


def _arrays(path: Path, wanted: Mapping[str, PlanBuffer]) -> dict[str, Array]:
    """The arrays of an archive, each looked at before any is read."""
    with open_regular(path) as stream:
        archive = Archive(stream)
        headers = {name: archive.header(name) for name in archive.names}
        for name, header in headers.items():
            buffer = wanted.get(name)
            if buffer is None or header != (np.dtype(buffer.numpy_dtype), buffer.shape):
                raise CompileError(f"{path}: '{name}' is no constant of the plan with that shape and dtype")
        return {name: archive.array(name) for name in headers}


def _read(path: Path) -> str:
    try:
        return read_regular(path, RECORD_BYTES).decode()
    except OSError as error:
        raise CompileError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CompileError(f"cannot read {path}: byte {error.start} is not UTF-8 text") from None
